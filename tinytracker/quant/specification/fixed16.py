"""logistic and tanh of 16-bit numbers; a number in Q(n) has a sign, n integer bits and 15 - n fractional bits.

The same approximations as in `softmax`, with constants of 16 bits, all as in gemmlowp's fixed-point library.
"""

from __future__ import annotations

import math

import numpy as np

from tinytracker.quant.specification.arithmetic import divided, rounding_shift_right
from tinytracker.quant.specification.call import Int64s

_LARGEST = 2**15 - 1


def _q(real: float, integer_bits: int) -> int:
    """A constant in Q(integer_bits)."""
    return min(round(real * 2.0 ** (15 - integer_bits)), _LARGEST)


def logistic(values: Int64s) -> Int64s:
    """1 / (1 + exp(-x)) in Q0 of x in Q3."""
    share = _saturated(_two_over_one_plus(_exp(-np.abs(values), 3)) << 1)
    return np.where(values == 0, 2**14, np.where(values > 0, share, _LARGEST - share))


def tanh(values: Int64s, integer_bits: int) -> Int64s:
    """The hyperbolic tangent in Q0 of x in Q(integer_bits): with d = exp(-2·|x|) it is ±(2 / (1 + d) - 1).

    Doubling costs no arithmetic: the same bits are 2·x in Q(integer_bits + 1).
    """
    decay = _exp(-np.abs(values), integer_bits + 1)
    magnitude = _saturated((_two_over_one_plus(decay) - _q(1, 2)) << 2)
    return np.sign(values) * magnitude


def _exp(a: Int64s, integer_bits: int) -> Int64s:
    """exp(a) in Q0 for a <= 0 in Q(integer_bits): of a part in [-1/4, 0), times exp(-2^k) per bit of the rest."""
    fractional_bits = 15 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    part = (a & (quarter - 1)) - quarter
    rest = part - a
    result = _exp_of_part(part << integer_bits)
    for k in range(-2, min(integer_bits, 5)):
        has_bit = (rest & (1 << (fractional_bits + k))) != 0
        result = np.where(has_bit, _multiplied(result, _q(math.exp(-(2.0**k)), 0)), result)
    if integer_bits > 5:  # exp(-32) and less
        result = np.where(a < -(1 << (fractional_bits + 5)), 0, result)
    return np.where(a == 0, _LARGEST, result)


def _exp_of_part(a: Int64s) -> Int64s:
    """exp(a) in Q0 for a in Q0 within [-1/4, 0): fourth-order expansion around -1/8."""
    x = a + _q(1 / 8, 0)
    x2 = _multiplied(x, x)
    x3 = _multiplied(x2, x)
    x4_over_4 = rounding_shift_right(_multiplied(x2, x2), 2)
    tail = rounding_shift_right(_multiplied(x4_over_4 + x3, _q(1 / 3, 0)) + x2, 1)
    middle = _q(math.exp(-1 / 8), 0)
    return _saturated(middle + _multiplied(x + tail, middle))


def _two_over_one_plus(a: Int64s) -> Int64s:
    """2 / (1 + a) in Q2 for a in Q0 within [0, 1): three Newton-Raphson steps for 1 / ((1 + a) / 2)."""
    half = divided(a + _LARGEST + 1, 2)
    estimate = _q(48 / 17, 2) - _multiplied(half, _q(32 / 17, 2))
    for _ in range(3):
        error = _q(1, 2) - _multiplied(half, estimate)
        estimate = estimate + _saturated(_multiplied(estimate, error) << 2)
    return estimate


def _multiplied(a: Int64s, b: Int64s | int) -> Int64s:
    """a·b / 2^15 rounded to nearest, ties upwards; saturated where both are -2^15."""
    return np.minimum((a * b + 2**14) >> 15, _LARGEST)


def _saturated(values: Int64s) -> Int64s:
    return np.clip(values, -(2**15), _LARGEST)
