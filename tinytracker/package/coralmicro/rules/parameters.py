"""Predicts how much of the Edge TPU's memory a network's parameters take."""

from __future__ import annotations

from tinytracker.model.tflite_model import Operator, TfliteModel

CACHE_BYTES = int(7.7 * 1024 * 1024)
"""Bytes that the compiler reports as usable for parameters on the 8 MiB chip (7.7 to 7.9 MiB)."""

MAX_ERROR_BYTES = 62_000
"""Largest difference of `predicted_bytes` from a public compiled file; the median of files above 16 kB is 0.8 %
(benchmarks/results/edgetpu_public.csv, docs/decisions/102-rules-fitted-to-public-pairs.md)."""

_ALIGNMENT = 64
_WIDE = 64  # more output channels than this are padded to whole groups of 64


def predicted_bytes(model: TfliteModel) -> int:
    """Return the parameter bytes of the compiled file, cached or streamed.

    The formula is not documented; it was fitted to public pairs of an uncompiled and a compiled file, and is exact to
    the byte for most MobileNets. Per operator: weights with padded channels and a few bytes per output channel,
    rounded up to whole blocks of 64 bytes.
    Recurrent layers and constants of arithmetic operators are not counted.
    """
    return sum(operator_bytes(model, operator) for operator in model.operators)


def operator_bytes(model: TfliteModel, operator: Operator) -> int:
    """Return the bytes of one operator; 0 when it has no weights."""
    if operator.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"):
        return 0
    if len(operator.inputs) < 2 or operator.inputs[1] < 0:
        return 0
    weights = model.tensors[operator.inputs[1]]
    per_channel = len(weights.scales) > 1
    if operator.name == "FULLY_CONNECTED" and len(weights.shape) == 2:
        outputs, inputs = weights.shape
        channels = _up(outputs, _WIDE if outputs > _WIDE else 16)
        return _up(channels * (_up(inputs, 4) + (8 if per_channel else 4)), _ALIGNMENT)
    if len(weights.shape) != 4:
        return 0
    outputs, height, width, inputs = weights.shape
    if operator.name == "DEPTHWISE_CONV_2D":
        # Each one-byte weight takes four bytes.
        return _up(_up(inputs, 16) * (4 * height * width + (16 if per_channel else 4)), _ALIGNMENT)
    channels = _up(outputs, _WIDE if outputs > _WIDE else 4)
    return _up(channels * (height * width * _up(inputs, 4) + (8 if per_channel else 4)), _ALIGNMENT)


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
