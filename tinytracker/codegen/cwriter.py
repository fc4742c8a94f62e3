"""Small pieces of C text: arrays, structure initializers, float literals, comments."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_C_TYPES = {
    "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t", "int64": "int64_t",
    "float32": "float",
}  # fmt: skip
_WIDTH = 116


def c_type(dtype: str) -> str:
    """Return the C type of a tensor's elements."""
    return _C_TYPES[dtype]


def c_int(value: int) -> str:
    """Return an int32 literal; INT32_MIN has no direct spelling in C."""
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)


def c_float(value: float) -> str:
    """Return a float literal that reads back as exactly this float32."""
    text = np.format_float_scientific(np.float32(value), unique=True)
    mantissa, exponent = text.split("e")
    return f"{mantissa}{'0' if mantissa.endswith('.') else ''}e{int(exponent)}f"


def c_array(name: str, values: NDArray[np.generic]) -> str:
    """Return a `static const` array with these contents; the dtype gives the C type; needs `CONSTANTS_MACRO`."""
    if values.dtype.kind == "f":
        flat = ", ".join(c_float(float(v)) for v in values.reshape(-1))
    else:
        flat = ", ".join(c_int(int(v)) for v in values.reshape(-1))
    body = textwrap.fill(
        flat, _WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )
    return f"static const {c_type(str(values.dtype))} {name}[{values.size}] TT_CONSTANTS = {{\n{body}\n}};"


CONSTANTS_MACRO = """\
/* A build can place the large constants, for example -DTT_CONSTANTS_SECTION='".data.network"'. */
#ifdef TT_CONSTANTS_SECTION
#define TT_CONSTANTS __attribute__((section(TT_CONSTANTS_SECTION)))
#else
#define TT_CONSTANTS
#endif
"""
"""Defines the attribute of the arrays of `c_array`; belongs in front of them."""


def c_struct(c_name: str, name: str, fields: Mapping[str, str]) -> str:
    """Return a `static const` structure with these members."""
    body = "".join(f"    .{key} = {value},\n" for key, value in fields.items())
    return f"static const {c_name} {name} = {{\n{body}}};"


def c_ints(values: Sequence[int]) -> str:
    """Return the initializer of a small integer array."""
    return "{" + ", ".join(c_int(v) for v in values) + "}"


def c_members(fields: Mapping[str, int]) -> str:
    """Return the initializer of a nested structure of integers."""
    return "{" + ", ".join(f".{key} = {c_int(value)}" for key, value in fields.items()) + "}"


def c_string(text: str) -> str:
    """Return a string literal; anything except plain printable characters becomes a question mark."""
    return '"' + re.sub(r'[^ -~]|["\\?]', "_", text) + '"'


def c_comment(text: str) -> str:
    """Return the text in a form that is safe inside a comment."""
    return re.sub(r"[^ -~]", "_", text).replace("*/", "* /").replace("/*", "/ *")
