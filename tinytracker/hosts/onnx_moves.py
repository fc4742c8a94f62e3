"""Operators that move codes, from a .tflite network to ONNX."""

from __future__ import annotations

import numpy as np

from tinytracker.codegen.graph import Alias, Concat, Pad, Slice
from tinytracker.codegen.graph_moves import ResizeNearest, StridedCopy
from tinytracker.hosts.moves import nearest_places, slice_places, strided_places
from tinytracker.hosts.onnx_values import TO_NCHW, Values


def pad(values: Values, node: Pad) -> None:
    """PAD; with the zero point it pads reals with 0, which runtimes can fuse into the next convolution."""
    source, output = node.inputs[0], node.output
    rank = len(output.shape)
    before = node.before[-rank:]
    after = [o - i - b for o, i, b in zip(node.out_shape[-rank:], node.in_shape[-rank:], before, strict=True)]
    order = TO_NCHW if rank == 4 else tuple(range(rank))
    amounts = [before[i] for i in order] + [after[i] for i in order]
    index = node.operator.index
    pads = values.onnx.constant(f"pads{index}", np.array(amounts, np.int64))
    fill = np.float32((node.fill - output.zero_point) * output.scale)
    value = values.onnx.constant(f"fill{index}", np.array(fill, np.float32))
    values.quantized(values.onnx.node("Pad", [values.real(source), pads, value]), output)


def concat(values: Values, node: Concat) -> None:
    """CONCATENATION and PACK of codes with equal scales."""
    output = node.output
    axis = node.operator.int_option("axis") % len(output.shape)
    if node.operator.name == "PACK":
        parts = [values.reshaped(values.outer(t), _with_one(t.shape, axis)) for t in node.inputs]
        values.from_outer(values.onnx.node("Concat", parts, axis=axis), output)
        return
    where = TO_NCHW.index(axis) if len(output.shape) == 4 else axis
    value = values.onnx.node("Concat", [values.real(t) for t in node.inputs], axis=where)
    values.quantized(value, output)


def alias(values: Values, node: Alias) -> None:
    """RESHAPE and its relatives."""
    source, output = node.inputs[0], node.output
    if len(source.shape) == len(output.shape) == 4 and source.shape == output.shape:
        values.keep(output, values.code(source))
    else:
        values.from_outer(values.outer(source), output)


def strided(values: Values, node: StridedCopy) -> None:
    """TRANSPOSE, SLICE, STRIDED_SLICE."""
    values.gathered(node.inputs[0], node.output, strided_places(node))


def part(values: Values, node: Slice) -> None:
    """One output of SPLIT or UNPACK."""
    values.gathered(node.inputs[0], node.output, slice_places(node))


def nearest(values: Values, node: ResizeNearest) -> None:
    """RESIZE_NEAREST_NEIGHBOR."""
    values.gathered(node.inputs[0], node.output, nearest_places(node))


def _with_one(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], 1, *shape[axis:])
