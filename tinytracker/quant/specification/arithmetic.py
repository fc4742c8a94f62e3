"""Fixed-point arithmetic of TFLite on arrays: every number is an int64 that holds a 32-bit value.

A real factor M >= 0 is a multiplier m in [2^30, 2^31) and a shift s with M ≈ m·2^(s-31). Multiplying rounds
twice: to the high half of the product (ties upwards), then by the right shift that remains (ties away from 0).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytracker.model.tflite_model import Tensor
from tinytracker.quant.specification.call import Array, Call, Int64s

INT32_MAX = 2**31 - 1


def wrap32(values: Int64s) -> Int64s:
    """Values as a 32-bit register holds them."""
    wrapped: Int64s = (values + 2**31) % 2**32 - 2**31
    return wrapped


def round_half_away(values: Array) -> Array:
    """Nearest integers of floats, ties away from zero; the dtype stays."""
    magnitude = np.abs(values)
    whole = np.floor(magnitude)
    rounded: Array = np.copysign(whole + (magnitude - whole >= 0.5), values)
    return rounded


def quantize_multiplier(real: ArrayLike) -> tuple[Int64s, Int64s]:
    """Multiplier and shift of non-negative real factors; both 0 for a factor that is 0 or below 2^-32."""
    fractions, exponents = np.frexp(np.asarray(real, np.float64))
    multipliers = np.asarray(round_half_away(fractions * 2.0**31), np.int64)
    shifts = np.asarray(exponents, np.int64)
    full = multipliers == 2**31
    multipliers, shifts = np.where(full, 2**30, multipliers), shifts + full
    gone = (multipliers == 0) | (shifts < -31)
    return np.where(gone, 0, multipliers), np.where(gone, 0, shifts)


def high_mul(a: Int64s, b: Int64s | int) -> Int64s:
    """a·b / 2^31 rounded to nearest, ties upwards; saturated where both are -2^31."""
    rounded: Int64s = np.minimum((a * b + 2**30) >> 31, INT32_MAX)
    return rounded


def rounding_shift_right(values: Int64s, exponent: Int64s | int) -> Int64s:
    """Values / 2^exponent rounded to nearest, ties away from zero; exponent >= 0."""
    half = (np.int64(1) << np.asarray(exponent, np.int64)) >> 1
    magnitude: Int64s = (np.abs(values) + half) >> exponent
    return np.sign(values) * magnitude


def scale_by(values: Int64s, multiplier: Int64s, shift: Int64s) -> Int64s:
    """Values times multiplier·2^(shift-31), rounded twice; a left shift wraps."""
    raised = wrap32(values << np.maximum(shift, 0))
    return rounding_shift_right(high_mul(raised, multiplier), np.maximum(-shift, 0))


def limits(tensor: Tensor) -> tuple[int, int]:
    """Smallest and largest number of the tensor's integer type."""
    info = np.iinfo(tensor.dtype)
    return int(info.min), int(info.max)


def quantized(real: float, tensor: Tensor) -> int:
    """The number that stands for a real value in this tensor, not limited; the quotient is a float32."""
    quotient = np.float32(real) / np.float32(tensor.scale)
    return int(round_half_away(np.asarray(quotient))) + tensor.zero_point


def activation_limits(activation: str, tensor: Tensor) -> tuple[int, int]:
    """Smallest and largest output with a fused activation. Raises `KeyError` for one that does not clamp."""
    low, high = limits(tensor)
    least, most = {"NONE": (None, None), "RELU": (0, None), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)}[
        activation
    ]
    return (
        low if least is None else max(low, quantized(least, tensor)),
        high if most is None else min(high, quantized(most, tensor)),
    )


def divided(values: Int64s, divisor: Int64s | int) -> Int64s:
    """Integer quotients towards zero, as C divides."""
    quotients: Int64s = np.sign(values) * np.sign(divisor) * (np.abs(values) // np.abs(divisor))
    return quotients


def stored(values: Int64s, target: Tensor) -> Array:
    """Values as the tensor holds them, limited to its type."""
    return np.clip(values, *limits(target)).astype(target.dtype)


def centred(values: Array, tensor: Tensor) -> Int64s:
    """Values without the zero point: q - zero_point."""
    return values.astype(np.int64) - tensor.zero_point


def requantized(call: Call, sums: Int64s, multiplier: Int64s, shift: Int64s) -> NDArray[np.generic]:
    """Sums as the call's output: scaled, zero point added, limited to the fused activation."""
    target = call.target
    low, high = activation_limits(call.activation, target)
    scaled = wrap32(scale_by(wrap32(sums), multiplier, shift) + target.zero_point)
    result: NDArray[np.generic] = np.clip(scaled, low, high).astype(target.dtype)
    return result
