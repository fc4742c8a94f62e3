"""The arithmetic of the reference kernels against exact rational arithmetic."""

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tinytracker.codegen.arithmetic import (
    high_mul,
    quantize_multiplier,
    round_half_away,
    rounding_shift_right,
    scale_by,
    wrap32,
)

int32 = st.integers(-(2**31), 2**31 - 1)


def nearest(value: Fraction) -> int:
    """Nearest integer, ties away from zero, without floating point."""
    return int(abs(value) + Fraction(1, 2)) * (1 if value >= 0 else -1)


@given(int32, st.integers(0, 31))
def test_shift_rounds_to_nearest_and_ties_away(value, exponent):
    assert rounding_shift_right(value, exponent) == nearest(Fraction(value, 2**exponent))


@given(int32, st.integers(0, 2**31 - 1))
def test_high_half_rounds_to_nearest(a, b):
    assert high_mul(a, b) == math.floor(Fraction(a * b, 2**31) + Fraction(1, 2))  # ties upwards


def test_ties_of_the_high_half_go_up():
    assert [high_mul(n, 2**30) for n in (-3, -1, 1, 3)] == [-1, 0, 1, 2]


def test_the_one_overflow_saturates():
    assert high_mul(-(2**31), -(2**31)) == 2**31 - 1


@given(st.floats(2.0**-30, 2.0**30))
def test_multiplier_is_normalized_and_close(real):
    multiplier, shift = quantize_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    assert math.isclose(multiplier * 2.0 ** (shift - 31), real, rel_tol=2.0**-30)


def test_factors_too_small_to_matter_are_zero():
    assert quantize_multiplier(0.0) == (0, 0)
    assert quantize_multiplier(2.0**-40) == (0, 0)


@given(st.integers(-(2**20), 2**20), st.floats(2.0**-12, 2.0**8))
def test_scaling_is_within_one_of_the_exact_product(value, real):
    exact = value * real
    assert abs(scale_by(value, *quantize_multiplier(real)) - exact) <= 1 + abs(exact) * 2.0**-30


@given(st.floats(-1e6, 1e6))
def test_round_half_away(value):
    assert round_half_away(value) == nearest(Fraction(value))


@given(st.integers())
def test_wrap(value):
    assert -(2**31) <= wrap32(value) < 2**31
    assert (wrap32(value) - value) % 2**32 == 0
