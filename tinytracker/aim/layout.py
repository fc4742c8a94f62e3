"""How a network says where the eyes are: the codes of its output, and what they mean.

A strip network with an aim answers, beside the gaze, where the strip that it should have seen lies relative to the
crop that it did see:

    dx, dy     from the crop's centre to the strip's, right and down, in widths of the crop
    ln_scale   natural logarithm of (width of the strip / width of the crop)
    roll       angle of the line through both eyes in the picture, rad; positive when the eye on the right is lower
    presence   logit: are there eyes in the crop at all?

INT8 has 255 steps. One tensor that holds all five numbers would have steps of 0.07, several times the error of the
network. So each number is split into segments, exactly as the gaze is (`tinytracker.model.output`): code k of a
quantity outputs how much of its own part of the range lies below the value. All codes then have the same fixed range,
[0, 6], and gaze and aim share one output tensor with one scale.

The finder, which looks at a whole frame, answers with the same kind of codes for each cell of a grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytracker.arrays import Floats

FULL_CODE = 255
"""A code of 255 means that the value lies above its segment (relu6 at its upper limit, 6)."""


@dataclass(frozen=True)
class Part:
    """One number of an answer and its codes.

    Attributes:
        name: of the number.
        segments: number of codes.
        low, high: range of the number; values beyond are limited to it.
    """

    name: str
    segments: int
    low: float
    high: float

    @property
    def width(self) -> float:
        """Width of one segment, in units of the number."""
        return (self.high - self.low) / self.segments

    @property
    def starts(self) -> Floats:
        """Return the start of each segment, (segments,)."""
        return self.low + self.width * np.arange(self.segments)

    @property
    def step(self) -> float:
        """Smallest difference that the codes can express."""
        return self.width / FULL_CODE


AIM = (
    Part("dx", 8, -0.64, 0.64),
    Part("dy", 6, -0.48, 0.48),
    Part("ln_scale", 6, -1.92, 0.96),
    Part("roll", 3, -0.48, 0.48),
    Part("presence", 1, -8.0, 8.0),
)
"""The aim of a strip network, in the order of its codes. They follow the codes of the gaze in the same tensor."""

FINDER = (
    Part("score", 1, -8.0, 8.0),
    Part("dx", 1, -1.5, 1.5),
    Part("dy", 1, -1.5, 1.5),
    Part("ln_width", 1, -1.6, 1.6),
)
"""Channels of each cell of the finder: logit of "the strip's centre is here", the offset of that centre from the cell's
centre in cells, right and down, and ln(strip width / FINDER_WIDTH_PX)."""

FINDER_WIDTH, FINDER_HEIGHT = 96, 72
"""The finder's view in px: the whole frame, as large as it fits, centred, black beside it."""

FINDER_CELL_PX = 8
"""Side of a cell in px of the view; the grid has 12 × 9 cells."""

FINDER_WIDTH_PX = 24.0
"""Width of a strip, in px of the view, whose ln_width is 0."""


def code_count(parts: Sequence[Part]) -> int:
    """Return the number of codes of an answer.

    Example:
        >>> code_count(AIM), code_count(FINDER)
        (24, 4)
    """
    return sum(part.segments for part in parts)


def encode(parts: Sequence[Part], values: ArrayLike) -> NDArray[np.uint8]:
    """Return the codes (..., code_count) that a perfect network would answer for values (..., len(parts)).

    Example:
        >>> encode(AIM[:1], [[0.0]]).tolist()
        [[255, 255, 255, 255, 0, 0, 0, 0]]
    """
    numbers = np.asarray(values, np.float64)
    codes = [
        np.clip((numbers[..., i, None] - part.starts) / part.width, 0, 1) * FULL_CODE
        for i, part in enumerate(parts)
    ]
    rounded: NDArray[np.uint8] = np.floor(np.concatenate(codes, axis=-1) + 0.5).astype(np.uint8)
    return rounded


def decode(parts: Sequence[Part], codes: ArrayLike) -> Floats:
    """Return the values (..., len(parts)) of codes (..., code_count) in 0..255; an INT8 code is this minus 128.

    Example:
        >>> decode(AIM[:1], [[255, 255, 255, 255, 128, 0, 0, 0]]).round(4).tolist()
        [[0.0803]]
    """
    numbers = np.asarray(codes, np.float64)
    values, at = [], 0
    for part in parts:
        share = numbers[..., at : at + part.segments].sum(-1)
        values.append(part.low + part.step * share)
        at += part.segments
    return np.stack(values, axis=-1)


def expand(
    parts: Sequence[Part], kernel: NDArray[np.float32], bias: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the weights of a device's last layer from those of the trained one.

    Args:
        parts: what the layer answers.
        kernel: (inputs, len(parts)), units of each number per unit of the layer before.
        bias: (len(parts),).

    Returns:
        (inputs, code_count) and (code_count,), to be followed by relu6.
    """
    columns, offsets = [], []
    for i, part in enumerate(parts):
        gain = 6.0 / part.width
        columns.append(np.repeat(kernel[:, i : i + 1] * gain, part.segments, axis=1))
        offsets.append((float(bias[i]) - part.starts) * gain)
    return np.concatenate(columns, 1).astype(np.float32), np.concatenate(offsets).astype(np.float32)
