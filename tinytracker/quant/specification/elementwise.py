"""Elementwise operators: sums, products, functions of one value, conversions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinytracker.quant.specification.arithmetic import (
    activation_limits,
    centred,
    limits,
    quantize_multiplier,
    requantized,
    round_half_away,
    scale_by,
    stored,
)
from tinytracker.quant.specification.call import Array, Call, Int64s, Rule
from tinytracker.quant.specification.plain import plain_or

_EXTRA_BITS = 20


def add(call: Call) -> Array:
    """ADD or SUB: both inputs raised by 20 bits, scaled to twice the larger scale, combined, scaled to the output."""
    first, second = call.source(0), call.source(1)
    twice_max = 2 * max(first.scale, second.scale)
    left, right = (
        scale_by(
            centred(call.value(i), tensor) << _EXTRA_BITS, *quantize_multiplier(tensor.scale / twice_max)
        )
        for i, tensor in enumerate((first, second))
    )
    factor = twice_max / (2**_EXTRA_BITS * call.target.scale)
    combined = left - right if call.operator.name == "SUB" else left + right
    return requantized(call, combined, *quantize_multiplier(factor))


def mul(call: Call) -> Array:
    """MUL: the product of both centred values; its factor is computed in float32."""
    first, second = call.source(0), call.source(1)
    product = centred(call.value(0), first) * centred(call.value(1), second)
    factor = np.float32(first.scale) * np.float32(second.scale) / np.float32(call.target.scale)
    return requantized(call, product, *quantize_multiplier(factor))


def tanh(call: Call) -> Array:
    """TANH in float32."""
    return _in_float32(call, lambda x: np.tanh(x.astype(np.float64)).astype(np.float32))


def logistic(call: Call) -> Array:
    """LOGISTIC in float32: exponential, sum and quotient are rounded one by one."""

    def function(x: Array) -> Array:
        with np.errstate(over="ignore"):
            decay = np.exp(-x.astype(np.float64)).astype(np.float32)
            return np.asarray(np.float32(1) / (np.float32(1) + decay))

    return _in_float32(call, function)


def _in_float32(call: Call, function: Callable[[Array], Array]) -> Array:
    """TFLite's table of a function: dequantize, apply, multiply by 1/scale, round ties away from zero."""
    source, target = call.source(0), call.target
    real = np.float32(source.scale) * centred(call.value(0), source).astype(np.float32)
    steps = function(real) * (np.float32(1) / np.float32(target.scale))
    return stored(round_half_away(steps).astype(np.int64) + target.zero_point, target)


def relu(call: Call) -> Array:
    """RELU, RELU6, RELU_N1_TO_1 on their own: rescaled (factor in float32), then limited."""
    source, target = call.source(0), call.target
    factor = np.float32(source.scale) / np.float32(target.scale)
    low, high = activation_limits(call.operator.name, target)
    return stored(np.clip(_rescaled(call, float(factor)), low, high), target)


def prelu(call: Call) -> Array:
    """PRELU with slopes that broadcast: from the zero point up rescaled, below times the slope; factors in float32."""
    source, slope = call.source(0), call.source(1)
    below = _sloped(call, centred(call.value(1), slope), np.float32(source.scale) * np.float32(slope.scale))
    return stored(below, call.target)


def leaky_relu(call: Call) -> Array:
    """LEAKY_RELU: as PRELU with one slope, which is a float32."""
    alpha = np.float32(float(call.operator.options.get("alpha", 0.0)))  # type: ignore[arg-type]
    below = _sloped(call, np.ones(1, np.int64), np.float32(call.source(0).scale) * alpha)
    return stored(below, call.target)


def _sloped(call: Call, slopes: Int64s, step: np.float32) -> Int64s:
    """Values from 0 up rescaled; below, times slopes whose product with a value counts in `step`."""
    values, scale = centred(call.value(0), call.source(0)), np.float32(call.target.scale)
    above = scale_by(values, *quantize_multiplier(np.float32(call.source(0).scale) / scale))
    below = scale_by(values * slopes, *quantize_multiplier(step / scale))
    return np.where(values >= 0, above, below) + call.target.zero_point


def quantize(call: Call) -> Array:
    """QUANTIZE: float32 to integers (quotient in float32, ties away from zero), or integers to others."""
    source, target = call.source(0), call.target
    if source.dtype != "float32":
        return stored(_rescaled(call, source.scale / target.scale), target)
    with np.errstate(over="ignore"):
        steps = round_half_away(call.value(0) / np.float32(target.scale))
    low, high = limits(target)
    wide = np.nan_to_num(steps.astype(np.float64), nan=0.0).clip(-(2.0**20), 2.0**20)
    return np.clip(wide.astype(np.int64) + target.zero_point, low, high).astype(target.dtype)


def dequantize(call: Call) -> Array:
    """DEQUANTIZE: scale·(q - zero_point), rounded to float32 once."""
    source = call.source(0)
    return (source.scale * centred(call.value(0), source)).astype(np.float32)


def _rescaled(call: Call, factor: float) -> Int64s:
    scaled = scale_by(centred(call.value(0), call.source(0)), *quantize_multiplier(factor))
    return scaled + call.target.zero_point


RULES: dict[str, Rule] = {
    "ADD": plain_or(add),
    "DEQUANTIZE": dequantize,
    "LEAKY_RELU": leaky_relu,
    "LOGISTIC": logistic,
    "MUL": plain_or(mul),
    "PRELU": prelu,
    "QUANTIZE": quantize,
    "RELU": relu,
    "RELU6": relu,
    "RELU_N1_TO_1": relu,
    "SUB": plain_or(add),
    "TANH": tanh,
}
"""Operators of this family."""
