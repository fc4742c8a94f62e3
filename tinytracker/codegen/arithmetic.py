"""The integer arithmetic of TFLite's reference kernels, exactly, in Python integers.

A real factor M is stored as a 31-bit multiplier m and a shift s: M = m·2^(s-31). Multiplying an integer by it
rounds twice: once when the 64-bit product is cut to its high half (ties upwards), once when the remaining
right shift is done (ties away from zero). TFLite can be built with a single rounding instead; the
released builds and the microcontroller runtime round twice, and so does this module.
"""

from __future__ import annotations

import math

import numpy as np

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INT8_MIN, INT8_MAX = -128, 127


def wrap32(value: int) -> int:
    """Return the value as a two's complement 32-bit register would hold it."""
    return (value + 2**31) % 2**32 - 2**31


def clamp(value: int, low: int, high: int) -> int:
    """Return the value limited to [low, high]."""
    return max(low, min(high, value))


def round_half_away(value: float) -> int:
    """Return the nearest integer, ties away from zero (as C's `round`; Python's rounds ties to even)."""
    magnitude = math.floor(abs(value))
    if abs(value) - magnitude >= 0.5:
        magnitude += 1
    return magnitude if value >= 0 else -magnitude


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Return a non-negative real factor as (multiplier, shift) with real ≈ multiplier·2^(shift-31).

    The multiplier lies in [2^30, 2^31) unless the factor is 0 or too small to matter (then both are 0).
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = round_half_away(fraction * 2**31)
    if multiplier == 2**31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def high_mul(a: int, b: int) -> int:
    """Return the high half of 2·a·b of 32-bit numbers, rounded (ties upwards); the only overflow saturates."""
    return min((a * b + 2**30) >> 31, INT32_MAX)


def rounding_shift_right(value: int, exponent: int) -> int:
    """Return value / 2^exponent rounded to nearest, ties away from zero; exponent >= 0."""
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if value < 0 else 0)
    return (value >> exponent) + (1 if (value & mask) > threshold else 0)


def scale_by(value: int, multiplier: int, shift: int) -> int:
    """Return value·multiplier·2^(shift-31), rounded twice (see the module); left shifts wrap as in hardware."""
    left, right = max(shift, 0), max(-shift, 0)
    return rounding_shift_right(high_mul(wrap32(value << left), multiplier), right)


def quantized(real: float, scale: float, zero_point: int) -> int:
    """Return zero_point + round(real / scale), with the division in float32 as in TFLite."""
    return zero_point + round_half_away(float(np.float32(real) / np.float32(scale)))


def activation_range(activation: str, scale: float, zero_point: int) -> tuple[int, int] | None:
    """Return the limits of an int8 output with this fused activation; None when the activation is not a clamp.

    Args:
        activation: TFLite's name: NONE, RELU, RELU6 or RELU_N1_TO_1.
        scale: scale of the output.
        zero_point: zero point of the output.
    """
    limits = {"NONE": (None, None), "RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}
    if activation not in limits:
        return None
    low, high = limits[activation]
    return (
        INT8_MIN if low is None else max(INT8_MIN, quantized(low, scale, zero_point)),
        INT8_MAX if high is None else min(INT8_MAX, quantized(high, scale, zero_point)),
    )


def input_radius(integer_bits: int, left_shift: int) -> int:
    """Return the largest |input| that fits a Q(integer_bits).(31-integer_bits) number after `left_shift`."""
    return math.floor((2.0**integer_bits - 1) * 2.0 ** (31 - integer_bits) / 2.0**left_shift)
