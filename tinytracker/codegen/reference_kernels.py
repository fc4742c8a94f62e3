"""The portable kernels: one per kind of node, always applicable, the specification of every faster one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinytracker.codegen.cwriter import c_float, c_int, c_ints, c_members
from tinytracker.codegen.graph import (
    Add,
    Alias,
    Concat,
    Conv,
    DepthwiseConv,
    DequantizeFloat,
    FullyConnected,
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
)
from tinytracker.codegen.graph_moves import GatherNd, ResizeBilinear, ResizeNearest, StridedCopy
from tinytracker.codegen.graph_recurrent import Lstm, Svdf
from tinytracker.codegen.graph_values import ArgExtreme, Cast, Pairwise, QuantizedPair, SquareRoot
from tinytracker.codegen.import_elementwise import broadcast_shape
from tinytracker.codegen.kernel import Kernel, LayerCode, OrderedKernels
from tinytracker.codegen.write_moves import (
    write_copy,
    write_gather_nd,
    write_resize_bilinear,
    write_resize_nearest,
)
from tinytracker.codegen.write_recurrent import write_lstm, write_svdf
from tinytracker.codegen.write_values import (
    write_arg_extreme,
    write_cast,
    write_pair,
    write_quantized_pair,
    write_sqrt,
)

_WIDE_SOFTMAX = 512  # with this many classes the sum of the exponentials may be too large for tt_softmax


@dataclass(frozen=True)
class ReferenceKernel:
    """A portable kernel for one type of node."""

    name: str
    node_type: type[Node]
    writer: Callable[[Any, LayerCode], None]

    def accepts(self, node: Node) -> bool:
        """Return True for every node of this type, whatever its shape."""
        return isinstance(node, self.node_type)

    def scratch_bytes(self, node: Node) -> int:
        """Return 0: portable kernels need no working memory."""
        return 0

    def emit(self, node: Node, code: LayerCode) -> None:
        """Write the constants and the call."""
        code.sources.update(("tt_kernels.h", "tt_requantize.h"))
        self.writer(node, code)


def _scales(code: LayerCode, scales: Requantization) -> dict[str, str]:
    return {
        "multipliers": code.array("multipliers", np.array(scales.multipliers, np.int32)),
        "shifts": code.array("shifts", np.array(scales.shifts, np.int8)),
    }


def _limits(scales: Requantization) -> dict[str, str]:
    return {
        "out_zero": c_int(scales.zero_point),
        "act_min": c_int(scales.act_min),
        "act_max": c_int(scales.act_max),
    }


def _write_convolution(node: Conv | DepthwiseConv, code: LayerCode, function: str, depth: int) -> None:
    fields = {
        "window": c_members(asdict(node.window)),
        "depth": c_int(depth),
        "in_zero": c_int(node.input_zero_point),
        **_limits(node.requantization),
        "weights": code.array("weights", node.weights),
        "bias": code.array("bias", node.bias),
        **_scales(code, node.requantization),
    }
    parameters = code.structure("tt_conv_t", fields)
    code.sources.add(f"{function}.c")
    code.call(function, parameters, code.read(node.inputs[0]), code.write(node.output))


def _write_conv(node: Conv, code: LayerCode) -> None:
    _write_convolution(node, code, "tt_conv2d", int(node.weights.shape[3]))


def _write_depthwise(node: DepthwiseConv, code: LayerCode) -> None:
    _write_convolution(node, code, "tt_depthwise", node.depth_multiplier)


def _write_dense(node: FullyConnected, code: LayerCode) -> None:
    units, features = node.weights.shape
    fields = {
        "batches": c_int(node.batches),
        "features": c_int(features),
        "units": c_int(units),
        "scales": c_int(len(node.requantization.multipliers)),
        "in_zero": c_int(node.input_zero_point),
        **_limits(node.requantization),
        "weights": code.array("weights", node.weights),
        "bias": code.array("bias", node.bias),
        **_scales(code, node.requantization),
    }
    parameters = code.structure("tt_dense_t", fields)
    code.sources.add("tt_dense.c")
    code.call("tt_dense", parameters, code.read(node.inputs[0]), code.write(node.output))


def _write_pool(node: Pool, code: LayerCode) -> None:
    fields = {
        "window": c_members(asdict(node.window)),
        "act_min": c_int(node.act_min),
        "act_max": c_int(node.act_max),
    }
    parameters = code.structure("tt_pool_t", fields)
    code.sources.add("tt_pool.c")
    function = "tt_max_pool" if node.is_max else "tt_average_pool"
    code.call(function, parameters, code.read(node.inputs[0]), code.write(node.output))


def dense_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the elements between neighbours along each dimension of a dense tensor."""
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))


def _write_binary(
    node: Add | Mul, code: LayerCode, function: str, scales: dict[str, str], limits: dict[str, str]
) -> None:
    if node.inputs[0].shape == node.inputs[1].shape:
        shape: tuple[int, ...] = (1, 1, 1, node.output.elements)  # any rank; one long row is fastest
        strides: list[tuple[int, ...]] = [(0, 0, 0, 1), (0, 0, 0, 1)]
    else:
        shape = broadcast_shape(node.output.shape)
        strides = [
            tuple(0 if n == 1 else s for n, s in zip(sizes, dense_strides(sizes), strict=True))
            for sizes in (broadcast_shape(t.shape) for t in node.inputs)
        ]
    fields = {
        "shape": c_ints(shape),
        "strides_a": c_ints(strides[0]),
        "strides_b": c_ints(strides[1]),
        "offset_a": c_int(node.offsets[0]),
        "offset_b": c_int(node.offsets[1]),
        **scales,
        **limits,
    }
    parameters = code.structure("tt_binary_t", fields)
    code.sources.add("tt_binary.c")
    sources = [code.read(tensor, f"input_{i}") for i, tensor in enumerate(node.inputs)]
    code.call(function, parameters, *sources, code.write(node.output))


def _write_add(node: Add, code: LayerCode) -> None:
    scales = {
        f"{kind}{suffix}": c_int(values[i])
        for i, suffix in enumerate(("_a", "_b", ""))
        for kind, values in (("multiplier", node.multipliers), ("shift", node.shifts))
    }
    limits = {
        "out_zero": c_int(node.zero_point),
        "act_min": c_int(node.act_min),
        "act_max": c_int(node.act_max),
    }
    _write_binary(node, code, "tt_add", scales, limits)


def _write_mul(node: Mul, code: LayerCode) -> None:
    scales = node.requantization
    factor = {"multiplier": c_int(scales.multipliers[0]), "shift": c_int(scales.shifts[0])}
    _write_binary(node, code, "tt_mul", factor, _limits(scales))


def _write_pad(node: Pad, code: LayerCode) -> None:
    fields = {
        "in_shape": c_ints(node.in_shape),
        "out_shape": c_ints(node.out_shape),
        "before": c_ints(node.before),
        "fill": c_int(node.fill),
    }
    parameters = code.structure("tt_pad_t", fields)
    code.sources.add("tt_move.c")
    code.call("tt_pad", parameters, code.read(node.inputs[0]), code.write(node.output))


def _write_concat(node: Concat, code: LayerCode) -> None:
    code.sources.add("tt_move.c")
    start = 0
    for i, (tensor, chunk) in enumerate(zip(node.inputs, node.chunks, strict=True)):
        source, target = code.read_bytes(tensor, f"input_{i}"), code.write(node.output, c_name="int8_t")
        place = f"{target} + {start}" if start else target
        code.call("tt_concat", node.outer, chunk, sum(node.chunks), source, place)
        start += chunk


def _write_slice(node: Slice, code: LayerCode) -> None:
    code.sources.add("tt_move.c")
    source = f"{code.read_bytes(node.inputs[0])} + {node.start}"
    code.call("tt_slice", node.outer, node.chunk, node.row, source, code.write(node.output, c_name="int8_t"))


def _write_mean(node: Mean, code: LayerCode) -> None:
    strides = dense_strides(node.shape)
    kept = [i for i, gone in enumerate(node.reduced) if not gone]
    gone = [i for i, gone in enumerate(node.reduced) if gone]
    count = math.prod(node.shape[i] for i in gone)
    fields = {
        "kept_shape": c_ints([*[1] * len(gone), *(node.shape[i] for i in kept)]),
        "kept_strides": c_ints([*[0] * len(gone), *(strides[i] for i in kept)]),
        "reduced_shape": c_ints([*[1] * len(kept), *(node.shape[i] for i in gone)]),
        "reduced_strides": c_ints([*[0] * len(kept), *(strides[i] for i in gone)]),
        "zero_sum": c_int(node.input_zero_point * count),
        "multiplier": c_int(node.requantization.multipliers[0]),
        "shift": c_int(node.requantization.shifts[0]),
        "out_zero": c_int(node.requantization.zero_point),
    }
    parameters = code.structure("tt_mean_t", fields)
    code.sources.add("tt_mean.c")
    code.call("tt_mean", parameters, code.read(node.inputs[0]), code.write(node.output))


def _write_lookup(node: Lookup, code: LayerCode) -> None:
    code.sources.add("tt_move.c")
    table = code.array("table", node.table)
    source, target = code.read(node.inputs[0], c_name="uint8_t"), code.write(node.output, c_name="uint8_t")
    code.call("tt_lookup", node.output.elements, table, source, target)


def _write_softmax(node: Softmax, code: LayerCode) -> None:
    fields = {"rows": c_int(node.rows), "depth": c_int(node.depth), "exps": code.array("exps", node.exps)}
    parameters = code.structure("tt_softmax_t", fields)
    code.sources.add("tt_softmax.c")
    function = "tt_softmax"
    if node.depth >= _WIDE_SOFTMAX:
        code.sources.update(("tt_softmax_wide.h", "tt_softmax_wide.c"))
        function = "tt_softmax_wide"
    code.call(function, parameters, code.read(node.inputs[0]), code.write(node.output))


def _write_float(node: QuantizeFloat | DequantizeFloat, code: LayerCode, function: str) -> None:
    code.sources.add("tt_float.c")
    scale, zero_point = c_float(node.scale), c_int(node.zero_point)
    source, target = code.read(node.inputs[0]), code.write(node.output)
    code.call(function, node.output.elements, scale, zero_point, source, target)


def _write_quantize(node: QuantizeFloat, code: LayerCode) -> None:
    _write_float(node, code, f"tt_quantize_{node.output.dtype}")


def _write_dequantize(node: DequantizeFloat, code: LayerCode) -> None:
    _write_float(node, code, f"tt_dequantize_{node.inputs[0].dtype}")


def _write_nothing(node: Alias, code: LayerCode) -> None:
    """Write nothing: the planner has put input and output at the same place."""


REFERENCE_KERNELS: tuple[Kernel, ...] = (
    ReferenceKernel("conv2d", Conv, _write_conv),
    ReferenceKernel("depthwise", DepthwiseConv, _write_depthwise),
    ReferenceKernel("dense", FullyConnected, _write_dense),
    ReferenceKernel("pool", Pool, _write_pool),
    ReferenceKernel("add", Add, _write_add),
    ReferenceKernel("mul", Mul, _write_mul),
    ReferenceKernel("pad", Pad, _write_pad),
    ReferenceKernel("concat", Concat, _write_concat),
    ReferenceKernel("slice", Slice, _write_slice),
    ReferenceKernel("mean", Mean, _write_mean),
    ReferenceKernel("lookup", Lookup, _write_lookup),
    ReferenceKernel("softmax", Softmax, _write_softmax),
    ReferenceKernel("quantize", QuantizeFloat, _write_quantize),
    ReferenceKernel("dequantize", DequantizeFloat, _write_dequantize),
    ReferenceKernel("alias", Alias, _write_nothing),
    ReferenceKernel("copy", StridedCopy, write_copy),
    ReferenceKernel("resize_bilinear", ResizeBilinear, write_resize_bilinear),
    ReferenceKernel("resize_nearest", ResizeNearest, write_resize_nearest),
    ReferenceKernel("pair", Pairwise, write_pair),
    ReferenceKernel("quantized_pair", QuantizedPair, write_quantized_pair),
    ReferenceKernel("arg_extreme", ArgExtreme, write_arg_extreme),
    ReferenceKernel("cast", Cast, write_cast),
    ReferenceKernel("gather", GatherNd, write_gather_nd),
    ReferenceKernel("sqrt", SquareRoot, write_sqrt),
    ReferenceKernel("lstm", Lstm, write_lstm),
    ReferenceKernel("svdf", Svdf, write_svdf),
)
"""Portable C for every node."""

PORTABLE = OrderedKernels("portable", REFERENCE_KERNELS)
"""The same code for every processor."""
