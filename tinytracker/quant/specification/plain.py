"""Operators on int32 and float32 without any quantization: the arithmetic of C, element by element.

int32 wraps and divides towards zero; float32 is rounded to nearest after each operation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinytracker.errors import ModelError
from tinytracker.quant.specification.arithmetic import divided, wrap32
from tinytracker.quant.specification.call import Array, Call, Rule

_PLAIN = ("int32", "float32")


def plain_or(quantized: Rule) -> Rule:
    """The rule of an operator that exists on plain numbers too: `quantized` where the first input is 8 bit."""

    def choose(call: Call) -> Array | tuple[Array, ...]:
        return plain(call) if call.source(0).dtype in _PLAIN else quantized(call)

    return choose


def plain(call: Call) -> Array:
    """ADD, SUB, MUL, DIV, FLOOR_DIV, MAXIMUM or MINIMUM of two int32 or float32 tensors that broadcast."""
    if call.activation != "NONE":
        raise ModelError(
            f"{call.operator.label} has the fused activation {call.activation} on plain numbers."
        )
    first, second = call.value(0), call.value(1)
    if call.target.dtype == "float32":
        with np.errstate(all="ignore"):  # infinities and NaN are answers here
            return _FLOATS[call.operator.name](first, second)
    return wrap32(_INTEGERS[call.operator.name](first.astype(np.int64), second.astype(np.int64)))


def maximum(first: Array, second: Array) -> Array:
    """The larger value; the second where they cannot be compared."""
    return np.where(first > second, first, second)


def minimum(first: Array, second: Array) -> Array:
    """The smaller value; the second where they cannot be compared."""
    return np.where(first < second, first, second)


def square_root(call: Call) -> Array:
    """SQRT of float32, rounded to nearest."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(call.value(0))


_EITHER: dict[str, Callable[[Array, Array], Array]] = {
    "ADD": np.add, "SUB": np.subtract, "MUL": np.multiply, "MAXIMUM": maximum, "MINIMUM": minimum,
}  # fmt: skip
_FLOATS = _EITHER | {"DIV": np.divide}
_INTEGERS = _EITHER | {"DIV": divided, "FLOOR_DIV": np.floor_divide}

RULES: dict[str, Rule] = {"DIV": plain, "FLOOR_DIV": plain, "SQRT": square_root}
"""Operators that exist on plain numbers alone."""
