"""C of the portable kernels for pairs of values, positions of extremes and conversions."""

from __future__ import annotations

import math

from tinytracker.codegen.cwriter import c_int, c_ints
from tinytracker.codegen.graph_values import ArgExtreme, Cast, Pairwise, QuantizedPair, SquareRoot
from tinytracker.codegen.import_elementwise import broadcast_shape
from tinytracker.codegen.kernel import LayerCode


def write_pair(node: Pairwise, code: LayerCode) -> None:
    """`tt_FUNCTION_TYPE`."""
    _write(node, code, f"tt_{node.function}_{node.output.dtype}", {}, f"tt_pairwise_{node.output.dtype}.c")


def write_quantized_pair(node: QuantizedPair, code: LayerCode) -> None:
    """Write `tt_subtract_int8` or `tt_prelu_int8`."""
    scales = {
        f"{kind}{suffix}": c_int(values[i])
        for i, suffix in enumerate(("_a", "_b", ""))
        for kind, values in (("multiplier", node.multipliers), ("shift", node.shifts))
    }
    fields = {
        "offset_a": c_int(node.offsets[0]),
        "offset_b": c_int(node.offsets[1]),
        **scales,
        "out_zero": c_int(node.zero_point),
        "act_min": c_int(node.act_min),
        "act_max": c_int(node.act_max),
    }
    _write(node, code, f"tt_{node.function}_int8", fields, "tt_pairwise_int8.c")


def write_arg_extreme(node: ArgExtreme, code: LayerCode) -> None:
    """`tt_arg_extreme`."""
    fields = {
        "outer": c_int(node.outer),
        "size": c_int(node.size),
        "inner": c_int(node.inner),
        "is_max": c_int(int(node.is_max)),
        "type": _number(node.inputs[0].dtype),
        "is_wide": c_int(int(node.output.dtype == "int64")),
    }
    parameters = code.structure("tt_extreme_t", fields, "tt_convert.h")
    code.sources.update(("tt_convert.h", "tt_convert.c"))
    code.call("tt_arg_extreme", parameters, code.read(node.inputs[0]), code.write(node.output))


def write_cast(node: Cast, code: LayerCode) -> None:
    """`tt_cast`."""
    code.sources.update(("tt_convert.h", "tt_convert.c"))
    source, target = code.read(node.inputs[0]), code.write(node.output)
    types = _number(node.inputs[0].dtype), _number(node.output.dtype)
    code.call("tt_cast", node.output.elements, *types, source, target)


def write_sqrt(node: SquareRoot, code: LayerCode) -> None:
    """`tt_sqrt_float32`."""
    code.sources.update(("tt_sqrt.h", "tt_sqrt.c"))
    code.call("tt_sqrt_float32", node.output.elements, code.read(node.inputs[0]), code.write(node.output))


def _write(
    node: Pairwise | QuantizedPair, code: LayerCode, function: str, scales: dict[str, str], source: str
) -> None:
    if node.inputs[0].shape == node.inputs[1].shape:
        shape: tuple[int, ...] = (1, 1, 1, node.output.elements)  # any rank; one long row is fastest
        strides: list[tuple[int, ...]] = [(0, 0, 0, 1), (0, 0, 0, 1)]
    else:
        shape = broadcast_shape(node.output.shape)
        strides = [_strides(broadcast_shape(tensor.shape)) for tensor in node.inputs]
    fields = {
        "shape": c_ints(shape),
        "strides_a": c_ints(strides[0]),
        "strides_b": c_ints(strides[1]),
        **scales,
    }
    parameters = code.structure("tt_binary_t", fields)
    code.sources.update(("tt_pairwise.h", source))
    operands = [code.read(tensor, f"input_{i}") for i, tensor in enumerate(node.inputs)]
    code.call(function, parameters, *operands, code.write(node.output))


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the elements between neighbours along each dimension, 0 where the input is repeated."""
    return tuple(0 if n == 1 else math.prod(shape[i + 1 :]) for i, n in enumerate(shape))


def _number(dtype: str) -> str:
    return f"TT_NUMBER_{dtype.upper()}"
