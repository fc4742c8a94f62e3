"""Operators that compare or convert: MAXIMUM, MINIMUM, ARG_MAX, ARG_MIN, CAST."""

from __future__ import annotations

import numpy as np

from tinytracker.quant.specification.arithmetic import limits
from tinytracker.quant.specification.call import Array, Call, Rule
from tinytracker.quant.specification.plain import maximum, minimum, plain_or


def extreme(call: Call) -> Array:
    """MAXIMUM or MINIMUM of 8-bit tensors with equal quantization: of the stored numbers."""
    choose = maximum if call.operator.name == "MAXIMUM" else minimum
    return choose(call.value(0), call.value(1))


def arg_extreme(call: Call) -> Array:
    """ARG_MAX or ARG_MIN along an axis: the first position of the extreme value."""
    layers = np.moveaxis(call.value(0), call.ints(1)[0], 0)
    best, where = layers[0], np.zeros(layers.shape[1:], np.int64)
    for position, layer in enumerate(layers):
        beats = layer > best if call.operator.name == "ARG_MAX" else layer < best
        best, where = np.where(beats, layer, best), np.where(beats, position, where)
    return where


def cast(call: Call) -> Array:
    """CAST of the stored number: integers keep their low bits, floats lose their fraction.

    What C leaves undefined: a float beyond the type becomes its nearest number, NaN becomes 0.
    """
    values = call.value(0)
    if values.dtype.kind != "f" or call.target.dtype == "float32":
        return values.astype(call.target.dtype)
    low, high = limits(call.target)
    whole = np.trunc(np.nan_to_num(values, nan=0.0))
    inside = np.where((whole > low) & (whole < high), whole, 0).astype(np.int64)
    return np.where(whole >= high, high, np.where(whole <= low, low, inside))


RULES: dict[str, Rule] = {
    "ARG_MAX": arg_extreme,
    "ARG_MIN": arg_extreme,
    "CAST": cast,
    "MAXIMUM": plain_or(extreme),
    "MINIMUM": plain_or(extreme),
}
"""Operators of this family."""
