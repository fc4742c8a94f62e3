"""The documented cases in which TFLite's reference kernels (BUILTIN_REF of the pinned TensorFlow) are wrong."""

from __future__ import annotations

from tinytracker.model.tflite_model import Operator, TfliteModel

WIDE_SOFTMAX = 512
"""With this many classes or more, a sum of exponentials can be too large for the integer arithmetic."""


def reference_is_wrong(model: TfliteModel) -> tuple[str, ...]:
    """Why BUILTIN_REF cannot be the oracle of this network, one sentence each; empty when it can."""
    refused = tuple(
        f"{tensor.label} has scales along axis {tensor.quantized_dimension}; TensorFlow does not load such a file."
        for tensor in model.tensors
        if len(tensor.scales) > 1 and tensor.quantized_dimension >= len(tensor.shape)
    )
    return refused + tuple(reason for operator in model.operators if (reason := _reason(model, operator)))


def _reason(model: TfliteModel, operator: Operator) -> str:
    if operator.name == "SOFTMAX" and operator.inputs:
        shape = model.tensors[operator.inputs[0]].shape
        if shape and shape[-1] >= WIDE_SOFTMAX:
            return (
                f"{operator.label} has {shape[-1]} classes; with {WIDE_SOFTMAX} or more it shifts by 32 bits."
            )
    if operator.name == "FULLY_CONNECTED" and len(operator.inputs) > 1 and operator.outputs:
        filters, output = model.tensors[operator.inputs[1]], model.tensors[operator.outputs[0]]
        if len(filters.scales) > 1 and len(output.shape) != 2:
            return (
                f"{operator.label} has weights per channel and an output with {len(output.shape)} dimensions; "
                "it takes the first two for batches and units."
            )
    return ""
