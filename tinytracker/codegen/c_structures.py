"""Size in bytes of a structure of the kernel headers, computed from its declaration."""

from __future__ import annotations

import re
from functools import cache
from math import prod

from tinytracker.codegen.kernel_text import kernel_source

WORD_BYTES = 4
"""Size of an integer and of a pointer on the 32-bit targets; the headers have no other members."""

_ENUM = re.compile(r"typedef enum \{[^{}]*\} (?P<name>\w+);")
_STRUCTURE = re.compile(r"typedef struct \{(?P<members>[^{}]*)\} (?P<name>\w+);")
_MEMBER = re.compile(r"(?P<type>\w+) (?P<pointer>\*?)(?P<name>\w+)(?P<sizes>(\[\w+\])*)$")
_CONSTANT = re.compile(r"^#define (?P<name>\w+) (?P<value>\d+)", re.MULTILINE)
_INCLUDE = re.compile(r'^#include "(\w+\.h)"', re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def structure_bytes(name: str, header: str = "tt_kernels.h") -> int:
    """Return the bytes of a structure that a header of the kernel library declares.

    Args:
        name: name of the type ("tt_conv_t").
        header: file that declares it; the structures inside it are declared there, or in headers that it includes.

    Raises:
        KeyError: the header does not declare this structure.
    """
    return _sizes(header)[name]


@cache
def _sizes(header: str) -> dict[str, int]:
    text = kernel_source(header)
    constants = {match["name"]: int(match["value"]) for match in _CONSTANT.finditer(text)}
    # An enumeration may be shorter than a word, but what follows it in these structures begins at one.
    sizes = {"int32_t": WORD_BYTES}
    for included in _INCLUDE.findall(text):
        sizes |= _sizes(included)
    sizes |= {match["name"]: WORD_BYTES for match in _ENUM.finditer(text)}
    for match in _STRUCTURE.finditer(_COMMENT.sub("", text)):
        members = [member.strip() for member in match["members"].split(";") if member.strip()]
        sizes[match["name"]] = sum(_member_bytes(member, sizes, constants) for member in members)
    return sizes


def _member_bytes(member: str, sizes: dict[str, int], constants: dict[str, int]) -> int:
    match = _MEMBER.search(member)
    assert match is not None, member
    lengths = re.findall(r"\w+", match["sizes"])
    count = prod(constants[n] if n in constants else int(n) for n in lengths)
    return count * (WORD_BYTES if match["pointer"] else sizes[match["type"]])
