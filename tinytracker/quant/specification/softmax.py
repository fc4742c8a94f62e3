"""SOFTMAX in fixed point; a number in Q(n) has a sign, n integer bits and 31 - n fractional bits.

The polynomial for exp is a fourth-order Taylor expansion around -1/8, larger powers are products of exp(-2^k),
and 1/(1+x) takes three Newton-Raphson steps, all as in gemmlowp's fixed-point library, which TFLite uses.
"""

from __future__ import annotations

import numpy as np

from tinytracker.quant.specification.arithmetic import (
    INT32_MAX,
    high_mul,
    quantize_multiplier,
    rounding_shift_right,
)
from tinytracker.quant.specification.call import Array, Call, Int64s, Rule

_INPUT_BITS = 5  # differences are Q5
_SUM_BITS = 12  # sums of exponentials are Q12
_WIDE = 512  # probabilities are steps of 1/256, so that from this sum on each is half a step or less
_EXP_MINUS_EIGHTH = 1895147668  # Q0
_ONE_THIRD = 715827883  # Q0
_EXP_FACTORS = {
    -2: 1672461947, -1: 1302514674, 0: 790015084, 1: 290630308, 2: 39332535, 3: 720401, 4: 242,
}  # fmt: skip
"""exp(-2^k) in Q0 by k."""


def softmax(call: Call) -> Array:
    """SOFTMAX over the last dimension: shares of 256, minus 128.

    The integer arithmetic has an answer as long as the sum of exponentials, relative to the largest, is below
    512. Above that it would shift by 32 bits or more. There the share of a class is 1 when it is half a step or
    more, that is when 512 times its exponential is at least the sum, and 0 otherwise.
    """
    source = call.source(0)
    rows = call.value(0).astype(np.int64).reshape(-1, source.shape[-1] if source.shape else 1)
    beta = float(call.operator.option("beta"))  # type: ignore[arg-type]
    table = exponentials(beta * source.scale)
    shares = np.stack([_shares(table[row.max() - row]) for row in rows])
    return (np.clip(shares, 0, 255) - 128).astype(call.target.dtype).reshape(call.target.shape)


def _shares(exps: Int64s) -> Int64s:
    """256 times the probabilities of a row, rounded, from exponentials in Q0."""
    total = int(rounding_shift_right(exps, _SUM_BITS).sum())
    if total >= _WIDE << (31 - _SUM_BITS):
        is_half_a_step: Int64s = (_WIDE * exps >= exps.sum()).astype(np.int64)
        return is_half_a_step
    zeros = 32 - total.bit_length()
    fraction = (total << zeros) - 2**31
    scale = _one_over_one_plus(np.array(fraction, np.int64))
    return rounding_shift_right(high_mul(exps, scale), _SUM_BITS - zeros + 31 - 8)


def exponentials(scale: float) -> Int64s:
    """exp(-scale·d) in Q0 for d = 0..255; 0 where Q5 cannot hold the difference."""
    multiplier, shift = quantize_multiplier(min(scale * 2.0 ** (31 - _INPUT_BITS), 2.0**31 - 1))
    largest = int((2**_INPUT_BITS - 1) * 2.0 ** (31 - _INPUT_BITS) / 2.0 ** int(shift))
    differences = np.arange(256, dtype=np.int64)
    fits = differences <= largest
    scaled = high_mul(np.where(fits, -differences, 0) << shift, multiplier)
    return np.where(fits, _exp(scaled), 0)


def _exp(a: Int64s) -> Int64s:
    """exp(a) in Q0 for a <= 0 in Q5."""
    fractional_bits = 31 - _INPUT_BITS
    quarter = 1 << (fractional_bits - 2)
    part = (a & (quarter - 1)) - quarter  # in [-1/4, 0)
    result = _exp_of_part(part << _INPUT_BITS)
    rest = part - a
    for exponent, factor in _EXP_FACTORS.items():
        has_bit = (rest & (1 << (fractional_bits + exponent))) != 0
        result = np.where(has_bit, high_mul(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def _exp_of_part(a: Int64s) -> Int64s:
    """exp(a) in Q0 for a in Q0 within [-1/4, 0)."""
    x = a + (1 << 28)
    x2 = high_mul(x, x)
    x3 = high_mul(x2, x)
    x4_over_4 = rounding_shift_right(high_mul(x2, x2), 2)
    tail = rounding_shift_right(high_mul(x4_over_4 + x3, _ONE_THIRD) + x2, 1)
    return _EXP_MINUS_EIGHTH + high_mul(x + tail, _EXP_MINUS_EIGHTH)


def _one_over_one_plus(a: Int64s) -> Int64s:
    """1/(1 + a) in Q0 for a in Q0 within [0, 1)."""
    half_denominator = (a + INT32_MAX + 1) // 2
    x = 1515870810 + high_mul(half_denominator, -1010580540)  # Q2: 48/17 - 32/17·half_denominator
    for _ in range(3):
        error = (1 << 29) - high_mul(half_denominator, x)
        x = x + _saturated(high_mul(x, error) << 2)
    return _saturated(x << 1)


def _saturated(values: Int64s) -> Int64s:
    return np.clip(values, -(2**31), INT32_MAX)


RULES: dict[str, Rule] = {"SOFTMAX": softmax}
"""Operators of this family."""
