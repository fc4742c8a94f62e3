"""Computes at generation time what is known then: operators whose inputs are all constants, and shapes.

Networks exported with an open batch size contain operators that compute shapes (SHAPE, STRIDED_SLICE, PACK)
and repeat constants per image (TILE, BROADCAST_TO). With a batch of 1 all of these are constant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel

Array = NDArray[np.generic]

MAX_FOLDED_ELEMENTS = 1 << 24
"""A repeated constant larger than this would not fit a microcontroller anyway."""


def fold_constants(model: TfliteModel) -> TfliteModel:
    """Return the network without the operators that can be computed now; their outputs become constants.

    Unknown operators, and those whose result would contradict the tensor that they write, are kept.
    """
    tensors = list(model.tensors)
    operators = []
    for operator in model.operators:
        value = _value(tensors, operator)
        if value is None:
            operators.append(operator)
        else:
            target = tensors[operator.outputs[0]]
            tensors[target.index] = replace(target, data=value)
    return replace(model, tensors=tuple(tensors), operators=tuple(operators))


def _value(tensors: list[Tensor], operator: Operator) -> Array | None:
    """Return the operator's output, or None when it cannot be computed now."""
    rule = _RULES.get(operator.name)
    if rule is None or len(operator.outputs) != 1 or min(operator.inputs, default=-1) < 0:
        return None
    inputs = [tensors[i] for i in operator.inputs]
    target = tensors[operator.outputs[0]]
    if target.is_dynamic or target.elements > MAX_FOLDED_ELEMENTS:
        return None
    if operator.name != "SHAPE" and any(tensor.data is None for tensor in inputs):
        return None
    if target.dtype.startswith(("int8", "uint8")) and inputs[0].scales != target.scales:
        return None  # would need requantization, which none of these operators does
    try:
        value = rule(inputs, operator)
    except (ValueError, IndexError, TypeError, KeyError, OverflowError):
        return None  # arguments that contradict each other: the importer reports them
    if value is not None and operator.name == "SHAPE" and target.dtype == "int64":
        value = value.astype(np.int64)
    if value is None or value.shape != target.shape or str(value.dtype) != target.dtype:
        return None
    return value


def _data(tensor: Tensor) -> Array:
    assert tensor.data is not None
    return np.asarray(tensor.data)


def _ints(tensor: Tensor) -> list[int]:
    return [int(v) for v in _data(tensor).reshape(-1)]


def _shape(inputs: list[Tensor], operator: Operator) -> Array | None:
    """Return SHAPE of a tensor whose shape is known; the batch counts as 1."""
    if inputs[0].is_dynamic:
        return None
    return np.array(inputs[0].shape, np.int32)


def _pack(inputs: list[Tensor], operator: Operator) -> Array | None:
    """Return PACK of scalars, which is how shapes are assembled; None for anything else."""
    if any(tensor.shape for tensor in inputs):
        return None
    return np.stack([_data(tensor) for tensor in inputs])


def _strided_slice(inputs: list[Tensor], operator: Operator) -> Array | None:
    """Return STRIDED_SLICE of a vector."""
    if len(inputs) != 4 or len(inputs[0].shape) != 1:
        return None
    begin, end, stride = (_ints(tensor)[0] for tensor in inputs[1:])
    if operator.int_option("shrink_axis_mask") & 1:
        return np.asarray(_data(inputs[0])[begin])
    first = None if operator.int_option("begin_mask") & 1 else begin
    last = None if operator.int_option("end_mask") & 1 else end
    return _data(inputs[0])[first:last:stride]


def _tile(inputs: list[Tensor], operator: Operator) -> Array | None:
    repeats = _ints(inputs[1])
    if (
        min(repeats, default=0) < 0
        or np.prod(repeats, dtype=float) * inputs[0].elements > MAX_FOLDED_ELEMENTS
    ):
        return None
    return np.tile(_data(inputs[0]), repeats)


def _broadcast_to(inputs: list[Tensor], operator: Operator) -> Array | None:
    shape = _ints(inputs[1])
    if np.prod(shape, dtype=float) > MAX_FOLDED_ELEMENTS:
        return None
    return np.broadcast_to(_data(inputs[0]), shape)


def _reshape(inputs: list[Tensor], operator: Operator) -> Array | None:
    return _data(inputs[0]).reshape(_ints(inputs[1])) if len(inputs) == 2 else None


def _concatenation(inputs: list[Tensor], operator: Operator) -> Array | None:
    if any(
        tensor.scales != inputs[0].scales or tensor.zero_points != inputs[0].zero_points for tensor in inputs
    ):
        return None
    return np.concatenate([_data(tensor) for tensor in inputs], operator.int_option("axis"))


_RULES: dict[str, Callable[[list[Tensor], Operator], Array | None]] = {
    "BROADCAST_TO": _broadcast_to,
    "CONCATENATION": _concatenation,
    "PACK": _pack,
    "RESHAPE": _reshape,
    "SHAPE": _shape,
    "STRIDED_SLICE": _strided_slice,
    "TILE": _tile,
}
