"""Operators with weights, from a .tflite network to ONNX: convolutions and dense layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen.graph import Conv, DepthwiseConv, FullyConnected
from tinytracker.hosts.onnx_values import Values, pads


def _weights(values: Values, node: Conv | DepthwiseConv | FullyConnected, weights: NDArray[Any]) -> list[str]:
    """Dequantized weights (output channels first) and bias."""
    index = node.operator.index
    filters = values.tensors[node.operator.inputs[1]]
    scales = np.array(filters.scales, np.float32)
    per_channel = len(scales) > 1
    scale = scales if per_channel else scales[0]
    zeros = np.zeros(scale.shape, np.int8)
    # The bias is stored with the product of the two scales, rounded to float32 as in the .tflite file.
    product = np.asarray(np.float64(node.inputs[0].scale) * np.asarray(scale, np.float64), np.float32)
    axis: dict[str, Any] = {"axis": 0} if per_channel else {}
    onnx = values.onnx
    kernel = onnx.node(
        "DequantizeLinear",
        [
            onnx.constant(f"w{index}", weights),
            onnx.constant(f"ws{index}", np.asarray(scale)),
            onnx.constant(f"wz{index}", zeros),
        ],
        **axis,
    )
    bias = onnx.node(
        "DequantizeLinear",
        [onnx.constant(f"b{index}", node.bias.astype(np.int32)), onnx.constant(f"bs{index}", product)],
        **axis,
    )
    return [kernel, bias]


def conv(values: Values, node: Conv) -> None:
    """CONV_2D."""
    _convolved(values, node, node.weights.transpose(0, 3, 1, 2), node.groups)


def depthwise(values: Values, node: DepthwiseConv) -> None:
    """DEPTHWISE_CONV_2D: as many groups as input channels."""
    _convolved(values, node, node.weights.transpose(3, 0, 1, 2), node.window.in_c)


def _convolved(values: Values, node: Conv | DepthwiseConv, weights: NDArray[Any], groups: int) -> None:
    window = node.window
    value = values.onnx.node(
        "Conv",
        [values.real(node.inputs[0]), *_weights(values, node, weights)],
        group=groups,
        kernel_shape=(window.kernel_h, window.kernel_w),
        strides=(window.stride_h, window.stride_w),
        dilations=(window.dilation_h, window.dilation_w),
        pads=pads(window),
    )
    values.quantized(value, node.output, node.requantization)


def fully_connected(values: Values, node: FullyConnected) -> None:
    """FULLY_CONNECTED, as a convolution of one position (decision 168)."""
    source, output = node.inputs[0], node.output
    units, features = node.weights.shape
    column = values.reshaped(values.outer(source), (node.batches, features, 1, 1))
    real = values.dequantized(column, source)
    weights = _weights(values, node, node.weights.reshape(units, features, 1, 1))
    value = values.onnx.node("Conv", [real, *weights], kernel_shape=(1, 1))
    values.from_outer(values.rounded(value, output, node.requantization), output)
