"""Elementwise operators: add, multiply, tables of 8-bit functions, softmax, conversion to and from float."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinytracker.codegen.arithmetic import (
    INT8_MAX,
    INT8_MIN,
    clamp,
    high_mul,
    input_radius,
    quantize_multiplier,
    quantized,
    round_half_away,
    scale_by,
)
from tinytracker.codegen.checks import (
    operand,
    refuse,
    require_dtype,
    require_int8,
    require_quantized,
    require_static,
    result,
)
from tinytracker.codegen.fixedpoint import exp_on_negative
from tinytracker.codegen.graph import (
    Add,
    Bytes,
    DequantizeFloat,
    Lookup,
    Mul,
    Node,
    QuantizeFloat,
    Requantization,
    Softmax,
)
from tinytracker.codegen.import_weighted import fused_range
from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel

MAX_BROADCAST_RANK = 4
ADD_EXTRA_BITS = 20
_SOFTMAX_INTEGER_BITS = 5
MAX_CLASSES = 65_536
"""Of a softmax: the width up to which the generated C is compared with the specification."""


def import_add(model: TfliteModel, operator: Operator) -> Node:
    """ADD of two int8 tensors that broadcast (`AddElementwise` of TFLite's reference kernels).

    With t = 2·max(s_a, s_b) and both inputs raised by 20 bits

        out = clamp(z + ((a - z_a)·2^20·(s_a/t) + (b - z_b)·2^20·(s_b/t))·(t / (2^20·s)))

    where each product is `scale_by`.
    """
    first, second, output = operand(model, operator, 0), operand(model, operator, 1), result(model, operator)
    require_int8(operator, first, second, output)
    require_broadcast(operator, first, second, output)
    twice_max = 2 * max(first.scale, second.scale)
    to_output = twice_max / (2**ADD_EXTRA_BITS * output.scale)
    if to_output >= 1:
        raise refuse(operator, output, f"has a scale 2^{ADD_EXTRA_BITS} times finer than its inputs")
    pairs = [quantize_multiplier(f) for f in (first.scale / twice_max, second.scale / twice_max, to_output)]
    act_min, act_max = fused_range(operator, output)
    return Add(
        operator=operator,
        inputs=(first, second),
        output=output,
        offsets=(-first.zero_point, -second.zero_point),
        multipliers=(pairs[0][0], pairs[1][0], pairs[2][0]),
        shifts=(pairs[0][1], pairs[1][1], pairs[2][1]),
        zero_point=output.zero_point,
        act_min=act_min,
        act_max=act_max,
    )


def import_mul(model: TfliteModel, operator: Operator) -> Node:
    """MUL of two int8 tensors that broadcast (`MulElementwise`): out = clamp(z + (a - z_a)·(b - z_b)·(s_a·s_b / s))."""
    first, second, output = operand(model, operator, 0), operand(model, operator, 1), result(model, operator)
    require_int8(operator, first, second, output)
    require_broadcast(operator, first, second, output)
    # TFLite computes this factor in float32.
    factor = np.float32(first.scale) * np.float32(second.scale) / np.float32(output.scale)
    multiplier, shift = quantize_multiplier(float(factor))
    if shift > 30:
        raise refuse(operator, output, f"would need a factor above 2^30 (shift {shift})")
    act_min, act_max = fused_range(operator, output)
    return Mul(
        operator=operator,
        inputs=(first, second),
        output=output,
        offsets=(-first.zero_point, -second.zero_point),
        requantization=Requantization((multiplier,), (shift,), output.zero_point, act_min, act_max),
    )


def import_tanh(model: TfliteModel, operator: Operator) -> Node:
    """TANH as a table: out = clamp(z + round(tanh(s_x·(x - z_x)) / s)), in float32."""
    return _float_table(model, operator, lambda x: math.tanh(x))


def import_logistic(model: TfliteModel, operator: Operator) -> Node:
    """LOGISTIC as a table: out = clamp(z + round(256 / (1 + exp(-s_x·(x - z_x))))).

    exp, sum and quotient are rounded to float32 one by one, as TFLite does.
    """

    def logistic(x: float) -> float:
        with np.errstate(over="ignore"):
            decay = np.float32(math.exp(min(-x, 700.0)))  # beyond float32 it is infinite anyway
        return float(np.float32(1) / (np.float32(1) + decay))

    output = result(model, operator)
    _require_8_bit_pair(operator, operand(model, operator, 0), output)
    zero_point = _limits(output)[0]
    if (output.scale, output.zero_point) != (1 / 256, zero_point):
        found = f"has scale {output.scale:g}, zero point {output.zero_point}"
        raise refuse(operator, output, f"{found}; TFLite accepts only 1/256 and {zero_point}")
    return _float_table(model, operator, logistic)


def import_relu(model: TfliteModel, operator: Operator) -> Node:
    """RELU, RELU6 or RELU_N1_TO_1 that could not be fused, as a table (`ReluX`).

    out = clamp(z + (x - z_x)·(s_x/s)) between the codes of 0 and the upper limit; the factor in float32.
    """
    source, output = operand(model, operator, 0), result(model, operator)
    _require_8_bit_pair(operator, source, output)
    require_int8(operator, source, output)
    low, high = {"RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}[operator.name]
    act_min = max(INT8_MIN, quantized(low, output.scale, output.zero_point))
    act_max = INT8_MAX if high is None else min(INT8_MAX, quantized(high, output.scale, output.zero_point))
    factor = float(np.float32(source.scale) / np.float32(output.scale))
    return _requantizing_table(operator, source, output, factor, act_min, act_max)


def import_quantize(model: TfliteModel, operator: Operator) -> Node:
    """QUANTIZE from float32, or between two 8-bit quantisations (also int8 and uint8).

    out = clamp(z + round(x / s)) of a float, the quotient in float32 with ties away from zero (`AffineQuantize`);
    out = clamp(z + (x - z_x)·(s_x/s)) of an integer (`Requantize`).
    """
    source, output = operand(model, operator, 0), result(model, operator)
    if source.dtype == "float32":
        require_static(operator, source)
        require_dtype(operator, output, "int8", "uint8")
        require_quantized(operator, output)
        return QuantizeFloat(operator, (source,), output, output.scale, output.zero_point)
    _require_8_bit_pair(operator, source, output)
    low, high = _limits(output)
    return _requantizing_table(operator, source, output, source.scale / output.scale, low, high)


def import_dequantize(model: TfliteModel, operator: Operator) -> Node:
    """DEQUANTIZE from int8 or uint8 to float32: out = s_x·(x - z_x), rounded to float32 once."""
    source, output = operand(model, operator, 0), result(model, operator)
    require_dtype(operator, source, "int8", "uint8")
    require_quantized(operator, source)
    require_dtype(operator, output, "float32")
    return DequantizeFloat(operator, (source,), output, source.scale, source.zero_point)


def import_softmax(model: TfliteModel, operator: Operator) -> Node:
    """SOFTMAX over the last dimension: out = round(256·exp(beta·s_x·(x - max)) / Σ exp(...)) - 128.

    The exponentials of all 256 differences become a table in Q0.31, worked out as TFLite does with a fixed-point
    polynomial. Their sum has 12 integer bits, and 1/sum takes three Newton steps (`Softmax` of the reference kernels).
    """
    source, output = operand(model, operator, 0), result(model, operator)
    require_int8(operator, source, output)
    if output.scale != 1 / 256 or output.zero_point != -128:
        raise refuse(operator, output, "must have scale 1/256 and zero point -128")
    beta = float(operator.option("beta"))  # type: ignore[arg-type]
    factor = min(beta * source.scale * 2.0 ** (31 - _SOFTMAX_INTEGER_BITS), 2.0**31 - 1)
    if factor <= 1:
        raise refuse(operator, source, f"has a scale too fine for softmax with beta {beta:g}")
    multiplier, shift = quantize_multiplier(factor)
    largest = input_radius(_SOFTMAX_INTEGER_BITS, shift)
    exps = [
        exp_on_negative(high_mul(-difference << shift, multiplier), _SOFTMAX_INTEGER_BITS)
        if difference <= largest
        else 0  # too small to count, and 0 leaves both the sum and the output as TFLite has them
        for difference in range(256)
    ]
    depth = source.shape[-1] if source.shape else 1
    if depth > MAX_CLASSES:
        raise refuse(operator, source, f"has {depth} classes, more than {MAX_CLASSES}")
    return Softmax(operator, (source,), output, source.elements // depth, depth, np.array(exps, np.int32))


def broadcast_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with ones in front, four dimensions."""
    return (1,) * (MAX_BROADCAST_RANK - len(shape)) + shape


def require_broadcast(operator: Operator, first: Tensor, second: Tensor, output: Tensor) -> None:
    """Refuse an output that is not the broadcast of the two inputs, and more dimensions than the loops have."""
    if first.shape == second.shape == output.shape:
        return
    for tensor in (first, second, output):
        if len(tensor.shape) > MAX_BROADCAST_RANK:
            raise refuse(operator, tensor, f"is broadcast in more than {MAX_BROADCAST_RANK} dimensions")
    shapes = [broadcast_shape(t.shape) for t in (first, second, output)]
    for a, b, c in zip(*shapes, strict=True):
        if (a != b and 1 not in (a, b)) or c != (b if a == 1 else a):
            raise refuse(
                operator, output, f"is not the broadcast of {list(first.shape)} and {list(second.shape)}"
            )


def _limits(tensor: Tensor) -> tuple[int, int]:
    return (0, 255) if tensor.dtype == "uint8" else (INT8_MIN, INT8_MAX)


def _require_8_bit_pair(operator: Operator, source: Tensor, output: Tensor) -> None:
    for tensor in (source, output):
        require_dtype(operator, tensor, "int8", "uint8")
        require_quantized(operator, tensor)
    if source.elements != output.elements:
        raise refuse(operator, output, f"has {output.elements} elements, the input has {source.elements}")


def _byte_table(source: Tensor, output: Tensor, function: Callable[[int], int]) -> Bytes:
    """Output byte per input byte; `function` maps the input's number to the output's."""
    low, high = _limits(output)
    numbers = [byte if source.dtype == "uint8" or byte < 128 else byte - 256 for byte in range(256)]
    return np.array([clamp(function(n), low, high) % 256 for n in numbers], np.uint8)


def _float_table(model: TfliteModel, operator: Operator, function: Callable[[float], float]) -> Lookup:
    """The table that TFLite fills in float32: dequantize, apply, multiply by 1/scale, round half away."""
    source, output = operand(model, operator, 0), result(model, operator)
    _require_8_bit_pair(operator, source, output)
    inverse = np.float32(1) / np.float32(output.scale)

    def entry(q: int) -> int:
        real = np.float32(source.scale) * np.float32(q - source.zero_point)
        return round_half_away(float(np.float32(function(float(real))) * inverse)) + output.zero_point

    return Lookup(operator, (source,), output, _byte_table(source, output, entry))


def _requantizing_table(
    operator: Operator, source: Tensor, output: Tensor, factor: float, low: int, high: int
) -> Lookup:
    multiplier, shift = quantize_multiplier(factor)
    if shift > 22:
        raise refuse(operator, output, f"has a scale 2^{shift} times finer than its input")

    def entry(q: int) -> int:
        return clamp(scale_by(q - source.zero_point, multiplier, shift) + output.zero_point, low, high)

    return Lookup(operator, (source,), output, _byte_table(source, output, entry))
