"""Operators that reorder, cut out, stack or unstack values: TRANSPOSE, SLICE, GATHER_ND, PACK, ..."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinytracker.codegen.checks import (
    constant_ints,
    operand,
    refuse,
    require_dtype,
    require_quantized,
    require_same_quantization,
    require_static,
    result,
)
from tinytracker.codegen.graph import Concat, Node, Slice
from tinytracker.codegen.graph_moves import GatherNd, StridedCopy
from tinytracker.model.tflite_model import ITEM_BYTES, Operator, Tensor, TfliteModel

MAX_RANK = 6
"""Dimensions that the copying kernel counts through."""

MAX_COORDINATES = 4
"""Dimensions that a position of GATHER_ND may index."""

MOVABLE = ("int8", "uint8", "int32", "int64", "float32")
"""Element types that can be moved without looking at them."""


def require_movable(operator: Operator, source: Tensor, *outputs: Tensor) -> None:
    """Refuse outputs of another type or quantization than the source, and types that are not supported."""
    require_dtype(operator, source, *MOVABLE)
    for tensor in (source, *outputs):
        require_dtype(operator, tensor, source.dtype)
        require_static(operator, tensor)
        if tensor.dtype in ("int8", "uint8"):
            require_quantized(operator, tensor)
            require_same_quantization(operator, source, tensor)


def import_transpose(model: TfliteModel, operator: Operator) -> Node:
    """TRANSPOSE: output dimension i is input dimension permutation[i]."""
    source, output = operand(model, operator, 0), result(model, operator)
    require_movable(operator, source, output)
    rank = len(source.shape)
    permutation = constant_ints(operator, operand(model, operator, 1))
    wrapped = [axis + rank if axis < 0 else axis for axis in permutation]
    if sorted(wrapped) != list(range(rank)):
        raise refuse(
            operator, source, f"is transposed by {list(permutation)}, which does not permute {rank} axes"
        )
    steps = _dense(source.shape)
    shape, strides = [source.shape[axis] for axis in wrapped], [steps[axis] for axis in wrapped]
    return _strided(operator, source, output, shape, strides, 0)


def import_slice(model: TfliteModel, operator: Operator) -> Node:
    """SLICE: `size` elements from `begin` along each dimension; -1 means all that remain."""
    source, output = operand(model, operator, 0), result(model, operator)
    require_movable(operator, source, output)
    begin = constant_ints(operator, operand(model, operator, 1))
    size = constant_ints(operator, operand(model, operator, 2))
    rank = len(source.shape)
    if len(begin) != rank or len(size) != rank:
        raise refuse(
            operator,
            source,
            f"is cut by {len(begin)} positions and {len(size)} sizes; it needs {rank} of each",
        )
    shape = [n - b if s == -1 else s for b, s, n in zip(begin, size, source.shape, strict=True)]
    if any(b < 0 or s < 1 or b + s > n for b, s, n in zip(begin, shape, source.shape, strict=True)):
        raise refuse(operator, source, f"does not contain {shape} elements starting at {list(begin)}")
    steps = _dense(source.shape)
    start = sum(b * step for b, step in zip(begin, steps, strict=True))
    return _strided(operator, source, output, shape, steps, start)


def import_strided_slice(model: TfliteModel, operator: Operator) -> Node:
    """STRIDED_SLICE with constant limits, as Python slices; a shrunk dimension keeps one position."""
    source, output = operand(model, operator, 0), result(model, operator)
    require_movable(operator, source, output)
    for mask in ("ellipsis_mask", "new_axis_mask"):
        if int(operator.options.get(mask, 0)):  # type: ignore[arg-type]
            raise refuse(
                operator, source, f"is cut with {mask} {operator.option(mask)}; only 0 is supported",
                "Write the slice out for every dimension before converting",
            )  # fmt: skip
    begin, end, stride = (constant_ints(operator, operand(model, operator, i)) for i in (1, 2, 3))
    if not len(begin) == len(end) == len(stride) <= len(source.shape) or 0 in stride:
        raise refuse(operator, source, f"is cut from {list(begin)} to {list(end)} by {list(stride)}")
    steps = _dense(source.shape)
    shape, strides, start = list(source.shape), list(steps), 0
    for axis, cut in enumerate(zip(begin, end, stride, strict=True)):
        first, count = _cut(operator, source, axis, *cut)
        start += first * steps[axis]
        shape[axis], strides[axis] = count, steps[axis] * (cut[2] if count > 1 else 1)
    return _strided(operator, source, output, shape, strides, start)


def import_gather_nd(model: TfliteModel, operator: Operator) -> Node:
    """GATHER_ND with int32 positions: the last dimension of the positions holds coordinates of slices of the source.

    Coordinates outside, for which TFLite stops, are moved to the border.
    """
    source, where, output = operand(model, operator, 0), operand(model, operator, 1), result(model, operator)
    require_movable(operator, source, output)
    require_dtype(operator, where, "int32")
    require_static(operator, where)
    rank = where.shape[-1] if where.shape else 0
    if not 1 <= rank <= min(len(source.shape), MAX_COORDINATES):
        raise refuse(operator, where, f"has {rank} coordinates; 1 to {MAX_COORDINATES} are supported")
    if output.shape != (*where.shape[:-1], *source.shape[rank:]):
        raise refuse(operator, output, f"does not hold {list(where.shape)} positions of {list(source.shape)}")
    run, count = math.prod(source.shape[rank:]), math.prod(where.shape[:-1])
    strides = tuple(_dense(source.shape)[:rank])
    return GatherNd(operator, (source, where), output, count, source.shape[:rank], strides, run)


def import_pack(model: TfliteModel, operator: Operator) -> Node:
    """PACK: tensors of one shape along a new axis."""
    output = result(model, operator)
    sources = tuple(operand(model, operator, i) for i in range(len(operator.inputs)))
    require_movable(operator, output, *sources)
    rank, axis = len(output.shape), operator.int_option("axis")
    if not -rank <= axis < rank:
        raise refuse(operator, output, f"is stacked along axis {axis} of {rank} dimensions")
    axis %= rank
    for source in sources:
        if (*source.shape[:axis], len(sources), *source.shape[axis:]) != output.shape:
            raise refuse(
                operator, source, f"does not fit a stack of shape {list(output.shape)} along axis {axis}"
            )
    chunk = math.prod(output.shape[axis + 1 :]) * ITEM_BYTES[output.dtype]
    return Concat(operator, sources, output, math.prod(output.shape[:axis]), (chunk,) * len(sources))


def import_unpack(model: TfliteModel, operator: Operator) -> list[Node]:
    """UNPACK along an axis: a node per output."""
    source = operand(model, operator, 0)
    outputs = [model.tensors[i] for i in operator.outputs]
    require_movable(operator, source, *outputs)
    require_dtype(operator, source, "int8", "uint8", "int32", "float32")  # what TFLite unstacks
    rank, axis = len(source.shape), operator.int_option("axis")
    if not -rank <= axis < rank:
        raise refuse(operator, source, f"is unstacked along axis {axis} of {rank} dimensions")
    axis %= rank
    if source.shape[axis] != len(outputs):
        raise refuse(operator, source, f"is unstacked into {len(outputs)} tensors along axis {axis}")
    for output in outputs:
        if output.shape != (*source.shape[:axis], *source.shape[axis + 1 :]):
            raise refuse(operator, output, f"is not a layer of {list(source.shape)} along axis {axis}")
    chunk = math.prod(source.shape[axis + 1 :]) * ITEM_BYTES[source.dtype]
    outer, row = math.prod(source.shape[:axis]), chunk * len(outputs)
    return [Slice(operator, (source,), out, outer, row, i * chunk, chunk) for i, out in enumerate(outputs)]


def _cut(operator: Operator, source: Tensor, axis: int, begin: int, end: int, stride: int) -> tuple[int, int]:
    """First position and number of positions along one axis."""
    size, bit = source.shape[axis], 1 << axis
    if operator.int_option("shrink_axis_mask") & bit:
        first = begin + size if begin < 0 else begin
        if not 0 <= first < size:
            raise refuse(operator, source, f"has no position {begin} along axis {axis}")
        return first, 1
    limits = slice(
        None if operator.int_option("begin_mask") & bit else begin,
        None if operator.int_option("end_mask") & bit else end,
        stride,
    )
    positions = range(*limits.indices(size))
    if not positions:
        raise refuse(operator, source, f"has nothing from {begin} to {end} by {stride} along axis {axis}")
    return positions[0], len(positions)


def _dense(shape: Sequence[int]) -> list[int]:
    """Elements between neighbours along each dimension."""
    return [math.prod(shape[i + 1 :]) for i in range(len(shape))]


def _strided(
    operator: Operator, source: Tensor, output: Tensor, shape: list[int], strides: list[int], start: int
) -> StridedCopy:
    """The copy with neighbouring dimensions joined where they are contiguous in the input too."""
    if math.prod(shape) != output.elements:
        raise refuse(operator, output, f"should hold {math.prod(shape)} elements of {list(source.shape)}")
    joined: list[tuple[int, int]] = []
    for size, stride in zip(shape, strides, strict=True):
        if size == 1:
            continue
        if joined and joined[-1][1] == size * stride:
            joined[-1] = (joined[-1][0] * size, stride)
        else:
            joined.append((size, stride))
    run = joined.pop()[0] if joined and joined[-1][1] == 1 else 1
    if len(joined) > MAX_RANK:
        raise refuse(operator, source, f"is copied along {len(joined)} dimensions; the limit is {MAX_RANK}")
    return StridedCopy(
        operator, (source,), output, tuple(n for n, _ in joined), tuple(s for _, s in joined), start, run
    )
