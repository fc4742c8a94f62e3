"""Operators that move, repeat or join values without computing, and those that compute shapes."""

from __future__ import annotations

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
    "PACK": pack,
    "PAD": pad,
    "PADV2": pad,
    "RESHAPE": reshape,
    "SHAPE": shape,
    "SPLIT": split,
    "SPLIT_V": split_v,
    "SQUEEZE": reshape,
    "TILE": tile,
}
"""Operators of this family."""
