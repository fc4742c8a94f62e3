"""Operators that compare, combine or convert values: MAXIMUM, SUB, DIV, PRELU, LEAKY_RELU, ARG_MAX, CAST, ...

Where a network computes with int32 or float32 after its last quantized layer (positions out of an ARG_MAX, shares of a
sum), the arithmetic is that of C: one operation per element, float32 rounded to nearest.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinytracker.codegen.arithmetic import INT8_MAX, INT8_MIN, clamp, quantize_multiplier, scale_by
from tinytracker.codegen.checks import (
    constant_ints,
    operand,
    refuse,
    require_dtype,
    require_int8,
    require_same_quantization,
    require_static,
    result,
)
from tinytracker.codegen.graph import Bytes, Lookup, Node
from tinytracker.codegen.graph_values import ArgExtreme, Cast, Pairwise, QuantizedPair, SquareRoot
from tinytracker.codegen.import_elementwise import ADD_EXTRA_BITS, require_broadcast
from tinytracker.codegen.import_weighted import fused_range
from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel

PLAIN_TYPES = ("int32", "float32")
"""Types that are computed with as they are, without scale and zero point."""

CASTABLE = ("int8", "uint8", "int32", "int64", "float32")

Importer = Callable[[TfliteModel, Operator], Node]

_FUNCTIONS = {
    "ADD": "add", "SUB": "subtract", "MUL": "multiply", "DIV": "divide", "FLOOR_DIV": "floor_divide",
    "MAXIMUM": "maximum", "MINIMUM": "minimum",
}  # fmt: skip


def plain_or(quantized: Importer) -> Importer:
    """The importer for an operator that exists both on int8 and on plain numbers."""

    def choose(model: TfliteModel, operator: Operator) -> Node:
        plain = operand(model, operator, 0).dtype in PLAIN_TYPES
        return import_plain_pair(model, operator) if plain else quantized(model, operator)

    return choose


def import_plain_pair(model: TfliteModel, operator: Operator) -> Node:
    """ADD, SUB, MUL, DIV, FLOOR_DIV, MAXIMUM or MINIMUM of int32 or float32 tensors."""
    first, second, output = operand(model, operator, 0), operand(model, operator, 1), result(model, operator)
    require_dtype(operator, first, *(PLAIN_TYPES if operator.name != "FLOOR_DIV" else ("int32",)))
    for tensor in (first, second, output):
        require_dtype(operator, tensor, first.dtype)
        require_static(operator, tensor)
    require_broadcast(operator, first, second, output)
    if str(operator.options.get("fused_activation_function", "NONE")) != "NONE":
        raise refuse(
            operator, output, f"has the fused activation {operator.option('fused_activation_function')} on "
            f"{output.dtype}; only NONE is supported", "Quantize the network to int8 throughout",
        )  # fmt: skip
    divides_integers = operator.name in ("DIV", "FLOOR_DIV") and first.dtype == "int32"
    if divides_integers and (second.data is None or not np.all(np.asarray(second.data))):
        raise refuse(operator, second, "must be a constant divisor other than 0", "Divide by a constant")
    return Pairwise(operator, (first, second), output, _FUNCTIONS[operator.name])


def import_extreme_pair(model: TfliteModel, operator: Operator) -> Node:
    """MAXIMUM or MINIMUM of two int8 tensors: the larger or smaller stored number (`MaximumMinimumBroadcastSlow`)."""
    first, second, output = operand(model, operator, 0), operand(model, operator, 1), result(model, operator)
    require_int8(operator, first, second, output)
    for tensor in (first, second):
        require_same_quantization(operator, tensor, output)
    require_broadcast(operator, first, second, output)
    return Pairwise(operator, (first, second), output, _FUNCTIONS[operator.name])


def import_sub(model: TfliteModel, operator: Operator) -> Node:
    """SUB of two int8 tensors (`SubElementwise` of TFLite's reference kernels).

    With t = 2·max(s_a, s_b) and both inputs raised by 20 bits

        out = clamp(z + ((a - z_a)·2^20·(s_a/t) - (b - z_b)·2^20·(s_b/t))·(t / (2^20·s)))

    where each product is `scale_by`.
    """
    first, second, output = operand(model, operator, 0), operand(model, operator, 1), result(model, operator)
    require_int8(operator, first, second, output)
    require_broadcast(operator, first, second, output)
    twice_max = 2 * max(first.scale, second.scale)
    to_output = twice_max / (2**ADD_EXTRA_BITS * output.scale)
    if to_output >= 1:
        raise refuse(
            operator, output, f"has a scale 2^{ADD_EXTRA_BITS} times finer than its inputs",
            "Quantize with representative data",
        )  # fmt: skip
    pairs = [quantize_multiplier(f) for f in (first.scale / twice_max, second.scale / twice_max, to_output)]
    act_min, act_max = fused_range(operator, output)
    return QuantizedPair(
        operator=operator,
        inputs=(first, second),
        output=output,
        function="subtract",
        offsets=(-first.zero_point, -second.zero_point),
        multipliers=(pairs[0][0], pairs[1][0], pairs[2][0]),
        shifts=(pairs[0][1], pairs[1][1], pairs[2][1]),
        zero_point=output.zero_point,
        act_min=act_min,
        act_max=act_max,
    )


def import_prelu(model: TfliteModel, operator: Operator) -> Node:
    """PRELU on int8 with slopes that broadcast (`BroadcastPrelu4DSlow` of TFLite's reference kernels).

    For v = x - z_x: out = clamp(z + v·(s_x/s)) from 0 up, clamp(z + v·(alpha - z_alpha)·(s_x·s_alpha/s)) below, the
    factors in float32, each product `scale_by`.
    """
    source, slope, output = operand(model, operator, 0), operand(model, operator, 1), result(model, operator)
    require_int8(operator, source, slope, output)
    require_broadcast(operator, source, slope, output)
    factor = np.float32(source.scale) / np.float32(output.scale)
    slope_factor = np.float32(source.scale) * np.float32(slope.scale) / np.float32(output.scale)
    identity, sloped = quantize_multiplier(float(factor)), quantize_multiplier(float(slope_factor))
    _limit_shift(operator, output, identity[1], 22)
    _limit_shift(operator, output, sloped[1], 15)
    return QuantizedPair(
        operator=operator,
        inputs=(source, slope),
        output=output,
        function="prelu",
        offsets=(-source.zero_point, -slope.zero_point),
        multipliers=(0, sloped[0], identity[0]),
        shifts=(0, sloped[1], identity[1]),
        zero_point=output.zero_point,
        act_min=INT8_MIN,
        act_max=INT8_MAX,
    )


def import_leaky_relu(model: TfliteModel, operator: Operator) -> Node:
    """LEAKY_RELU as a table (`QuantizeLeakyRelu` of TFLite's reference kernels).

    For v = x - z_x: out = clamp(z + v·(s_x/s)) from 0 up, clamp(z + v·(s_x·alpha/s)) below, the factors
    in float32, each product `scale_by`.
    """
    source, output = operand(model, operator, 0), result(model, operator)
    require_int8(operator, source, output)
    if source.elements != output.elements:
        raise refuse(operator, output, f"has {output.elements} elements, the input has {source.elements}")
    alpha = float(operator.option("alpha"))  # type: ignore[arg-type]
    if not (alpha >= 0 and math.isfinite(alpha)):
        raise refuse(operator, source, f"has the slope {alpha:g}; slopes must be 0 or more")
    factor = np.float32(source.scale) / np.float32(output.scale)
    slope_factor = np.float32(source.scale) * np.float32(alpha) / np.float32(output.scale)
    identity, sloped = quantize_multiplier(float(factor)), quantize_multiplier(float(slope_factor))
    for _, shift in (identity, sloped):
        _limit_shift(operator, output, shift, 22)

    def entry(number: int) -> int:
        value = number - source.zero_point
        return clamp(
            scale_by(value, *(identity if value >= 0 else sloped)) + output.zero_point, INT8_MIN, INT8_MAX
        )

    numbers = [byte if byte < 128 else byte - 256 for byte in range(256)]
    table: Bytes = np.array([entry(number) % 256 for number in numbers], np.uint8)
    return Lookup(operator, (source,), output, table)


def import_arg_extreme(model: TfliteModel, operator: Operator) -> Node:
    """ARG_MAX or ARG_MIN along one axis: the first position of the extreme (`ArgMinMax`)."""
    source, output = operand(model, operator, 0), result(model, operator)
    require_dtype(operator, source, "int8", "uint8", "float32")
    require_dtype(operator, output, "int32", "int64")
    require_static(operator, source, output)
    rank = len(source.shape)
    axes = constant_ints(operator, operand(model, operator, 1))
    if len(axes) != 1 or not -rank <= axes[0] < rank:
        raise refuse(
            operator,
            source,
            f"is searched along axes {list(axes)} of {rank} dimensions; exactly one is needed",
        )
    axis = axes[0] % rank
    outer, inner = math.prod(source.shape[:axis]), math.prod(source.shape[axis + 1 :])
    if output.elements != outer * inner:
        raise refuse(operator, output, f"should hold one position for each of {outer * inner} rows")
    return ArgExtreme(
        operator, (source,), output, operator.name == "ARG_MAX", outer, source.shape[axis], inner
    )


def import_cast(model: TfliteModel, operator: Operator) -> Node:
    """CAST between integers and float32, as a C cast; floats beyond the target's range, undefined in C, saturate."""
    source, output = operand(model, operator, 0), result(model, operator)
    for tensor in (source, output):
        require_dtype(operator, tensor, *CASTABLE)
        require_static(operator, tensor)
    if source.elements != output.elements:
        raise refuse(operator, output, f"has {output.elements} elements, the input has {source.elements}")
    return Cast(operator, (source,), output)


def import_sqrt(model: TfliteModel, operator: Operator) -> Node:
    """SQRT of float32, rounded to nearest as IEEE 754 has it."""
    source, output = operand(model, operator, 0), result(model, operator)
    for tensor in (source, output):
        require_dtype(operator, tensor, "float32")
        require_static(operator, tensor)
    if source.elements != output.elements:
        raise refuse(operator, output, f"has {output.elements} elements, the input has {source.elements}")
    return SquareRoot(operator, (source,), output)


def _limit_shift(operator: Operator, output: Tensor, shift: int, limit: int) -> None:
    if shift > limit:
        raise refuse(
            operator, output, f"has a scale 2^{shift} times finer than its input; the limit is 2^{limit}",
            "Quantize with representative data",
        )  # fmt: skip
