"""Explains why an interpreter refuses a model or would end the whole process on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel

# Operators whose kernels require one fixed scale and zero point of the output. Source: TensorFlow Lite's 8-bit
# quantization specification.
_FIXED: dict[tuple[str, str], tuple[float, int]] = {
    ("LOGISTIC", "int8"): (1 / 256, -128), ("LOGISTIC", "uint8"): (1 / 256, 0),
    ("SOFTMAX", "int8"): (1 / 256, -128), ("SOFTMAX", "uint8"): (1 / 256, 0),
    ("TANH", "int8"): (1 / 128, 0), ("TANH", "uint8"): (1 / 128, 128),
}  # fmt: skip

# kScaledDiffIntegerBits is 5, so the input of SOFTMAX is multiplied by beta * scale * 2^26, which must exceed 1
# (tensorflow/lite/kernels/internal/quantization_util.cc, PreprocessSoftmaxScaling).
_SOFTMAX_FACTOR = 1 << 26

# The sum of ADD and SUB is multiplied by 2 * max(scales) / (2^shift * output scale), which must be between 0 and 1
# (tensorflow/lite/kernels/add.cc; the shift is 15 for 16-bit tensors).
_SUM_SHIFT = {"int8": 20, "uint8": 20, "int16": 15}

REQUANTIZE = "Quantize the model again with a calibration set that activates every layer."


def refuse_fatal(model: TfliteModel) -> None:
    """Reject a model on which TensorFlow Lite would end this process instead of raising an error.

    Raises:
        ModelError: names the operator and its scale.
    """
    reason = fatal_scale(model)
    if reason:
        raise ModelError(f"TensorFlow Lite aborts on this model: {reason}", REQUANTIZE)


def fatal_scale(model: TfliteModel) -> str:
    """Describe the first operator whose scales neither TensorFlow Lite nor TFLM can compute with; "" if none."""
    return next(_fatal(model), "")


def _fatal(model: TfliteModel) -> Iterator[str]:
    for operator in model.operators:
        tensors = [model.tensors[i] for i in operator.inputs if i >= 0]
        outputs = [model.tensors[i] for i in operator.outputs]
        if not tensors or not outputs or outputs[0].dtype not in _SUM_SHIFT:
            continue
        scale = _scale(tensors[0])
        if operator.name == "SOFTMAX":
            factor = _beta(operator) * scale * _SOFTMAX_FACTOR
            if factor <= 1:
                yield (
                    f"{operator.label} has an input scale of {scale:g} and a beta of {_beta(operator):g}; their "
                    f"product must be more than {1 / _SOFTMAX_FACTOR:.2g}. The layer before it is most likely dead."
                )
        elif operator.name in ("ADD", "SUB") and len(tensors) == 2:
            scales = [scale, _scale(tensors[1])]
            out = _scale(outputs[0])
            limit = max(scales) / (1 << (_SUM_SHIFT[outputs[0].dtype] - 1))
            if min(scales) <= 0 or out <= limit:
                yield (
                    f"{operator.label} has input scales of {scales[0]:g} and {scales[1]:g} and an output scale of "
                    f"{out:g}; the first two must not be 0, and the third must be more than {limit:.2g}."
                )


def _scale(tensor: Tensor) -> float:
    return tensor.scales[0] if tensor.scales else 0.0


def _beta(operator: Operator) -> float:
    value: Any = operator.options.get("beta", 0.0)
    return float(value)


def explain_refusal(model: TfliteModel, text: str) -> tuple[str, str]:
    """Return a sentence that explains a kernel's message about a refused model, and how to fix it.

    Args:
        model: the refused model.
        text: the interpreter's message.
    """
    for operator in model.operators:
        output = model.tensors[operator.outputs[0]] if operator.outputs else None
        if output is None or len(output.scales) != 1 or operator.name not in text:
            continue
        scale, zero_point = _FIXED.get((operator.name, output.dtype), (output.scale, output.zero_point))
        if (output.scale, output.zero_point) != (scale, zero_point):
            return (
                f"{operator.label} writes {output.label} with scale {output.scale:g} and zero point "
                f"{output.zero_point}; its kernel requires scale 1/{round(1 / scale)} and zero point {zero_point}.",
                "Convert the model with TensorFlow's own quantizer, which sets these.",
            )
    reason = " ".join(text.replace("true.Node", "true. Node").split())
    return reason if reason.endswith(".") else f"{reason}.", (
        "Use operators, versions and dtypes of TensorFlow 2.15; `tinytracker info` lists those of the model."
    )
