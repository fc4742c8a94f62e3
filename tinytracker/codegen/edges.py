"""Replaces the float inputs and outputs of an INT8 network by the integers behind them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel


def with_integer_ends(model: TfliteModel) -> TfliteModel:
    """Return the network without QUANTIZE at its float32 inputs and DEQUANTIZE at its float32 outputs.

    Its inputs and outputs are then the 8-bit tensors behind them; the caller converts, or has integers anyway.
    Inputs and outputs of other types are unchanged.

    Raises:
        ModelError: a float32 input is read by anything other than a single QUANTIZE, or a float32 output does not
            come from DEQUANTIZE.
    """
    inputs = {
        tensor.index: _reader(model, tensor) for tensor in model.input_tensors() if tensor.dtype == "float32"
    }
    outputs = {
        tensor.index: _writer(model, tensor) for tensor in model.output_tensors() if tensor.dtype == "float32"
    }
    left_out = {operator.index for operator in inputs.values()}
    return replace(
        model,
        inputs=tuple(inputs[i].outputs[0] if i in inputs else i for i in model.inputs),
        outputs=tuple(outputs[i].inputs[0] if i in outputs else i for i in model.outputs),
        operators=tuple(operator for operator in model.operators if operator.index not in left_out),
    )


def quantized_input(values: NDArray[Any], tensor: Tensor) -> NDArray[Any]:
    """Return what QUANTIZE makes of float32 values: round(value / scale) + zero_point, ties away from zero, clipped.

    Args:
        values: float32, or integers, which are returned unchanged.
        tensor: the 8-bit tensor behind the float input.
    """
    if values.dtype.kind != "f":
        return values
    limits = np.iinfo(tensor.dtype)
    steps = (values.astype(np.float32) / np.float32(tensor.scale)).astype(np.float64)
    codes = np.copysign(np.floor(np.abs(steps) + 0.5), steps) + tensor.zero_point
    found: NDArray[Any] = np.clip(codes, limits.min, limits.max).astype(tensor.dtype)
    return found


def dequantized_output(codes: NDArray[Any], tensor: Tensor) -> NDArray[np.float32]:
    """Return what DEQUANTIZE makes of codes: scale * (code - zero_point) in float32."""
    return np.float32(tensor.scale) * (codes.astype(np.float32) - np.float32(tensor.zero_point))


def _reader(model: TfliteModel, tensor: Tensor) -> Operator:
    readers = [operator for operator in model.operators if tensor.index in operator.inputs]
    if [operator.name for operator in readers] != ["QUANTIZE"] or tensor.index in model.outputs:
        names = ", ".join(operator.label for operator in readers) or "nothing"
        raise ModelError(
            f"{tensor.label} is a float input read by {names}; the caller can replace only a single QUANTIZE.",
            "Generate the network with its float inputs.",
        )
    return readers[0]


def _writer(model: TfliteModel, tensor: Tensor) -> Operator:
    writer = next((operator for operator in model.operators if tensor.index in operator.outputs), None)
    if writer is None or writer.name != "DEQUANTIZE":
        made_by = "nothing" if writer is None else writer.label
        raise ModelError(
            f"{tensor.label} is a float output written by {made_by}; the caller can replace only DEQUANTIZE.",
            "Generate the network with its float outputs.",
        )
    return writer
