"""Operators that reduce many values to one: pooling and mean."""

from __future__ import annotations

import math

import numpy as np

from tinytracker.quant.specification.arithmetic import (
    activation_limits,
    centred,
    quantize_multiplier,
    requantized,
)
from tinytracker.quant.specification.call import Array, Call, Int64s, Rule
from tinytracker.quant.specification.weighted import seen

_NOTHING = -(2**31)  # below every value; marks what lies outside the image


def max_pool_2d(call: Call) -> Array:
    """MAX_POOL_2D over the positions inside the image."""
    return _limited(call, _windows(call).max(axis=0))


def average_pool_2d(call: Call) -> Array:
    """AVERAGE_POOL_2D over the positions inside the image: sum / count, ties away from zero."""
    windows = _windows(call)
    inside = windows != _NOTHING
    count = inside.sum(axis=0)
    sums = np.where(inside, windows, 0).sum(axis=0)
    magnitude = (np.abs(sums) + count // 2) // np.maximum(count, 1)
    return _limited(call, np.sign(sums) * magnitude)


def _windows(call: Call) -> Int64s:
    """(places of the window, batches, out_h, out_w, channels)."""
    kernel = call.operator.int_option("filter_height"), call.operator.int_option("filter_width")
    image = call.value(0).astype(np.int64)
    places = [(y, x) for y in range(kernel[0]) for x in range(kernel[1])]
    return np.stack([seen(call, image, kernel, place, _NOTHING) for place in places])


def _limited(call: Call, values: Int64s) -> Array:
    low, high = activation_limits(call.activation, call.target)
    return np.clip(values, low, high).astype(call.target.dtype)


def mean(call: Call) -> Array:
    """MEAN: the sum of centred values times s_in / s_out / count.

    The division is part of the multiplier: it is shifted left as far as floor(log2(count)) and the shift allow,
    then divided by the count, both in integers.
    """
    source = call.source(0)
    axes = tuple(sorted({axis % len(source.shape) for axis in call.ints(1)}))
    count = math.prod(source.shape[axis] for axis in axes)
    sums = centred(call.value(0), source).sum(axis=axes).reshape(call.target.shape)
    multiplier, shift = (int(v) for v in quantize_multiplier(source.scale / call.target.scale))
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    return requantized(
        call, np.asarray(sums), np.asarray((multiplier << extra) // count), np.asarray(shift - extra)
    )


RULES: dict[str, Rule] = {"AVERAGE_POOL_2D": average_pool_2d, "MAX_POOL_2D": max_pool_2d, "MEAN": mean}
"""Operators of this family."""
