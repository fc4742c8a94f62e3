"""TFLM's resolver method for each operator that a model can hold."""

from __future__ import annotations

from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import TfliteModel

# Source: MicroMutableOpResolver in tflite-micro, tensorflow/lite/micro/micro_mutable_op_resolver.h.
_METHODS = {
    "ABS": "Abs", "ADD": "Add", "AVERAGE_POOL_2D": "AveragePool2D", "CONCATENATION": "Concatenation",
    "CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D", "DEQUANTIZE": "Dequantize",
    "FULLY_CONNECTED": "FullyConnected", "HARD_SWISH": "HardSwish", "LEAKY_RELU": "LeakyRelu",
    "LOGISTIC": "Logistic", "MAX_POOL_2D": "MaxPool2D", "MAXIMUM": "Maximum", "MEAN": "Mean",
    "MINIMUM": "Minimum", "MUL": "Mul", "PAD": "Pad", "PADV2": "PadV2", "PRELU": "Prelu",
    "QUANTIZE": "Quantize", "RELU": "Relu", "RELU6": "Relu6", "RESHAPE": "Reshape",
    "RESIZE_BILINEAR": "ResizeBilinear", "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighbor", "SLICE": "Slice",
    "SOFTMAX": "Softmax", "SPLIT": "Split", "SPLIT_V": "SplitV", "SQUEEZE": "Squeeze",
    "STRIDED_SLICE": "StridedSlice", "SUB": "Sub", "SUM": "Sum", "SVDF": "Svdf", "TANH": "Tanh",
    "TRANSPOSE": "Transpose", "TRANSPOSE_CONV": "TransposeConv",
}  # fmt: skip


def resolver_methods(model: TfliteModel) -> dict[str, str]:
    """`{"CONV_2D": "Conv2D", ...}`: each operator of the model, sorted, with the X of its `AddX()`.

    Raises:
        ModelError: TFLM has no such operator.
    """
    names = sorted({o.name for o in model.operators})
    unknown = [n for n in names if n not in _METHODS]
    if unknown:
        raise ModelError(
            f"{model.source}: operator {unknown[0]} cannot be registered with TFLM's resolver.",
            f"Use only: {', '.join(sorted(_METHODS))}.",
        )
    return {n: _METHODS[n] for n in names}
