"""Arithmetic in integers that Python and C share (deploy/common/tt_fixed.c): division, exponential, length.

Every function is exact to the last bit in both languages, so that a controller on a microcontroller and one on a PC
place the same crop.
"""

from __future__ import annotations

Q4, Q8, Q12, Q16 = 1 << 4, 1 << 8, 1 << 12, 1 << 16
"""A number in Qn is an integer that counts steps of 2^-n."""

_LOG2_E = 94548  # log2(e) in Q16
_BIAS = 16  # whole powers of two that keep the exponent positive: C may not shift negative numbers
_EXP_LIMIT = 2 * Q12
_C1, _C2, _C3 = 45576, 14831, 5129  # 2^f = 1 + c1 f + c2 f² + c3 f³ on [0, 1), Q16; their sum is 1


def limited(value: int, low: int, high: int) -> int:
    """Return value, or the nearer end of [low, high] if it lies outside."""
    return max(low, min(value, high))


def divided(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded to the nearest integer, halves up; denominator > 0.

    Example:
        >>> divided(5, 2), divided(-5, 2)
        (3, -2)
    """
    return (2 * numerator + denominator) // (2 * denominator)


def exp_q16(exponent: int) -> int:
    """Return e^exponent in Q16 for an exponent in Q12; relative error at most 2.5e-4.

    The exponent is limited to ±2. 2^f of the fraction f is a polynomial of degree 3.

    Example:
        >>> exp_q16(0), round(exp_q16(4096) / 65536, 3)
        (65536, 2.718)
    """
    power = limited(exponent, -_EXP_LIMIT, _EXP_LIMIT) * _LOG2_E + (_BIAS << 28)
    whole, f = (power >> 28) - _BIAS, (power & ((1 << 28) - 1)) >> 12
    fraction = Q16 + ((f * (_C1 + ((f * (_C2 + ((f * _C3) >> 16))) >> 16))) >> 16)
    return fraction << whole if whole >= 0 else divided(fraction, 1 << -whole)


def length(x: int, y: int) -> int:
    """Return about the length of (x, y), 0.97 to 1.07 times it: the longer side and 3/8 of the shorter one, halves up.

    Example:
        >>> length(-8, 0), length(3, 4)
        (8, 5)
    """
    long, short = max(abs(x), abs(y)), min(abs(x), abs(y))
    return long + divided(3 * short, 8)
