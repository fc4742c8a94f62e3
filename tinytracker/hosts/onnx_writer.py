"""Writes an INT8 .tflite network as ONNX with QuantizeLinear and DequantizeLinear (QDQ).

Every tensor of the .tflite file keeps its scale and zero point, so the file computes what the network's integers stand
for; a runtime is free to fuse the pairs into integer kernels. What remains different is rounding: TFLite multiplies
sums by integers, ONNX's runtimes by float32, so that single codes differ by a step. `tinytracker parity` counts them.

Inputs and outputs are those of the .tflite file: same order, dtype and NHWC shape. Inside, images are NCHW.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    Slice,
    Softmax,
)
from tinytracker.codegen.graph_moves import ResizeNearest, StridedCopy
from tinytracker.codegen.graph_values import Pairwise, QuantizedPair
from tinytracker.codegen.importer import import_graph
from tinytracker.errors import ModelError
from tinytracker.hosts import onnx_arithmetic, onnx_moves, onnx_weighted
from tinytracker.hosts.onnx_graph import OnnxGraph
from tinytracker.hosts.onnx_values import Values
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import Tensor


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
    onnx = OnnxGraph("network", {"source_sha256": graph.model.sha256})
    values = Values(onnx, graph.model.tensors)
    names = _io_names(graph)
    for tensor in graph.inputs:
        name = onnx.input(names[tensor.index], tensor.dtype, tensor.shape)
        values.keep(tensor, values.inner(name, tensor))
    for node in graph.nodes:
        write = _WRITERS.get(type(node))
        if write is None:
            known = ", ".join(sorted(kind.__name__ for kind in _WRITERS))
            raise ModelError(
                f"{node.operator.label} cannot be written as ONNX.",
                f"Use the runtime tflite for this network. ONNX takes: {known}.",
            )
        write(values, node)
    _write_outputs(graph, values, names)
    return onnx.encode(__version__)


def _write_outputs(graph: Graph, values: Values, names: dict[int, str]) -> None:
    """Declare the outputs. One that is also an input, or listed twice, still needs a value of its own."""
    taken = {names[tensor.index] for tensor in graph.inputs}
    for number, tensor in enumerate(graph.outputs):
        outer = values.outer(tensor)
        name = names.get(tensor.index) or f"output_{number}"
        name = name if name != outer and name not in taken else f"{name}_output"
        taken.add(values.onnx.node("Identity", [outer], name))
        values.onnx.output(name, tensor.dtype, tensor.shape)


def _io_names(graph: Graph) -> dict[int, str]:
    """Return names of the file's inputs and outputs by tensor, all different."""
    names: dict[int, str] = {}
    for tensor in (*graph.inputs, *graph.outputs):
        name = _clean(tensor)
        while name in names.values():
            name = f"{name}_{tensor.index}"
        names[tensor.index] = name
    return names


def _clean(tensor: Tensor) -> str:
    """Return a tensor's name as ONNX files and their readers take it."""
    return tensor.name.split(":")[0].removeprefix("serving_default_") or "tensor"


_WRITERS: dict[type[Node], Callable[[Values, Any], None]] = {
    Add: onnx_arithmetic.add,
    Alias: onnx_moves.alias,
    Concat: onnx_moves.concat,
    Conv: onnx_weighted.conv,
    DepthwiseConv: onnx_weighted.depthwise,
    DequantizeFloat: onnx_arithmetic.dequantize,
    FullyConnected: onnx_weighted.fully_connected,
    Lookup: onnx_arithmetic.lookup,
    Mean: onnx_arithmetic.mean,
    Mul: onnx_arithmetic.mul,
    Pad: onnx_moves.pad,
    Pairwise: onnx_arithmetic.pairwise,
    Pool: onnx_arithmetic.pool,
    QuantizeFloat: onnx_arithmetic.quantize,
    QuantizedPair: onnx_arithmetic.quantized_pair,
    ResizeNearest: onnx_moves.nearest,
    Slice: onnx_moves.part,
    Softmax: onnx_arithmetic.softmax,
    StridedCopy: onnx_moves.strided,
}
"""What writes each kind of node."""
