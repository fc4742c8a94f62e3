"""Operators that compute with values, from a .tflite network to ONNX: pooling, sums, products, functions."""

from __future__ import annotations

import numpy as np

from tinytracker.codegen.graph import (
    Add,
    DequantizeFloat,
    Lookup,
    Mean,
    Mul,
    Node,
    Pool,
    QuantizeFloat,
    Requantization,
    Softmax,
)
from tinytracker.codegen.graph_values import Pairwise, QuantizedPair
from tinytracker.errors import ModelError
from tinytracker.hosts.onnx_values import CODES, TO_NCHW, TO_NHWC, Values, pads

_FUNCTIONS = {"TANH": "Tanh", "LOGISTIC": "Sigmoid", "RELU": "Relu", "LEAKY_RELU": "LeakyRelu"}


def pool(values: Values, node: Pool) -> None:
    """AVERAGE_POOL_2D and MAX_POOL_2D over the positions inside the image."""
    window = node.window
    value = values.onnx.node(
        "MaxPool" if node.is_max else "AveragePool",
        [values.real(node.inputs[0])],
        kernel_shape=(window.kernel_h, window.kernel_w),
        strides=(window.stride_h, window.stride_w),
        pads=pads(window),
    )
    low, high = CODES[node.output.dtype]
    if node.act_min > low or node.act_max < high:
        value = values.clamped(value, node.output, node.act_min, node.act_max)
    values.quantized(value, node.output)


def mean(values: Values, node: Mean) -> None:
    """MEAN; over height and width it is a global pooling, for which runtimes have integer kernels."""
    source, output = node.inputs[0], node.output
    real = values.real(source)
    if len(source.shape) == 4 and node.reduced[1:] == (True, True, False):
        value = values.onnx.node("GlobalAveragePool", [real])
    else:
        offset = 4 - len(source.shape)
        axes = [i - offset for i, reduced in enumerate(node.reduced) if reduced and i >= offset]
        where = [TO_NCHW.index(axis) for axis in axes] if len(source.shape) == 4 else axes
        value = values.onnx.node("ReduceMean", [real], axes=sorted(where), keepdims=1)
    codes = values.onnx.node("QuantizeLinear", [value, *values.scale(output)])
    if len(source.shape) == 4:
        codes = values.onnx.node("Transpose", [codes], perm=TO_NHWC)
    values.from_outer(codes, output)


def add(values: Values, node: Add) -> None:
    """ADD."""
    _pair(values, "Add", node, Requantization((), (), node.zero_point, node.act_min, node.act_max))


def mul(values: Values, node: Mul) -> None:
    """MUL."""
    _pair(values, "Mul", node, node.requantization)


def quantized_pair(values: Values, node: QuantizedPair) -> None:
    """SUB and PRELU."""
    operator = "Sub" if node.function == "subtract" else "PRelu"
    _pair(values, operator, node, Requantization((), (), node.zero_point, node.act_min, node.act_max))


def _pair(values: Values, operator: str, node: Node, limits: Requantization) -> None:
    rank = len(node.output.shape)
    value = values.onnx.node(operator, [values.real(tensor, rank) for tensor in node.inputs])
    values.quantized(value, node.output, limits)


def pairwise(values: Values, node: Pairwise) -> None:
    """MAXIMUM and MINIMUM of codes; other pairs are not 8-bit."""
    if node.function not in ("maximum", "minimum") or node.output.dtype not in CODES:
        raise ModelError(
            f"{node.operator.label} on {node.output.dtype} cannot be written as ONNX.",
            "Use the runtime tflite for this network.",
        )
    _pair(
        values,
        {"maximum": "Max", "minimum": "Min"}[node.function],
        node,
        Requantization((), (), node.output.zero_point, *CODES[node.output.dtype]),
    )


def lookup(values: Values, node: Lookup) -> None:
    """A function of one value: TANH, LOGISTIC, RELU and their relatives, or another scale (QUANTIZE)."""
    operator, output = node.operator, node.output
    value = values.real(node.inputs[0])
    if operator.name == "LEAKY_RELU":
        value = values.onnx.node("LeakyRelu", [value], alpha=float(operator.option("alpha")))  # type: ignore[arg-type]
    elif operator.name in _FUNCTIONS:
        value = values.onnx.node(_FUNCTIONS[operator.name], [value])
    elif operator.name in ("RELU6", "RELU_N1_TO_1"):
        low, high = (0.0, 6.0) if operator.name == "RELU6" else (-1.0, 1.0)
        ends = [values.onnx.constant(f"clip_{x:g}", np.array(x, np.float32)) for x in (low, high)]
        value = values.onnx.node("Clip", [value, *ends])
    values.quantized(value, output)


def softmax(values: Values, node: Softmax) -> None:
    """SOFTMAX over the last dimension."""
    source, output = node.inputs[0], node.output
    value = values.real(source)
    beta = float(node.operator.option("beta"))  # type: ignore[arg-type]
    if beta != 1.0:
        factor = values.onnx.constant(f"beta{node.operator.index}", np.array(beta, np.float32))
        value = values.onnx.node("Mul", [value, factor])
    axis = 1 if len(source.shape) == 4 else len(source.shape) - 1
    values.quantized(values.onnx.node("Softmax", [value], axis=axis), output)


def quantize(values: Values, node: QuantizeFloat) -> None:
    """QUANTIZE from float32."""
    values.quantized(values.code(node.inputs[0]), node.output)


def dequantize(values: Values, node: DequantizeFloat) -> None:
    """DEQUANTIZE to float32."""
    values.keep(node.output, values.dequantized(values.code(node.inputs[0]), node.inputs[0]))
