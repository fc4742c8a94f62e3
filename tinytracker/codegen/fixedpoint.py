"""exp and 1/(1+x) on 32-bit fixed-point numbers, as TFLite's integer softmax computes them.

A number in Q(n) has a sign, n integer bits and 31-n fractional bits. The polynomial (a fourth-order Taylor
expansion around -1/8), the factors exp(-2^k) and the three Newton-Raphson steps are those of the fixed-point
library that TFLite uses; the tests check that the results equal TFLite's.
"""

from __future__ import annotations

from tinytracker.codegen.arithmetic import INT32_MAX, INT32_MIN, clamp, high_mul, rounding_shift_right

_EXP_MINUS_EIGHTH = 1895147668  # exp(-1/8) in Q0
_ONE_THIRD = 715827883  # 1/3 in Q0
_EXP_FACTORS = (
    (-2, 1672461947), (-1, 1302514674), (0, 790015084), (1, 290630308), (2, 39332535), (3, 720401), (4, 242),
)  # fmt: skip
"""(k, exp(-2^k) in Q0)."""


def _shift_left_saturating(value: int, bits: int) -> int:
    return clamp(value << bits, INT32_MIN, INT32_MAX)


def _exp_between_minus_quarter_and_0(a: int) -> int:
    """Return exp(a) in Q0 for a in Q0 within [-1/4, 0)."""
    x = a + (1 << 28)
    x2 = high_mul(x, x)
    x3 = high_mul(x2, x)
    x4_over_4 = rounding_shift_right(high_mul(x2, x2), 2)
    tail = rounding_shift_right(high_mul(x4_over_4 + x3, _ONE_THIRD) + x2, 1)
    return _EXP_MINUS_EIGHTH + high_mul(_EXP_MINUS_EIGHTH, x + tail)


def exp_on_negative(a: int, integer_bits: int) -> int:
    """Return exp(a) in Q0 for a <= 0 in Q(integer_bits), integer_bits <= 5."""
    if a == 0:
        return INT32_MAX
    fractional_bits = 31 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    a_mod_quarter = (a & (quarter - 1)) - quarter
    result = _exp_between_minus_quarter_and_0(_shift_left_saturating(a_mod_quarter, integer_bits))
    remainder = a_mod_quarter - a
    for exponent, factor in _EXP_FACTORS:
        if integer_bits > exponent and remainder & (1 << (fractional_bits + exponent)):
            result = high_mul(result, factor)
    return result
