"""What a network with an aim has answered, in integers: the same on every device (deploy/common/tt_aim_answer.c)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinytracker.aim.fixed import Q12, divided
from tinytracker.aim.layout import AIM, FULL_CODE, Part, code_count


@dataclass(frozen=True)
class AimAnswer:
    """Where the strip lies relative to the crop that the network saw; all in Q12 (1/4096), see `aim.layout`.

    Attributes:
        dx: from the crop's centre to the strip's, to the right, in widths of the crop. dy: downwards.
        ln_scale: natural logarithm of strip width / crop width.
        roll: of the line through the eyes, rad, positive when the eye on the right is lower.
        presence: logit of "there are eyes".
    """

    dx: int
    dy: int
    ln_scale: int
    roll: int
    presence: int


def from_codes(part: Part, total: int) -> int:
    """Return one number in Q12 from the sum of its codes, rounded to the nearest, halves up.

    All ranges are whole hundredths, so the sum is exact: (low + width of a segment × sum / 255) × 4096.
    """
    low, width = round(100 * part.low), round(100 * part.width)
    return divided(Q12 * (width * total + low * FULL_CODE), 100 * FULL_CODE)


def read_aim(codes: ArrayLike) -> AimAnswer:
    """Decode the aim's codes of one frame.

    Args:
        codes: (24,) integers 0 to 255; an int8 output is this minus 128.

    Raises:
        ValueError: another number of codes.

    Example:
        >>> from tinytracker.aim.layout import encode
        >>> read_aim(encode(AIM, [0.1, 0, 0, 0, 8])).presence
        32768
    """
    numbers = np.asarray(codes, np.int64)
    if numbers.shape != (code_count(AIM),):
        raise ValueError(f"an aim has {code_count(AIM)} codes, not an array of shape {numbers.shape}")
    values, at = [], 0
    for part in AIM:
        values.append(from_codes(part, int(numbers[at : at + part.segments].sum())))
        at += part.segments
    return AimAnswer(*values)
