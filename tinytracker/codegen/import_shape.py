"""Operators that gather or move values: pooling, mean, padding, concatenation, reshaping."""

from __future__ import annotations

import math

import numpy as np

from tinytracker.codegen.arithmetic import INT8_MAX, INT8_MIN, quantize_multiplier
from tinytracker.codegen.checks import (
    constant_ints,
    operand,
    optional_operand,
    refuse,
    require_int8,
    require_rank,
    require_same_quantization,
    require_static,
    result,
)
from tinytracker.codegen.graph import Alias, Concat, Mean, Node, Pad, Pool, Requantization, Slice
from tinytracker.codegen.import_moves import require_movable
from tinytracker.codegen.import_weighted import fused_range, sliding_window
from tinytracker.model.tflite_model import ITEM_BYTES, Operator, Tensor, TfliteModel

MAX_RANK = 4


def import_pool(model: TfliteModel, operator: Operator) -> Node:
    """AVERAGE_POOL_2D and MAX_POOL_2D of codes; both need equal quantisation on both sides.

    The mean over the positions inside the image is the sum divided by their number, ties away from zero.
    """
    image, output = operand(model, operator, 0), result(model, operator)
    require_int8(operator, image, output)
    require_rank(operator, image, 4)
    require_rank(operator, output, 4)
    require_same_quantization(operator, image, output)
    if output.shape[3] != image.shape[3]:
        raise refuse(operator, output, f"has {output.shape[3]} channels, the input has {image.shape[3]}")
    height, width = operator.int_option("filter_height"), operator.int_option("filter_width")
    if height * width > 2**23:
        raise refuse(operator, image, f"is pooled over {height}x{width} positions, which could overflow")
    window = sliding_window(operator, image, output, height, width)
    act_min, act_max = fused_range(operator, output)
    return Pool(operator, (image,), output, window, operator.name == "MAX_POOL_2D", act_min, act_max)


def import_mean(model: TfliteModel, operator: Operator) -> Node:
    """MEAN over any axes of up to four dimensions: out = clamp(z + Σ (x - z_x)·(s_x / s / count)).

    TFLite folds 1/count into the multiplier with integers: it shifts the multiplier left by
    floor(log2(count)), as far as the shift allows, and divides by the count.
    """
    source, output = operand(model, operator, 0), result(model, operator)
    require_int8(operator, source, output)
    rank = len(source.shape)
    if rank > MAX_RANK:
        raise refuse(operator, source, f"has {rank} dimensions; at most {MAX_RANK} are supported")
    axes = constant_ints(operator, operand(model, operator, 1))
    if not axes or any(not -rank <= axis < rank for axis in axes):
        raise refuse(operator, source, f"is averaged over axes {list(axes)} of {rank} dimensions")
    reduced = {axis % rank for axis in axes}
    kept = tuple(1 if i in reduced else n for i, n in enumerate(source.shape))
    count = math.prod(source.shape[i] for i in reduced)
    if output.elements * count != source.elements:
        raise refuse(
            operator, output, f"should hold the mean over axes {sorted(reduced)} of {list(source.shape)}"
        )
    if count > 2**23:
        raise refuse(operator, source, f"is averaged over {count} values, which could overflow")
    multiplier, shift = quantize_multiplier(source.scale / output.scale)
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    multiplier, shift = (multiplier << extra) // count, shift - extra
    if shift > 30:
        raise refuse(operator, output, f"would need a factor above 2^30 (shift {shift})")
    pad = MAX_RANK - rank
    return Mean(
        operator=operator,
        inputs=(source,),
        output=output,
        shape=(1,) * pad + source.shape,
        reduced=(False,) * pad
        + tuple(k != n or i in reduced for i, (k, n) in enumerate(zip(kept, source.shape, strict=True))),
        input_zero_point=source.zero_point,
        requantization=Requantization((multiplier,), (shift,), output.zero_point, INT8_MIN, INT8_MAX),
    )


def import_pad(model: TfliteModel, operator: Operator) -> Node:
    """PAD with the zero point, PADV2 with a constant, up to four dimensions."""
    source, output = operand(model, operator, 0), result(model, operator)
    require_int8(operator, source, output)
    require_same_quantization(operator, source, output)
    rank = len(source.shape)
    if rank > MAX_RANK:
        raise refuse(operator, source, f"has {rank} dimensions; at most {MAX_RANK} are supported")
    amounts = constant_ints(operator, operand(model, operator, 1))
    if len(amounts) != 2 * rank or min(amounts, default=0) < 0:
        raise refuse(
            operator, source, f"is padded by {list(amounts)}, which are not two amounts per dimension"
        )
    before, after = amounts[0::2], amounts[1::2]
    if output.shape != tuple(b + n + a for b, n, a in zip(before, source.shape, after, strict=True)):
        raise refuse(operator, output, f"is not {list(source.shape)} padded by {list(amounts)}")
    fill = output.zero_point
    value = optional_operand(model, operator, 2)
    if value is not None:
        if value.data is None or value.elements != 1 or value.dtype != "int8":
            raise refuse(operator, value, "must be one constant int8 value to pad with")
        fill = int(np.asarray(value.data).reshape(-1)[0])
    ones = (1,) * (MAX_RANK - rank)
    return Pad(
        operator=operator,
        inputs=(source,),
        output=output,
        in_shape=ones + source.shape,
        out_shape=ones + output.shape,
        before=(0,) * (MAX_RANK - rank) + before,
        fill=fill,
    )


def import_concat(model: TfliteModel, operator: Operator) -> Node:
    """CONCATENATION of run-time and constant tensors of equal quantisation."""
    output = result(model, operator)
    sources = tuple(operand(model, operator, i) for i in range(len(operator.inputs)))
    if output.dtype == "int8":
        require_int8(operator, output, *sources)
    else:
        require_movable(operator, output, *sources)
    if str(operator.options.get("fused_activation_function", "NONE")) != "NONE":
        raise refuse(operator, output, "has a fused activation, which a concatenation cannot have")
    rank = len(output.shape)
    axis = operator.int_option("axis")
    if not -rank <= axis < rank:
        raise refuse(operator, output, f"is concatenated along axis {axis} of {rank} dimensions")
    axis %= rank
    for source in sources:
        if output.dtype == "int8":
            require_same_quantization(operator, source, output)
        if len(source.shape) != rank or any(
            source.shape[i] != output.shape[i] for i in range(rank) if i != axis
        ):
            raise refuse(operator, source, f"does not fit an output of shape {list(output.shape)}")
    if sum(source.shape[axis] for source in sources) != output.shape[axis]:
        raise refuse(operator, output, f"is not as long along axis {axis} as its inputs together")
    return Concat(
        operator=operator,
        inputs=sources,
        output=output,
        outer=math.prod(output.shape[:axis]),
        chunks=tuple(math.prod(source.shape[axis:]) * ITEM_BYTES[output.dtype] for source in sources),
    )


def import_split(model: TfliteModel, operator: Operator) -> list[Node]:
    """SPLIT into equal parts: a node per output."""
    return _split(model, operator, operand(model, operator, 1), operand(model, operator, 0))


def import_split_v(model: TfliteModel, operator: Operator) -> list[Node]:
    """SPLIT_V into parts of given sizes, which the outputs' shapes repeat: a node per output."""
    return _split(model, operator, operand(model, operator, 0), operand(model, operator, 2))


def _split(model: TfliteModel, operator: Operator, source: Tensor, axis_tensor: Tensor) -> list[Node]:
    outputs = [model.tensors[i] for i in operator.outputs]
    require_int8(operator, source, *outputs)
    axes = constant_ints(operator, axis_tensor)
    rank = len(source.shape)
    if len(axes) != 1 or not -rank <= axes[0] < rank:
        raise refuse(operator, source, f"is split along axes {list(axes)} of {rank} dimensions")
    axis = axes[0] % rank
    for output in outputs:
        require_same_quantization(operator, source, output)
        others = [n for i, n in enumerate(output.shape) if i != axis]
        if len(output.shape) != rank or others != [n for i, n in enumerate(source.shape) if i != axis]:
            raise refuse(operator, output, f"is not a part of {list(source.shape)} along axis {axis}")
    if sum(output.shape[axis] for output in outputs) != source.shape[axis]:
        raise refuse(operator, source, f"is longer along axis {axis} than its parts together")
    nodes: list[Node] = []
    row, start = math.prod(source.shape[axis:]), 0
    for output in outputs:
        chunk = math.prod(output.shape[axis:])
        nodes.append(Slice(operator, (source,), output, math.prod(source.shape[:axis]), row, start, chunk))
        start += chunk
    return nodes


def import_alias(model: TfliteModel, operator: Operator) -> Node:
    """RESHAPE, SQUEEZE, EXPAND_DIMS: nothing to compute."""
    source, output = operand(model, operator, 0), result(model, operator)
    require_static(operator, source, output)
    if source.dtype != output.dtype or source.elements != output.elements:
        raise refuse(operator, output, f"is not a reshaped {source.label}")
    return Alias(operator, (source,), output)
