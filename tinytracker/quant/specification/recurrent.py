"""Operators with state that is kept from frame to frame: UNIDIRECTIONAL_SEQUENCE_LSTM and SVDF."""

from __future__ import annotations

import math
from typing import cast

import numpy as np

from tinytracker.model.tflite_model import Tensor
from tinytracker.quant.specification.arithmetic import (
    centred,
    quantize_multiplier,
    rounding_shift_right,
    scale_by,
    stored,
    wrap32,
)
from tinytracker.quant.specification.call import Array, Call, Int64s, Rule
from tinytracker.quant.specification.fixed16 import logistic, tanh
from tinytracker.quant.specification.weighted import exact_matmul

_GATE_SCALE = np.float32(2.0**-12)
"""Of the 16-bit sums of all gates."""

_INPUT, _FORGET, _CELL, _OUTPUT = range(4)
_INPUT_WEIGHTS, _OUTPUT_WEIGHTS, _BIASES = 1, 5, 12  # of the first gate; the others follow
_OUTPUT_STATE, _CELL_STATE = 18, 19


def lstm(call: Call) -> Array:
    """UNIDIRECTIONAL_SEQUENCE_LSTM as Keras networks have it: without peephole, projection, normalization.

    Per step, with h the last output and c the cell state of scale 2^k; gates have scale 2^-12:

        gate = clamp16(clamp16((b + W·(x - z_x))·s_W·s_x·2^12) + (U·(h - z_h))·s_U·s_h·2^12)
        c    = clamp16(logistic(forget)·c / 2^15 + logistic(input)·tanh(cell) / 2^(30 + k)), within ±cell_clip
        h    = z + logistic(output)·tanh(c) / (2^30·s_hidden)

    Raises `ModelError` for an operator without its tensors.
    """
    source, h, c = call.source(0), call.value(_OUTPUT_STATE), call.value(_CELL_STATE)
    sequence = call.value(0) if call.operator.option("time_major") else np.swapaxes(call.value(0), 0, 1)
    outputs = []
    for x in sequence:
        last = centred(h, call.source(_OUTPUT_STATE)).reshape(len(x), -1)
        gates = [_gate(call, gate, centred(x, source), last) for gate in range(4)]
        c[...] = _next_cell(call, gates, c.reshape(len(x), -1).astype(np.int64)).reshape(c.shape)
        h[...] = _hidden(call, gates, c.reshape(len(x), -1).astype(np.int64)).reshape(h.shape)
        outputs.append(h.reshape(len(x), -1).copy())
    stacked = np.stack(outputs)
    return stacked if call.operator.option("time_major") else np.swapaxes(stacked, 0, 1)


def _gate(call: Call, gate: int, x: Int64s, last: Int64s) -> Int64s:
    """Sum of a gate, (batches, cells)."""
    bias = call.value(_BIASES + gate).astype(np.int64)
    from_input = _product(call, _INPUT_WEIGHTS + gate, x, call.source(0), bias)
    from_output = _product(
        call, _OUTPUT_WEIGHTS + gate, last, call.source(_OUTPUT_STATE), np.zeros_like(bias)
    )
    return _clamp16(from_output + _clamp16(from_input))


def _product(call: Call, weights: int, values: Int64s, counted: Tensor, bias: Int64s) -> Int64s:
    factor = np.float32(call.source(weights).scale) * np.float32(counted.scale) / _GATE_SCALE
    sums = exact_matmul(values, call.value(weights).astype(np.int64).T) + bias
    return scale_by(wrap32(sums), *quantize_multiplier(factor))


def _next_cell(call: Call, gates: list[Int64s], c: Int64s) -> Int64s:
    state = call.source(_CELL_STATE)
    kept = rounding_shift_right(logistic(gates[_FORGET]) * c, 15)
    added = logistic(gates[_INPUT]) * tanh(gates[_CELL], 3)
    c = _clamp16(kept + rounding_shift_right(added, 30 + _cell_exponent(call)))
    clip = float(call.operator.options.get("cell_clip", 0.0))  # type: ignore[arg-type]
    limit = int(np.float32(clip) / np.float32(state.scale))
    return np.clip(c, -limit, limit) if limit > 0 else c


def _hidden(call: Call, gates: list[Int64s], c: Int64s) -> Array:
    values = logistic(gates[_OUTPUT]) * tanh(c, 15 + _cell_exponent(call))
    intermediates = cast("tuple[int, ...]", call.operator.option("intermediates"))
    hidden = call.tensors[intermediates[4]]
    factor = np.float32(2.0**-15) / np.float32(hidden.scale) * np.float32(2.0**-15)
    return stored(scale_by(values, *quantize_multiplier(factor)) + hidden.zero_point, call.target)


def _cell_exponent(call: Call) -> int:
    return round(math.log2(call.source(_CELL_STATE).scale))


def svdf(call: Call) -> Array:
    """SVDF: `rank` filters per unit, each with a memory of its features in the last frames.

    The memory loses its oldest value and gets clamp16(Σ w·(x - z_x)·s_x·s_w / s_state); the output is
    z + (bias + Σ time·memory)·s_state·s_time / s. Sums wrap at 32 bits, the factors are computed in float32.
    """
    source, filters, time, state = (call.source(i) for i in (0, 1, 2, 4))
    feature = np.float32(source.scale) * np.float32(filters.scale) / np.float32(state.scale)
    sums = exact_matmul(centred(call.value(0), source), call.value(1).astype(np.int64).T)
    newest = _clamp16(scale_by(wrap32(sums), *quantize_multiplier(feature)))
    memory = call.value(4).reshape(len(newest), *time.shape)  # (batches, filters, memory)
    memory[:, :, :-1] = memory[:, :, 1:].copy()
    memory[:, :, -1] = newest
    per_filter = (memory.astype(np.int64) * call.value(2)).sum(axis=2)
    per_unit = per_filter.reshape(len(newest), -1, call.operator.int_option("rank")).sum(axis=2)
    bias = call.optional(3)
    total = wrap32(per_unit + (0 if bias is None else bias.astype(np.int64)))
    factor = np.float32(state.scale) * np.float32(time.scale) / np.float32(call.target.scale)
    return stored(scale_by(total, *quantize_multiplier(factor)) + call.target.zero_point, call.target)


def _clamp16(values: Int64s) -> Int64s:
    return np.clip(values, -(2**15), 2**15 - 1)


RULES: dict[str, Rule] = {"SVDF": svdf, "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm}
"""Operators of this family."""
