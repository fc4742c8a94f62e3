"""Operators that move, repeat or join values without computing, and those that compute shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytracker.quant.specification.call import Array, Call, Rule


def reshape(call: Call) -> Array:
    """RESHAPE, SQUEEZE, EXPAND_DIMS: the same values under the shape of the output."""
    return call.value(0).reshape(call.target.shape)


def pad(call: Call) -> Array:
    """PAD with the zero point, PADV2 with a given value."""
    amounts = call.value(1).reshape(-1, 2).astype(int).tolist()
    fill = call.optional(2)
    value = call.target.zero_point if fill is None else int(fill.reshape(-1)[0])
    return np.pad(call.value(0), amounts, constant_values=value)


def concatenation(call: Call) -> Array:
    """CONCATENATION of tensors with equal quantization."""
    return np.concatenate([call.value(i) for i in range(len(call.sources))], call.operator.int_option("axis"))


def split(call: Call) -> tuple[Array, ...]:
    """SPLIT into equal parts."""
    return tuple(np.split(call.value(1), len(call.targets), call.ints(0)[0]))


def split_v(call: Call) -> tuple[Array, ...]:
    """SPLIT_V into parts as long as the outputs."""
    axis = call.ints(2)[0]
    ends = np.cumsum([target.shape[axis] for target in call.targets])
    return tuple(np.split(call.value(0), ends[:-1], axis))


def unpack(call: Call) -> tuple[Array, ...]:
    """UNPACK: the layers along an axis."""
    axis = int(call.operator.options.get("axis", 0))  # type: ignore[arg-type]
    return tuple(np.moveaxis(call.value(0), axis, 0))


def transpose(call: Call) -> Array:
    """TRANSPOSE: output dimension i is input dimension permutation[i]."""
    return np.transpose(call.value(0), call.ints(1))


def cut(call: Call) -> Array:
    """SLICE: `size` elements starting at `begin`; -1 means all that remain."""
    pairs = zip(call.ints(1), call.ints(2), strict=True)
    return call.value(0)[tuple(slice(b, None if size == -1 else b + size) for b, size in pairs)]


def strided_slice(call: Call) -> Array:
    """STRIDED_SLICE: the slices of Python; masks open limits, keep a single position, or insert dimensions."""
    masks = {
        name: int(call.operator.options.get(f"{name}_mask", 0))  # type: ignore[arg-type]
        for name in ("begin", "end", "shrink_axis", "new_axis", "ellipsis")
    }
    index: list[Any] = []
    for i, (begin, end, step) in enumerate(zip(*(call.ints(k) for k in (1, 2, 3)), strict=True)):
        bit = 1 << i
        if masks["ellipsis"] & bit:
            index.append(...)
        elif masks["new_axis"] & bit:
            index.append(None)
        elif masks["shrink_axis"] & bit:
            index.append(begin)
        else:
            index.append(
                slice(None if masks["begin"] & bit else begin, None if masks["end"] & bit else end, step)
            )
    picked: Array = call.value(0)[tuple(index)]
    return picked


def gather_nd(call: Call) -> Array:
    """GATHER_ND: the last dimension of the positions holds coordinates; those outside are moved to the border."""
    source, positions = call.value(0), call.value(1).astype(np.int64)
    columns = np.moveaxis(positions, -1, 0)
    inside = (c.clip(0, n - 1) for c, n in zip(columns, source.shape, strict=False))
    picked: Array = source[tuple(inside)]
    return picked


def shape(call: Call) -> Array:
    """SHAPE of the input."""
    return np.array(call.source(0).shape, call.target.dtype)


def pack(call: Call) -> Array:
    """PACK: inputs stacked along a new axis."""
    axis = int(call.operator.options.get("axis", 0))  # type: ignore[arg-type]
    return np.stack([call.value(i) for i in range(len(call.sources))], axis)


def tile(call: Call) -> Array:
    """TILE: the input repeated along each dimension."""
    return np.tile(call.value(0), call.ints(1))


def broadcast_to(call: Call) -> Array:
    """BROADCAST_TO a shape."""
    return np.broadcast_to(call.value(0), call.ints(1))


RULES: dict[str, Rule] = {
    "BROADCAST_TO": broadcast_to,
    "CONCATENATION": concatenation,
    "EXPAND_DIMS": reshape,
    "GATHER_ND": gather_nd,
    "PACK": pack,
    "PAD": pad,
    "PADV2": pad,
    "RESHAPE": reshape,
    "SHAPE": shape,
    "SLICE": cut,
    "SPLIT": split,
    "SPLIT_V": split_v,
    "SQUEEZE": reshape,
    "STRIDED_SLICE": strided_slice,
    "TILE": tile,
    "TRANSPOSE": transpose,
    "UNPACK": unpack,
}
"""Operators of this family."""
