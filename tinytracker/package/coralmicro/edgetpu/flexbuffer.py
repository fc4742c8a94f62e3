"""Reads a FlexBuffer whose root is a map of integers, byte strings and flat vectors; every offset is checked.

The `flatbuffers` package also reads FlexBuffers, but decodes strings as UTF-8, and the string needed here is a
binary package. Source of the layout: the FlatBuffers internals document, "FlexBuffers".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tinytracker.flatbuffer import DamagedError, integer, span

Value: TypeAlias = "int | bytes | tuple[int | bytes | None, ...] | None"
"""None stands for null and for kinds that are not needed here (floats, nested maps)."""

MAX_ENTRIES = 4096
MAX_KEY_BYTES = 256

_INTEGER, _UNSIGNED, _KEY, _STRING, _MAP, _VECTOR, _BLOB, _BOOL = 1, 2, 4, 5, 9, 10, 25, 26
_TYPED_VECTORS = {11: _INTEGER, 12: _UNSIGNED, 36: _BOOL}
_SIGNED_FORMS = {1: "b", 2: "h", 4: "i", 8: "q"}


@dataclass(frozen=True)
class _Reference:
    """Place and width of a value's slot, the type, and the width of what an offset in it points to."""

    position: int
    slot_bytes: int
    kind: int
    width: int


def read_map(data: bytes) -> dict[str, Value]:
    """Return the entries of the root map.

    Raises:
        DamagedError: the root is not a map, or an offset points outside.
    """
    if len(data) < 3:
        raise DamagedError(f"its {len(data)} bytes are too few for a FlexBuffer")
    slot_bytes = data[-1]
    if slot_bytes not in _SIGNED_FORMS:
        raise DamagedError(f"its root has {slot_bytes} bytes")
    root = _reference(len(data) - 2 - slot_bytes, slot_bytes, data[-2])
    if root.kind != _MAP:
        raise DamagedError(f"its root is of type {root.kind}; a map is expected")
    return _map(data, root)


def _reference(position: int, slot_bytes: int, packed_type: int) -> _Reference:
    return _Reference(position, slot_bytes, packed_type >> 2, 1 << (packed_type & 3))


def _unsigned(data: bytes, position: int, width: int) -> int:
    return integer(data, _SIGNED_FORMS[width].upper(), position)


def _indirect(data: bytes, position: int, slot_bytes: int) -> int:
    """Follow an offset, which points backwards from the slot that holds it."""
    return position - _unsigned(data, position, slot_bytes)


def _size(data: bytes, position: int, width: int) -> int:
    return _unsigned(data, position - width, width)


def _map(data: bytes, reference: _Reference) -> dict[str, Value]:
    width = reference.width
    values = _indirect(data, reference.position, reference.slot_bytes)
    count = _size(data, values, width)
    if count > MAX_ENTRIES:
        raise DamagedError(f"a map has {count} entries")
    keys = _indirect(data, values - 3 * width, width)
    key_width = _unsigned(data, values - 2 * width, width)
    if key_width not in _SIGNED_FORMS:
        raise DamagedError(f"its keys are {key_width} bytes wide")
    found: dict[str, Value] = {}
    for i in range(count):
        key = _key(data, _indirect(data, keys + i * key_width, key_width))
        packed_type = integer(data, "B", values + count * width + i)
        found[key] = _value(data, _reference(values + i * width, width, packed_type))
    return found


def _key(data: bytes, position: int) -> str:
    end = data.find(b"\0", position, position + MAX_KEY_BYTES) if position >= 0 else -1
    if end < 0:
        raise DamagedError("a key has no end")
    return data[position:end].decode("utf-8", errors="replace")


def _value(data: bytes, reference: _Reference) -> Value:
    if reference.kind == _VECTOR or reference.kind in _TYPED_VECTORS:
        return _elements(data, reference)
    return _scalar(data, reference)


def _scalar(data: bytes, reference: _Reference) -> int | bytes | None:
    if reference.kind == _INTEGER:
        return integer(data, _SIGNED_FORMS[reference.slot_bytes], reference.position)
    if reference.kind in (_UNSIGNED, _BOOL):
        return _unsigned(data, reference.position, reference.slot_bytes)
    if reference.kind in (_STRING, _BLOB):
        start = _indirect(data, reference.position, reference.slot_bytes)
        return span(data, start, _size(data, start, reference.width))
    return None


def _elements(data: bytes, reference: _Reference) -> tuple[int | bytes | None, ...]:
    """Return a vector; nested containers in it become None."""
    width = reference.width
    start = _indirect(data, reference.position, reference.slot_bytes)
    count = _size(data, start, width)
    if count > MAX_ENTRIES:
        raise DamagedError(f"a vector has {count} elements")
    typed = _TYPED_VECTORS.get(reference.kind)
    if typed is not None:
        return tuple(_scalar(data, _Reference(start + i * width, width, typed, width)) for i in range(count))
    types = span(data, start + count * width, count)
    found: list[int | bytes | None] = []
    left = len(data)
    for i in range(count):
        found.append(_scalar(data, _reference(start + i * width, width, types[i])))
        left -= len(found[-1]) if isinstance(found[-1], bytes) else 0
        if left < 0:
            raise DamagedError("strings overlap")
    return tuple(found)
