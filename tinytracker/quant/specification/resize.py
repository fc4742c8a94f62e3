"""RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR on images (batches, height, width, channels) with equal quantization."""

from __future__ import annotations

import numpy as np

from tinytracker.quant.specification.arithmetic import divided, round_half_away
from tinytracker.quant.specification.call import Array, Call, Int64s, Rule

_ONE = 1024
"""Positions and weights have ten fractional bits."""


def resize_bilinear(call: Call) -> Array:
    """RESIZE_BILINEAR: four neighbours weighted in 1/1024, divided by 2^20 to nearest, ties away from zero."""
    image = call.value(0).astype(np.int64)
    upper, lower, down = _neighbours(call, 1)
    left, right, across = _neighbours(call, 2)
    across, down = across[:, None], down[:, None, None]
    rows = [
        image[:, row][:, :, left] * (_ONE - across) + image[:, row][:, :, right] * across
        for row in (upper, lower)
    ]
    sums = rows[0] * (_ONE - down) + rows[1] * down
    return divided(sums + np.sign(sums) * (_ONE**2 // 2), _ONE**2)


def _neighbours(call: Call, axis: int) -> tuple[Int64s, Int64s, Int64s]:
    """Per output position along an axis: the two input positions, and the weight of the second in 1/1024."""
    inputs, outputs = call.source(0).shape[axis], call.target.shape[axis]
    steps = (inputs, outputs)
    if call.operator.option("align_corners") and outputs > 1:
        steps = (inputs - 1, outputs - 1)
    scale = (_ONE * steps[0] + steps[1] // 2) // steps[1]
    places = np.arange(outputs, dtype=np.int64) * scale
    if call.operator.option("half_pixel_centers"):
        places = places + scale // 2 - _ONE // 2
    first = np.maximum(divided(places, _ONE), 0)
    second = np.minimum(divided(places + _ONE - 1, _ONE), inputs - 1)
    return first, second, places - _ONE * first


def resize_nearest(call: Call) -> Array:
    """RESIZE_NEAREST_NEIGHBOR: positions in float32, rounded down, with aligned corners to nearest."""
    return call.value(0)[:, _nearest(call, 1)][:, :, _nearest(call, 2)]


def _nearest(call: Call, axis: int) -> Int64s:
    inputs, outputs = call.source(0).shape[axis], call.target.shape[axis]
    aligned = bool(call.operator.option("align_corners"))
    steps = (inputs - 1, outputs - 1) if aligned and outputs > 1 else (inputs, outputs)
    scale = np.float32(steps[0]) / np.float32(steps[1])
    middle = np.float32(0.5 if call.operator.option("half_pixel_centers") else 0)
    places = (np.arange(outputs, dtype=np.float32) + middle) * scale
    whole = round_half_away(places) if aligned else np.floor(places)
    return np.minimum(whole.astype(np.int64), inputs - 1)


RULES: dict[str, Rule] = {"RESIZE_BILINEAR": resize_bilinear, "RESIZE_NEAREST_NEIGHBOR": resize_nearest}
"""Operators of this family."""
