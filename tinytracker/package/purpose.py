"""Judges by its inputs and outputs whether a foreign .tflite file is a gaze network."""

from __future__ import annotations

from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.quant.contract import IoContract

_CHANNELS = (1, 3, 5)
"""Grey, RGB, or RGB with two position planes."""

_REACH = 0.5
"""Value that a pair must reach on both sides of 0. Published networks end in tanh, -1 to 1, before a factor in cm;
probabilities are never negative."""


def looks_like_gaze(model: TfliteModel, contract: IoContract) -> bool:
    """Return whether a network takes an image and returns a point that can lie on both sides of the camera.

    That is: its first input is an image of 1, 3 or 5 channels, and its only output is a pair that can be negative and
    positive, or segments as in `tinytracker.model.output`. A network that finds another kind of point in an image looks
    the same, so the user can override the result.

    Args:
        model: the model.
        contract: its inputs and outputs.
    """
    image = contract.inputs[0].shape if contract.inputs else ()
    if len(image) != 4 or image[3] not in _CHANNELS or len(contract.outputs) != 1:
        return False
    if len(contract.outputs[0].shape) > 2:
        return False  # a feature map or image
    try:
        segments = contract.gaze.segments
    except ModelError:
        return False
    return segments > 1 or _reaches_both_sides(model)


def _reaches_both_sides(model: TfliteModel) -> bool:
    """Return whether the output's values reach `_REACH` below and above 0; for a float output, those behind it."""
    output = model.output_tensors()[0]
    if output.dtype == "float32":
        made = [o for o in model.operators if o.outputs[:1] == model.outputs[:1] and o.name == "DEQUANTIZE"]
        if not made:
            return False
        output = model.tensors[made[0].inputs[0]]
    limits = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}.get(output.dtype)
    if limits is None or len(output.scales) != 1:
        return False
    low, high = ((code - output.zero_point) * output.scale for code in limits)
    return low <= -_REACH and high >= _REACH
