"""Writes an INT8 .tflite network as ONNX with QuantizeLinear and DequantizeLinear (QDQ).

Every tensor of the .tflite file keeps its scale and zero point, so the file computes what the network's integers stand
for; a runtime is free to fuse the pairs into integer kernels. What remains different is rounding: TFLite multiplies
sums by integers, ONNX's runtimes by float32, so that single codes differ by a step. `tinytracker parity` counts them.

Inputs and outputs are those of the .tflite file: same order, dtype and NHWC shape. Inside, images are NCHW.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinytracker import __version__
from tinytracker.codegen.graph import (
    Add,
    Alias,
    Concat,
    Conv,
    DepthwiseConv,
    DequantizeFloat,
    FullyConnected,
    Graph,
    Lookup,
    Mean,
    Mul,
    Node,
    Pad,
    Pool,
    QuantizeFloat,
    Requantization,
    Slice,
    Softmax,
    Window,
)
from tinytracker.codegen.graph_moves import ResizeNearest, StridedCopy
from tinytracker.codegen.graph_values import Pairwise, QuantizedPair
from tinytracker.codegen.importer import import_graph
from tinytracker.errors import ModelError
from tinytracker.hosts.moves import nearest_places, slice_places, strided_places
from tinytracker.hosts.onnx_graph import OnnxGraph
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import Tensor

_TO_NCHW, _TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
_NODE = TypeVar("_NODE", bound=Node)
_FUNCTIONS = {"TANH": "Tanh", "LOGISTIC": "Sigmoid", "RELU": "Relu", "LEAKY_RELU": "LeakyRelu"}
_CODES = {"int8": (-128, 127), "uint8": (0, 255)}


def to_onnx(model: bytes) -> bytes:
    """Return the ONNX file of an INT8 .tflite network; equal networks give equal bytes.

    Raises:
        InputFileError: the content is not a .tflite file.
        ModelError: an operator cannot be written; names it.

    Example:
        >>> from pathlib import Path
        >>> from tinytracker.hosts import to_onnx
        >>> content = to_onnx(Path("run/quantized/ptq-int8/model.tflite").read_bytes())
        >>> b"QuantizeLinear" in content
        True
    """
    graph = import_graph(read_tflite(model))
    written = _Writer(graph)
    return written.encode()


def _clean(name: str) -> str:
    """A tensor's name, as ONNX files and their readers take it."""
    return name.split(":")[0].removeprefix("serving_default_") or "tensor"


class _Writer:
    """Writes node after node; `_codes` has the ONNX value of each .tflite tensor, rank 4 as NCHW."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._onnx = OnnxGraph("network", {"source_sha256": graph.model.sha256})
        self._codes: dict[int, str] = {}
        self._reals: dict[int, str] = {}
        self._pads: dict[int, tuple[int, int, int, int]] = {}

    def encode(self) -> bytes:
        """Write everything."""
        names = self._io_names()
        for tensor in self._graph.inputs:
            name = self._onnx.input(names[tensor.index], tensor.dtype, tensor.shape)
            self._keep(tensor, self._inner(name, tensor))
        for node in self._graph.nodes:
            write = _WRITERS.get(type(node))
            if write is None:
                known = ", ".join(sorted(kind.__name__ for kind in _WRITERS))
                raise ModelError(
                    f"{node.operator.label} cannot be written as ONNX.",
                    f"Use the runtime tflite for this network. ONNX takes: {known}.",
                )
            write(self, node)
        for number, tensor in enumerate(self._graph.outputs):
            # An output that is also an input, or listed twice, still needs a value of its own.
            outer = self._outer(tensor)
            name = names.get(tensor.index) or f"output_{number}"
            name = name if name != outer and name not in self._taken else f"{name}_output"
            self._taken.add(self._onnx.node("Identity", [outer], name))
            self._onnx.output(name, tensor.dtype, tensor.shape)
        return self._onnx.encode(__version__)

    def _io_names(self) -> dict[int, str]:
        """Names of the file's inputs and outputs, all different."""
        self._taken: set[str] = set()
        names: dict[int, str] = {}
        for tensor in (*self._graph.inputs, *self._graph.outputs):
            base = name = _clean(tensor.name)
            while name in names.values():
                name = f"{base}_{tensor.index}"
                base = name
            names[tensor.index] = name
        self._taken.update(names[t.index] for t in self._graph.inputs)
        return names

    # Values

    def _keep(self, tensor: Tensor, value: str) -> None:
        self._codes[tensor.index] = value

    def _inner(self, value: str, tensor: Tensor) -> str:
        """NHWC as NCHW; anything but rank 4 as it is."""
        return value if len(tensor.shape) != 4 else self._onnx.node("Transpose", [value], perm=_TO_NCHW)

    def _outer(self, tensor: Tensor) -> str:
        """The tensor's codes in the order of the .tflite file."""
        value = self._code(tensor)
        return value if len(tensor.shape) != 4 else self._onnx.node("Transpose", [value], perm=_TO_NHWC)

    def _code(self, tensor: Tensor) -> str:
        if tensor.index in self._codes:
            return self._codes[tensor.index]
        if tensor.data is None:
            raise ModelError(f"{tensor.label} is used before it is computed.")
        values = np.asarray(tensor.data)
        if values.ndim == 4:
            values = values.transpose(_TO_NCHW)
        self._keep(tensor, self._onnx.constant(f"c{tensor.index}", values))
        return self._codes[tensor.index]

    def _scale(self, tensor: Tensor) -> list[str]:
        """Names of scale and zero point."""
        zero = np.array(tensor.zero_point, np.dtype(tensor.dtype))
        return [
            self._onnx.constant(f"s{tensor.index}", np.array(tensor.scale, np.float32)),
            self._onnx.constant(f"z{tensor.index}", zero),
        ]

    def _real(self, tensor: Tensor, rank: int | None = None) -> str:
        """The tensor's real values; a constant of lower rank with ones in front, for broadcasting in NCHW."""
        if tensor.index not in self._reals:
            self._reals[tensor.index] = self._dequantized(self._code(tensor), tensor)
        if rank is None or rank == len(tensor.shape):
            return self._reals[tensor.index]
        if rank != 4:
            return self._reals[tensor.index]
        shape = (1,) * (4 - len(tensor.shape)) + tensor.shape
        flat = self._reshaped(self._outer(tensor), shape)
        return self._dequantized(self._onnx.node("Transpose", [flat], perm=_TO_NCHW), tensor)

    def _dequantized(self, value: str, tensor: Tensor) -> str:
        return self._onnx.node("DequantizeLinear", [value, *self._scale(tensor)])

    def _quantized(self, value: str, tensor: Tensor, limits: Requantization | None = None) -> None:
        """Clamp reals to the fused activation, round them to codes, and keep them."""
        self._keep(tensor, self._rounded(value, tensor, limits))

    def _rounded(self, value: str, tensor: Tensor, limits: Requantization | None = None) -> str:
        """Codes of real values, clamped to the fused activation."""
        low, high = _CODES[tensor.dtype]
        if limits is not None and (limits.act_min > low or limits.act_max < high):
            value = self._clamped(value, tensor, limits.act_min, limits.act_max)
        return self._onnx.node("QuantizeLinear", [value, *self._scale(tensor)])

    def _clamped(self, value: str, tensor: Tensor, act_min: int, act_max: int) -> str:
        zero, scale = tensor.zero_point, tensor.scale
        if act_min == zero and act_max == _CODES[tensor.dtype][1]:
            return self._onnx.node("Relu", [value])
        ends = [
            self._onnx.constant(f"{name}{tensor.index}", np.array(scale * (code - zero), np.float32))
            for name, code in (("low", act_min), ("high", act_max))
        ]
        return self._onnx.node("Clip", [value, *ends])

    def _reshaped(self, value: str, shape: Sequence[int]) -> str:
        name = "shape_" + "x".join(map(str, shape))
        return self._onnx.node("Reshape", [value, self._onnx.constant(name, np.array(shape, np.int64))])

    def _from_outer(self, value: str, tensor: Tensor) -> None:
        """Keep codes that are in the file's order, in any shape."""
        self._keep(tensor, self._inner(self._reshaped(value, tensor.shape), tensor))

    def _gathered(self, source: Tensor, output: Tensor, places: NDArray[np.int64]) -> None:
        """Keep single codes of a tensor, by their places in the file's order."""
        flat = self._reshaped(self._outer(source), (source.elements,))
        where = self._onnx.constant(f"places{output.index}", places.reshape(-1))
        self._from_outer(self._onnx.node("Gather", [flat, where], axis=0), output)

    # Operators with weights

    def _weights(self, node: Conv | DepthwiseConv | FullyConnected, weights: NDArray[Any]) -> list[str]:
        """Dequantized weights (output channels first) and bias."""
        index = node.operator.index
        filters = self._graph.model.tensors[node.operator.inputs[1]]
        scales = np.array(filters.scales, np.float32)
        per_channel = len(scales) > 1
        scale = scales if per_channel else scales[0]
        zeros = np.zeros(scale.shape, np.int8)
        # The bias is stored with the product of the two scales, rounded to float32 as in the .tflite file.
        product = np.asarray(np.float64(node.inputs[0].scale) * np.asarray(scale, np.float64), np.float32)
        axis: dict[str, Any] = {"axis": 0} if per_channel else {}
        onnx = self._onnx
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

    def conv(self, node: Conv) -> None:
        """CONV_2D."""
        self._convolved(node, node.weights.transpose(0, 3, 1, 2), node.groups)

    def depthwise(self, node: DepthwiseConv) -> None:
        """DEPTHWISE_CONV_2D: as many groups as input channels."""
        self._convolved(node, node.weights.transpose(3, 0, 1, 2), node.window.in_c)

    def _convolved(self, node: Conv | DepthwiseConv, weights: NDArray[Any], groups: int) -> None:
        window = node.window
        value = self._onnx.node(
            "Conv",
            [self._real(node.inputs[0]), *self._weights(node, weights)],
            group=groups,
            kernel_shape=(window.kernel_h, window.kernel_w),
            strides=(window.stride_h, window.stride_w),
            dilations=(window.dilation_h, window.dilation_w),
            pads=_pads(window),
        )
        self._quantized(value, node.output, node.requantization)

    def fully_connected(self, node: FullyConnected) -> None:
        """FULLY_CONNECTED, as a convolution of one position (decision 168)."""
        source, output = node.inputs[0], node.output
        units, features = node.weights.shape
        column = self._reshaped(self._outer(source), (node.batches, features, 1, 1))
        real = self._dequantized(column, source)
        weights = self._weights(node, node.weights.reshape(units, features, 1, 1))
        value = self._onnx.node("Conv", [real, *weights], kernel_shape=(1, 1))
        self._from_outer(self._rounded(value, output, node.requantization), output)

    # Operators on values

    def pool(self, node: Pool) -> None:
        """AVERAGE_POOL_2D and MAX_POOL_2D over the positions inside the image."""
        window = node.window
        value = self._onnx.node(
            "MaxPool" if node.is_max else "AveragePool",
            [self._real(node.inputs[0])],
            kernel_shape=(window.kernel_h, window.kernel_w),
            strides=(window.stride_h, window.stride_w),
            pads=_pads(window),
        )
        low, high = _CODES[node.output.dtype]
        if node.act_min > low or node.act_max < high:
            value = self._clamped(value, node.output, node.act_min, node.act_max)
        self._quantized(value, node.output)

    def mean(self, node: Mean) -> None:
        """MEAN; over height and width it is a global pooling, for which runtimes have integer kernels."""
        source, output = node.inputs[0], node.output
        real = self._real(source)
        if len(source.shape) == 4 and node.reduced[1:] == (True, True, False):
            value = self._onnx.node("GlobalAveragePool", [real])
        else:
            offset = 4 - len(source.shape)
            axes = [i - offset for i, reduced in enumerate(node.reduced) if reduced and i >= offset]
            where = [_TO_NCHW.index(axis) for axis in axes] if len(source.shape) == 4 else axes
            value = self._onnx.node("ReduceMean", [real], axes=sorted(where), keepdims=1)
        codes = self._onnx.node("QuantizeLinear", [value, *self._scale(output)])
        if len(source.shape) == 4:
            codes = self._onnx.node("Transpose", [codes], perm=_TO_NHWC)
        self._from_outer(codes, output)

    def add(self, node: Add) -> None:
        """ADD."""
        self._pair("Add", node, Requantization((), (), node.zero_point, node.act_min, node.act_max))

    def mul(self, node: Mul) -> None:
        """MUL."""
        self._pair("Mul", node, node.requantization)

    def quantized_pair(self, node: QuantizedPair) -> None:
        """SUB and PRELU."""
        operator = "Sub" if node.function == "subtract" else "PRelu"
        self._pair(operator, node, Requantization((), (), node.zero_point, node.act_min, node.act_max))

    def _pair(self, operator: str, node: Node, limits: Requantization) -> None:
        rank = len(node.output.shape)
        value = self._onnx.node(operator, [self._real(tensor, rank) for tensor in node.inputs])
        self._quantized(value, node.output, limits)

    def pairwise(self, node: Pairwise) -> None:
        """MAXIMUM and MINIMUM of codes; other pairs are not 8-bit."""
        if node.function not in ("maximum", "minimum") or node.output.dtype not in _CODES:
            raise ModelError(
                f"{node.operator.label} on {node.output.dtype} cannot be written as ONNX.",
                "Use the runtime tflite for this network.",
            )
        self._pair(
            {"maximum": "Max", "minimum": "Min"}[node.function],
            node,
            Requantization((), (), node.output.zero_point, *_CODES[node.output.dtype]),
        )

    def lookup(self, node: Lookup) -> None:
        """A function of one value: TANH, LOGISTIC, RELU and their relatives, or another scale (QUANTIZE)."""
        operator, output = node.operator, node.output
        value = self._real(node.inputs[0])
        if operator.name == "LEAKY_RELU":
            value = self._onnx.node("LeakyRelu", [value], alpha=float(operator.option("alpha")))  # type: ignore[arg-type]
        elif operator.name in _FUNCTIONS:
            value = self._onnx.node(_FUNCTIONS[operator.name], [value])
        elif operator.name in ("RELU6", "RELU_N1_TO_1"):
            low, high = (0.0, 6.0) if operator.name == "RELU6" else (-1.0, 1.0)
            ends = [self._onnx.constant(f"clip_{x:g}", np.array(x, np.float32)) for x in (low, high)]
            value = self._onnx.node("Clip", [value, *ends])
        self._quantized(value, output)

    def softmax(self, node: Softmax) -> None:
        """SOFTMAX over the last dimension."""
        source, output = node.inputs[0], node.output
        value = self._real(source)
        beta = float(node.operator.option("beta"))  # type: ignore[arg-type]
        if beta != 1.0:
            factor = self._onnx.constant(f"beta{node.operator.index}", np.array(beta, np.float32))
            value = self._onnx.node("Mul", [value, factor])
        axis = 1 if len(source.shape) == 4 else len(source.shape) - 1
        self._quantized(self._onnx.node("Softmax", [value], axis=axis), output)

    def quantize(self, node: QuantizeFloat) -> None:
        """QUANTIZE from float32."""
        self._quantized(self._code(node.inputs[0]), node.output)

    def dequantize(self, node: DequantizeFloat) -> None:
        """DEQUANTIZE to float32."""
        self._keep(node.output, self._dequantized(self._code(node.inputs[0]), node.inputs[0]))

    # Operators that move codes

    def pad(self, node: Pad) -> None:
        """PAD; with the zero point it pads reals with 0, which runtimes can fuse into the next convolution."""
        source, output = node.inputs[0], node.output
        rank = len(output.shape)
        before = node.before[-rank:]
        after = [
            o - i - b for o, i, b in zip(node.out_shape[-rank:], node.in_shape[-rank:], before, strict=True)
        ]
        order = _TO_NCHW if rank == 4 else tuple(range(rank))
        amounts = [before[i] for i in order] + [after[i] for i in order]
        index = node.operator.index
        pads = self._onnx.constant(f"pads{index}", np.array(amounts, np.int64))
        fill = np.float32((node.fill - output.zero_point) * output.scale)
        value = self._onnx.constant(f"fill{index}", np.array(fill, np.float32))
        self._quantized(self._onnx.node("Pad", [self._real(source), pads, value]), output)

    def concat(self, node: Concat) -> None:
        """CONCATENATION and PACK of codes with equal scales."""
        output = node.output
        axis = node.operator.int_option("axis") % len(output.shape)
        if node.operator.name == "PACK":
            parts = [self._reshaped(self._outer(t), _with_one(t.shape, axis)) for t in node.inputs]
            self._from_outer(self._onnx.node("Concat", parts, axis=axis), output)
            return
        where = _TO_NCHW.index(axis) if len(output.shape) == 4 else axis
        value = self._onnx.node("Concat", [self._real(t) for t in node.inputs], axis=where)
        self._quantized(value, output)

    def alias(self, node: Alias) -> None:
        """RESHAPE and its relatives."""
        source, output = node.inputs[0], node.output
        if len(source.shape) == len(output.shape) == 4 and source.shape == output.shape:
            self._keep(output, self._code(source))
        else:
            self._from_outer(self._outer(source), output)

    def strided(self, node: StridedCopy) -> None:
        """TRANSPOSE, SLICE, STRIDED_SLICE."""
        self._gathered(node.inputs[0], node.output, strided_places(node))

    def slice(self, node: Slice) -> None:
        """One output of SPLIT or UNPACK."""
        self._gathered(node.inputs[0], node.output, slice_places(node))

    def nearest(self, node: ResizeNearest) -> None:
        """RESIZE_NEAREST_NEIGHBOR."""
        self._gathered(node.inputs[0], node.output, nearest_places(node))


def _pads(window: Window) -> tuple[int, int, int, int]:
    """Rows and columns around the image: top, left, bottom, right."""

    def after(size: int, out: int, kernel: int, stride: int, dilation: int, before: int) -> int:
        return max((out - 1) * stride + (kernel - 1) * dilation + 1 - size - before, 0)

    w = window
    bottom = after(w.in_h, w.out_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top)
    right = after(w.in_w, w.out_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left)
    return w.pad_top, w.pad_left, bottom, right


def _with_one(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], 1, *shape[axis:])


_WRITERS: dict[type[Node], Callable[[_Writer, Any], None]] = {
    Add: _Writer.add,
    Alias: _Writer.alias,
    Concat: _Writer.concat,
    Conv: _Writer.conv,
    DepthwiseConv: _Writer.depthwise,
    DequantizeFloat: _Writer.dequantize,
    FullyConnected: _Writer.fully_connected,
    Lookup: _Writer.lookup,
    Mean: _Writer.mean,
    Mul: _Writer.mul,
    Pad: _Writer.pad,
    Pairwise: _Writer.pairwise,
    Pool: _Writer.pool,
    QuantizeFloat: _Writer.quantize,
    QuantizedPair: _Writer.quantized_pair,
    ResizeNearest: _Writer.nearest,
    Slice: _Writer.slice,
    Softmax: _Writer.softmax,
    StridedCopy: _Writer.strided,
}
