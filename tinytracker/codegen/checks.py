"""Checks that an operator can be generated; refusals name the operator, the tensor and the reason."""

from __future__ import annotations

import numpy as np

from tinytracker.codegen.graph import Int8s, Int32s
from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel

_FULL_INTEGER = "a representative_dataset and OpsSet.TFLITE_BUILTINS_INT8"
_WAYS_OUT = {
    "float32": f"Quantize the network to int8: tf.lite.TFLiteConverter with Optimize.DEFAULT, {_FULL_INTEGER}",
    "uint8": "This is TensorFlow 1's quantization. Convert the float network again with full-integer quantization "
    f"of TensorFlow 2 ({_FULL_INTEGER}), which gives int8",
    "int16": "Quantize the network with 8-bit activations (OpsSet.TFLITE_BUILTINS_INT8)",
}
"""The fix for a tensor of this type where int8 is needed."""


def refuse(operator: Operator, tensor: Tensor | None, reason: str, hint: str = "") -> ModelError:
    """Return the error to raise: operator, tensor and reason in one sentence."""
    about = f", {tensor.label}" if tensor is not None else ""
    return ModelError(f"{operator.label}{about}: {reason}.", hint)


def operand(model: TfliteModel, operator: Operator, position: int) -> Tensor:
    """Return input `position` of the operator, which must exist."""
    if position >= len(operator.inputs) or operator.inputs[position] < 0:
        raise refuse(operator, None, f"input {position} is missing")
    return model.tensors[operator.inputs[position]]


def optional_operand(model: TfliteModel, operator: Operator, position: int) -> Tensor | None:
    """Return input `position`, or None when it is omitted."""
    if position >= len(operator.inputs) or operator.inputs[position] < 0:
        return None
    return model.tensors[operator.inputs[position]]


def result(model: TfliteModel, operator: Operator) -> Tensor:
    """Return the only output of the operator."""
    if len(operator.outputs) != 1:
        raise refuse(operator, None, f"has {len(operator.outputs)} outputs; 1 is expected")
    return model.tensors[operator.outputs[0]]


def require_static(operator: Operator, *tensors: Tensor) -> None:
    """Refuse shapes that are known only at run time, and empty tensors."""
    for tensor in tensors:
        if tensor.is_dynamic:
            raise refuse(
                operator, tensor, f"has the dynamic shape {list(tensor.shape_signature)}",
                "Export the model with a fixed input size",
            )  # fmt: skip
        if tensor.elements == 0:
            raise refuse(operator, tensor, "is empty")


def require_dtype(operator: Operator, tensor: Tensor, *dtypes: str) -> None:
    """Refuse element types other than these."""
    if tensor.dtype not in dtypes:
        raise refuse(
            operator, tensor, f"is {tensor.dtype}; only {' or '.join(dtypes)} is supported",
            _WAYS_OUT.get(tensor.dtype, "") if "int8" in dtypes else "",
        )  # fmt: skip


def require_int8(operator: Operator, *tensors: Tensor) -> None:
    """Accept only static int8 tensors with one positive scale and a zero point in range."""
    for tensor in tensors:
        require_dtype(operator, tensor, "int8")
        require_quantized(operator, tensor)


def require_quantized(operator: Operator, *tensors: Tensor) -> None:
    """Refuse 8-bit tensors without one positive scale or with a zero point that the type cannot hold."""
    for tensor in tensors:
        require_static(operator, tensor)
        if len(tensor.scales) != 1 or tensor.scales[0] <= 0:
            found = (
                f"the scale {tensor.scales[0]:g}"
                if len(tensor.scales) == 1
                else f"{len(tensor.scales)} scales"
            )
            raise refuse(
                operator, tensor, f"has {found}; one positive scale is needed",
                "Quantize the model again, with calibration frames for which this tensor is not constant.",
            )  # fmt: skip
        low, high = (0, 255) if tensor.dtype == "uint8" else (-128, 127)
        if not low <= tensor.zero_points[0] <= high:
            raise refuse(
                operator, tensor, f"has zero point {tensor.zero_points[0]}, which is outside [{low}, {high}]"
            )


def require_same_quantization(operator: Operator, first: Tensor, second: Tensor) -> None:
    """Refuse operators that only move values when their input and output are quantized differently."""
    if first.scales != second.scales or first.zero_points != second.zero_points:
        raise refuse(
            operator, first,
            f"has scale {first.scale:g} and zero point {first.zero_point}, but the output has {second.scale:g} and "
            f"{second.zero_point}; they must be equal",
        )  # fmt: skip


def require_rank(operator: Operator, tensor: Tensor, rank: int) -> None:
    """Refuse tensors of another rank."""
    if len(tensor.shape) != rank:
        raise refuse(operator, tensor, f"has {len(tensor.shape)} dimensions; {rank} are expected")


def int8_weights(operator: Operator, tensor: Tensor, channel_axis: int) -> Int8s:
    """Return constant symmetric int8 weights, quantized per tensor or per channel along `channel_axis`."""
    require_dtype(operator, tensor, "int8")
    if tensor.data is None:
        raise refuse(operator, tensor, "holds weights computed at run time; only constants are supported")
    if tensor.elements == 0:
        raise refuse(operator, tensor, "is empty")
    if not tensor.scales or any(
        s < 0 for s in tensor.scales
    ):  # a dead channel has scale 0: its output is constant
        raise refuse(operator, tensor, "has no scale")
    if any(tensor.zero_points):
        raise refuse(operator, tensor, "has weights with a zero point other than 0")
    if len(tensor.scales) > 1 and tensor.quantized_dimension != channel_axis:
        raise refuse(
            operator, tensor,
            f"is quantized along axis {tensor.quantized_dimension}; only axis {channel_axis} is supported",
        )  # fmt: skip
    return np.asarray(tensor.data, np.int8)


def int32_bias(operator: Operator, tensor: Tensor | None, channels: int) -> Int32s:
    """Return the constant int32 bias; zeros when it is omitted."""
    if tensor is None:
        return np.zeros(channels, np.int32)
    require_dtype(operator, tensor, "int32")
    if tensor.data is None:
        raise refuse(operator, tensor, "is a bias computed at run time; only a constant bias is supported")
    if tensor.elements != channels:
        raise refuse(
            operator, tensor, f"is a bias for {tensor.elements} channels, but the weights have {channels}"
        )
    return np.asarray(tensor.data, np.int32).reshape(channels)


def constant_ints(operator: Operator, tensor: Tensor) -> tuple[int, ...]:
    """Return the contents of a small constant integer tensor (axes, paddings), flattened."""
    require_dtype(operator, tensor, "int32", "int64")
    if tensor.data is None:
        raise refuse(operator, tensor, "is computed at run time; only a constant is supported")
    return tuple(int(v) for v in np.asarray(tensor.data).reshape(-1))
