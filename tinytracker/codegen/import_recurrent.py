"""Operators with state: UNIDIRECTIONAL_SEQUENCE_LSTM and SVDF, in integers."""

from __future__ import annotations

import math

import numpy as np

from tinytracker.codegen.arithmetic import clamp, quantize_multiplier
from tinytracker.codegen.checks import (
    int8_weights,
    int32_bias,
    operand,
    optional_operand,
    refuse,
    require_dtype,
    require_int8,
    require_rank,
    require_static,
    result,
)
from tinytracker.codegen.graph import Node
from tinytracker.codegen.graph_recurrent import Gate, Lstm, Product, Svdf
from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel

_GATE_SCALE = 2.0**-12
"""Scale of the sums of all gates, which are 16-bit numbers with three integer bits."""

_OPTIONAL = {
    9: "peephole", 10: "peephole", 11: "peephole", 16: "projection", 17: "projection",
    20: "layer normalization", 21: "layer normalization", 22: "layer normalization", 23: "layer normalization",
}  # fmt: skip
_INPUT_WEIGHTS, _OUTPUT_WEIGHTS, _BIASES = (1, 2, 3, 4), (5, 6, 7, 8), (12, 13, 14, 15)
_OUTPUT_STATE, _CELL_STATE = 18, 19
_HIDDEN = 4


def import_lstm(model: TfliteModel, operator: Operator) -> Node:
    """UNIDIRECTIONAL_SEQUENCE_LSTM as Keras networks have it (`LstmStepInteger8x8_16` of TFLite's kernels).

    Per step, with x the input, h the last output, c the cell state (scale 2^k) and all gates 16 bit with scale 2^-12:

        gate = clamp16(clamp16(scale_by(b - z_x·ΣW + W·x)) + scale_by(-z_h·ΣU + U·h))
        c = clamp16(logistic(forget)·c / 2^15 + logistic(input)·tanh(cell) / 2^(30 + k)), then limited to ±cell_clip
        h = clamp8(z + scale_by(logistic(output)·tanh(c)))

    with the factors s_x·s_W·2^12 and s_h·s_U·2^12 for the gates and 2^-30 / s_hidden for the output. Divisions round
    to nearest, ties away from zero. logistic and tanh are 16-bit fixed-point functions with 15 fractional bits
    (`tt_fixed16.h`).
    """
    source, output = operand(model, operator, 0), result(model, operator)
    require_int8(operator, source, output)
    require_rank(operator, source, 3)
    _require_plain_lstm(operator)
    state, cell = (
        _state(model, operator, _OUTPUT_STATE, "int8"),
        _state(model, operator, _CELL_STATE, "int16"),
    )
    time_major = bool(operator.options.get("time_major", False))
    steps, batches = source.shape[:2] if time_major else source.shape[1::-1]
    features, cells = source.shape[2], cell.elements // batches
    if output.shape != (*source.shape[:2], cells) or state.elements != batches * cells:
        raise refuse(operator, output, f"should have {cells} values for each of {batches} x {steps} steps")
    gates = [_gate(model, operator, source, state, i, cells, features) for i in range(4)]
    hidden = _hidden(model, operator)
    cell_shift = round(math.log2(cell.scale))
    if cell.scale != 2.0**cell_shift or not -15 <= cell_shift <= -9 or cell.zero_point != 0:
        raise refuse(
            operator, cell, f"has scale {cell.scale:g} and zero point {cell.zero_point}; it needs a power of two "
            "from 2^-15 to 2^-9 and zero point 0", "Convert the network with TensorFlow's full-integer quantization",
        )  # fmt: skip
    # TFLite divides in float32 between two multiplications by 2^-15.
    factor = np.float32(2.0**-15) / np.float32(hidden.scale) * np.float32(2.0**-15)
    multiplier, shift = quantize_multiplier(float(factor))
    _limit_shift(operator, output, shift)
    clip = float(operator.options.get("cell_clip", 0.0))  # type: ignore[arg-type]
    return Lstm(
        operator=operator,
        inputs=(source,),
        output=output,
        batches=batches,
        steps=steps,
        time_major=time_major,
        features=features,
        cells=cells,
        input_gate=gates[0],
        forget_gate=gates[1],
        cell_gate=gates[2],
        output_gate=gates[3],
        cell_shift=cell_shift,
        cell_clip=int(clamp(int(np.float32(clip) / np.float32(cell.scale)), 0, 32767)),
        hidden_multiplier=multiplier,
        hidden_shift=shift,
        hidden_zero_point=hidden.zero_point,
        output_zero_point=state.zero_point,
    )


def import_svdf(model: TfliteModel, operator: Operator) -> Node:
    """SVDF with int8 features and int16 time weights and state (`EvalIntegerSVDF` of TFLite's reference kernels).

        state = the last memory - 1 values, then clamp16(scale_by(Σ w·(x - z_x)))     factor s_x·s_w / s_state
        out = clamp8(z + scale_by(bias + Σ over rank Σ over memory time·state))       factor s_state·s_time / s

    Sums wrap at 32 bits; the factors are computed in float32.
    """
    source, output = operand(model, operator, 0), result(model, operator)
    require_int8(operator, source, output)
    filters, time = operand(model, operator, 1), operand(model, operator, 2)
    state = _state(model, operator, 4, "int16")
    for tensor in (source, filters, time):
        require_rank(operator, tensor, 2)
    require_dtype(operator, time, "int16")
    if time.data is None or len(time.scales) != 1 or time.scale <= 0 or time.zero_point != 0:
        raise refuse(
            operator, time, "must be constant int16 weights with one positive scale and zero point 0"
        )
    weights = int8_weights(operator, filters, 0)
    if len(filters.scales) != 1:
        raise refuse(operator, filters, f"has {len(filters.scales)} scales; only one is supported")
    rank, (count, features), memory = operator.int_option("rank"), filters.shape, time.shape[1]
    batches = source.shape[0]
    if rank < 1 or count % rank or time.shape[0] != count or source.shape[1] != features:
        raise refuse(
            operator, filters, f"does not fit {time.label}, rank {rank} and {list(source.shape)} inputs"
        )
    if output.shape != (batches, count // rank) or state.elements != batches * count * memory:
        raise refuse(operator, output, f"should have {count // rank} values and {count * memory} of state")
    feature = np.float32(source.scale) * np.float32(filters.scale) / np.float32(state.scale)
    to_output = np.float32(state.scale) * np.float32(time.scale) / np.float32(output.scale)
    feature_multiplier, feature_shift = quantize_multiplier(float(feature))
    multiplier, shift = quantize_multiplier(float(to_output))
    _limit_shift(operator, state, feature_shift)
    _limit_shift(operator, output, shift)
    return Svdf(
        operator=operator,
        inputs=(source,),
        output=output,
        batches=batches,
        features=features,
        units=count // rank,
        rank=rank,
        memory=memory,
        feature_weights=weights,
        time_weights=np.asarray(time.data, np.int16),
        bias=int32_bias(operator, optional_operand(model, operator, 3), count // rank),
        input_zero_point=source.zero_point,
        feature_multiplier=feature_multiplier,
        feature_shift=feature_shift,
        multiplier=multiplier,
        shift=shift,
        output_zero_point=output.zero_point,
    )


def _require_plain_lstm(operator: Operator) -> None:
    """Refuse the variants that Keras does not produce."""
    for position, what in _OPTIONAL.items():
        if position < len(operator.inputs) and operator.inputs[position] >= 0:
            raise refuse(
                operator, None, f"has {what} weights (input {position}); only an LSTM without them is supported",
                "Use tf.keras.layers.LSTM with its defaults",
            )  # fmt: skip
    activation = str(operator.options.get("fused_activation_function", "TANH"))
    if activation != "TANH":
        raise refuse(operator, None, f"has the activation {activation}; only TANH is supported")


def _state(model: TfliteModel, operator: Operator, position: int, dtype: str) -> Tensor:
    """A variable tensor with one scale."""
    state = operand(model, operator, position)
    require_dtype(operator, state, dtype)
    require_static(operator, state)
    if not state.is_variable:
        raise refuse(operator, state, "is not a variable, which the state of a recurrent layer must be")
    if len(state.scales) != 1 or state.scale <= 0:
        raise refuse(operator, state, f"has {len(state.scales)} scales; one positive scale is needed")
    return state


def _gate(
    model: TfliteModel,
    operator: Operator,
    source: Tensor,
    state: Tensor,
    gate: int,
    cells: int,
    features: int,
) -> Gate:
    filters, recurrent = (
        operand(model, operator, positions[gate]) for positions in (_INPUT_WEIGHTS, _OUTPUT_WEIGHTS)
    )
    bias = int32_bias(operator, operand(model, operator, _BIASES[gate]), cells)
    if filters.shape != (cells, features) or recurrent.shape != (cells, cells):
        raise refuse(operator, filters, f"does not fit {cells} cells and {features} inputs")
    return Gate(
        _product(operator, filters, source, bias),
        _product(operator, recurrent, state, np.zeros(cells, np.int32)),
    )


def _product(operator: Operator, filters: Tensor, values: Tensor, bias: np.ndarray) -> Product:  # type: ignore[type-arg]
    weights = int8_weights(operator, filters, 0)
    if len(filters.scales) != 1:
        raise refuse(operator, filters, f"has {len(filters.scales)} scales; only one is supported")
    factor = np.float32(filters.scale) * np.float32(values.scale) / np.float32(_GATE_SCALE)
    multiplier, shift = quantize_multiplier(float(factor))
    _limit_shift(operator, filters, shift)
    sums = bias.astype(np.int64) - values.zero_point * weights.astype(np.int64).sum(axis=1)
    return Product(weights, sums.astype(np.int32), multiplier, shift)


def _hidden(model: TfliteModel, operator: Operator) -> Tensor:
    """The tensor that only carries the quantization of the output before a projection."""
    intermediates = operator.options.get("intermediates", ())
    indices = intermediates if isinstance(intermediates, tuple) else ()
    if len(indices) <= _HIDDEN or not 0 <= indices[_HIDDEN] < len(model.tensors):
        raise refuse(
            operator, None, f"lists {len(indices)} intermediate tensors; the fifth must hold the hidden state's scale",
            "Convert the network with TensorFlow's full-integer quantization",
        )  # fmt: skip
    hidden = model.tensors[indices[_HIDDEN]]
    if len(hidden.scales) != 1 or hidden.scale <= 0:
        raise refuse(operator, hidden, f"has {len(hidden.scales)} scales; one positive scale is needed")
    return hidden


def _limit_shift(operator: Operator, tensor: Tensor, shift: int) -> None:
    if shift > 30:
        raise refuse(operator, tensor, f"would need a factor above 2^30 (shift {shift})")
