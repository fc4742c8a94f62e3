"""How much of the Edge TPU's memory a network's parameters will take."""

from __future__ import annotations

from tinytracker.model.tflite_model import Operator, TfliteModel

CACHE_BYTES = int(7.7 * 1024 * 1024)
"""What the compiler reports as usable for parameters on the 8 MiB chip (7.7 to 7.9 MiB)."""

MAX_ERROR = 0.043
"""Largest error of `predicted_bytes` on the 13 compiled models that it was fitted to (3 KB to 4 MB)."""

_BYTES_PER_CHANNEL = 16  # bias, multiplier and shift
_OUTPUT_LANES, _INPUT_LANES = 64, 16


def predicted_bytes(model: TfliteModel) -> int:
    """Parameter bytes of the compiled file, cached or streamed.

    Fitted to compiled models, not documented: weights are padded to 64 output and 16 input channels (dense
    layers to 16 and 16), and each output channel brings 16 bytes.
    """
    return sum(operator_bytes(model, operator) for operator in model.operators)


def operator_bytes(model: TfliteModel, operator: Operator) -> int:
    """Share of one operator; 0 when it has no weights."""
    if operator.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"):
        return 0
    if len(operator.inputs) < 2 or operator.inputs[1] < 0:
        return 0
    shape = model.tensors[operator.inputs[1]].shape
    if operator.name == "FULLY_CONNECTED" and len(shape) == 2:
        outputs, inputs = shape
        return _up(outputs, _INPUT_LANES) * _up(inputs, _INPUT_LANES) + _BYTES_PER_CHANNEL * outputs
    if len(shape) != 4:
        return 0
    if operator.name == "DEPTHWISE_CONV_2D":
        _, height, width, channels = shape
        return height * width * _up(channels, _OUTPUT_LANES) + _BYTES_PER_CHANNEL * channels
    outputs, height, width, inputs = shape
    weights = _up(outputs, _OUTPUT_LANES) * height * width * _up(inputs, _INPUT_LANES)
    return weights + _BYTES_PER_CHANNEL * outputs


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
