"""Where the boxes of a recording's frames lie in their frames and in the crops that are stored.

Computed for all frames of a recording at once: numpy takes about as long for one box as for a thousand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.data.crops import eye_in_frame, grow, overlap, round_half_up, to_crop
from tinytracker.data.gazecapture import Recording
from tinytracker.data.images import stored_size

LARGEST_BOX = 4.0
"""A box wider than this many frames is damage, and cutting it out would fill the memory."""

Flags = NDArray[np.bool_]
_SIZES_KEPT = 4
"""Frames of a recording have one size, or two when the device was turned."""

Quad = tuple[float, float, float, float]


@dataclass(frozen=True)
class Placed:
    """The boxes of one frame, each (x, y, w, h).

    Attributes:
        outside: why a box cannot be cut out, or "".
        face: px of the frame.
        stored: what the crop shows, whole px of the frame.
        size: width and height of the stored crop, px.
        in_crop: face, left eye and right eye in px of the stored crop.
    """

    outside: str
    face: Quad
    stored: tuple[int, int, int, int]
    size: tuple[int, int]
    in_crop: tuple[Quad, Quad, Quad]


class Placement:
    """Places the boxes of one recording.

    Args:
        recording: whose boxes are placed.
        used: (n,) bool, the frames that are asked for; boxes of other frames may be damaged.
        max_crop: longest side of a stored face box, px.
    """

    def __init__(self, recording: Recording, used: Flags, max_crop: int) -> None:
        rows = np.flatnonzero(used)
        self._row = {int(i): row for row, i in enumerate(rows)}
        face = recording.face.corners()[rows]
        eyes = (recording.left_eye.corners()[rows], recording.right_eye.corners()[rows])
        self._boxes: tuple[Floats, ...] = (face, *(eye_in_frame(face, eye) for eye in eyes))
        self._max_crop = max_crop
        self._by_size: dict[tuple[int, int], list[Placed]] = {}

    def of_frame(self, i: int, width: int, height: int) -> Placed:
        """Return the boxes of frame i, which is this large, px."""
        size = width, height
        if size not in self._by_size:
            if len(self._by_size) == _SIZES_KEPT:
                self._by_size.clear()
            self._by_size[size] = self._place(width, height)
        return self._by_size[size][self._row[i]]

    def _place(self, width: int, height: int) -> list[Placed]:
        outside = [""] * len(self._row)
        for name, boxes in reversed(list(zip(("face", "left eye", "right eye"), self._boxes, strict=True))):
            bad = (boxes[:, 2] > LARGEST_BOX * width) | (boxes[:, 3] > LARGEST_BOX * height)
            bad |= overlap(np.where(bad[:, None], 0.0, boxes), width, height) == 0
            for row in np.flatnonzero(bad):
                outside[row] = f"{name} at {np.round(boxes[row], 1).tolist()} in {width} x {height}"
        face = self._boxes[0]
        usable = np.array([not why for why in outside], bool)[:, None]
        stored = round_half_up(grow(np.where(usable, face, 1.0)))
        sizes, scales = stored_size(stored[:, 2:], self._max_crop)
        in_crop = [to_crop(boxes, stored, scales).tolist() for boxes in self._boxes]
        return [
            Placed(*entry)
            for entry in zip(
                outside,
                map(tuple, face.tolist()),
                map(tuple, stored.tolist()),
                map(tuple, sizes.tolist()),
                [(tuple(a), tuple(b), tuple(c)) for a, b, c in zip(*in_crop, strict=True)],
                strict=True,
            )
        ]
