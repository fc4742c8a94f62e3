"""Is a .tflite file that somebody else made a gaze network? Only its inputs and outputs can say."""

from __future__ import annotations

from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.quant.contract import IoContract

_CHANNELS = (1, 3, 5)
"""Grey, RGB, or RGB with two position planes."""

_REACH = 0.5
"""The least that a pair must reach on both sides of 0. Published networks answer tanh, -1 to 1, before a factor in cm;
probabilities are never negative."""


def looks_like_gaze(model: TfliteModel, contract: IoContract) -> bool:
    """Whether a network looks at a picture and has a point on both sides of the camera for an answer.

    That is: its first input is one image of 1, 3 or 5 channels, and its only output is a pair that can be negative and
    positive, or segments as `tinytracker.model.output` makes them. A network that finds another point in an image looks
    the same; the user has the last word.

    Args:
        model: the file.
        contract: its inputs and outputs.
    """
    image = contract.inputs[0].shape if contract.inputs else ()
    if len(image) != 4 or image[3] not in _CHANNELS or len(contract.outputs) != 1:
        return False
    if len(contract.outputs[0].shape) > 2:
        return False  # a map of something
    try:
        segments = contract.gaze.segments
    except ModelError:
        return False
    return segments > 1 or _reaches_both_sides(model)


def _reaches_both_sides(model: TfliteModel) -> bool:
    """Whether the codes of the output go to `_REACH` below and above 0; of a float output, those that it is made of."""
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
