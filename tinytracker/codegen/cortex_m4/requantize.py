"""Convert multiplier and shift to the operands of SMMLAR; the C side is in tt_m4.h.

A sum is multiplied by 2m and the rounded high word is kept; that is multiplied by 2^(32-e), the zero point is added,
and again the rounded high word is kept. The right shift e must be at least 2, since 2^31 and more do not fit a
positive 32-bit number.
"""

from __future__ import annotations

from tinytracker.codegen.arithmetic import INT8_MAX, INT8_MIN, wrap32
from tinytracker.codegen.graph import Requantization

MIN_RIGHT_SHIFT = 2


def rounding_factors(multiplier: int, shift: int) -> tuple[int, int] | None:
    """Return (factor, power) for `tt_m4_requantize`, or None when the right shift is too small.

    Args:
        multiplier: in [0, 2^31).
        shift: positive is to the left, as in `Requantization`.
    """
    if multiplier == 0:
        return 0, 0  # h is then the sum itself, and 0 times it plus the zero point is the zero point
    if -shift < MIN_RIGHT_SHIFT:
        return None
    return wrap32(2 * multiplier), 2 ** (32 + shift)


def channel_factors(scales: Requantization, channels: int) -> list[tuple[int, int]] | None:
    """Return the `rounding_factors` of every output channel, or None when a channel has none."""
    factors = [rounding_factors(m, s) for m, s in zip(scales.multipliers, scales.shifts, strict=True)]
    known = [f for f in factors if f is not None]
    if len(known) < len(factors):
        return None
    return known * channels if len(known) == 1 else known


def rounds_away(scales: Requantization) -> bool:
    """Return True when ties of the second rounding matter for negative values.

    They do not when the output is limited to values not below the zero point: a negative value then gives the
    limit, however it is rounded.
    """
    return scales.act_min < scales.zero_point


def is_limited(scales: Requantization) -> bool:
    """Return True when the fused activation limits the output more than saturation to 8 bits does."""
    return (scales.act_min, scales.act_max) != (INT8_MIN, INT8_MAX)
