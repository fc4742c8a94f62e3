"""One person's sequence as arrays: what both networks and the gate see in every frame, beside the truth.

Everything that does not depend on a strategy is computed once (`cascade.looking`), so that strategies are compared in
seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.archives import DAMAGED
from tinytracker.arrays import Floats, Pixels
from tinytracker.errors import InputFileError
from tinytracker.files import StrPath, write_arrays


@dataclass(frozen=True)
class Viewing:
    """What is known of each of the n frames of a sequence.

    Attributes:
        gaze: (n, 2) truth, cm. flying: (n,) in a saccade. closed: (n,) how far the lids are closed, 0 to 1.
        visible: (n,) whether both eyes are well inside the frame.
        strips: (n, 3) true centre x, y and width, px. regions: (n, 3) of the crops, Q4 px.
        big, little: (n, 2) answers to each frame's crop, cm.
        big_presence, little_presence: (n,) logits, Q12.
        grey: (n, 32, 96) the gate's strips, uint8.
        eyes: (n, 2) shift of the eyes against the face since the frame before, Q8 px. face: (n, 4) of the face.
        misfit: (n,) Q4 grey, inside the eyes. lost: (n,) 1 where the face was not followed. All four are those of
            `flow.Motion`, and 0 while only a network could say where the eyes are.
        head: (n, 4) as face, without the crop's own movement.
        searching: (n,) frames in which only a network could say where the eyes are.
        rate: (1,) frames per second.
    """

    gaze: Floats
    flying: NDArray[np.bool_]
    closed: Floats
    visible: NDArray[np.bool_]
    strips: Floats
    regions: NDArray[np.int64]
    big: Floats
    little: Floats
    big_presence: NDArray[np.int64]
    little_presence: NDArray[np.int64]
    grey: Pixels
    eyes: NDArray[np.int64]
    face: NDArray[np.int64]
    head: NDArray[np.int64]
    misfit: NDArray[np.int64]
    lost: NDArray[np.int64]
    searching: NDArray[np.bool_]
    rate: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.gaze)

    def save(self, path: StrPath) -> None:
        """Write an .npz file, completely or not at all."""
        write_arrays(Path(path), {f.name: getattr(self, f.name) for f in fields(self)}, compressed=True)

    @classmethod
    def load(cls, path: StrPath) -> Viewing:
        """Read what `save` has written.

        Raises:
            InputFileError: it is not such a file.
        """
        try:
            with Path(path).open("rb") as file, np.load(file) as stored:
                return cls(**{f.name: stored[f.name] for f in fields(cls)})
        except DAMAGED as error:
            raise InputFileError(
                Path(path), f"not a viewing ({error})", "Delete it; it is computed anew."
            ) from error
