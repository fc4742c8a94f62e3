"""A reader of FlatBuffers tables that checks every bound.

The generated and the generic readers of the flatbuffers package trust their input; a package file is not to
be trusted, so every offset is checked before it is followed and every failure says where.
"""

from __future__ import annotations

import struct
from typing import Any

from tinytracker.package.imx500.rpk.errors import RpkError

_DAMAGED = "The file is damaged; copy or package it again."


def root_table(data: bytes, name: str) -> Table:
    """The root of a FlatBuffer; `name` is used in messages."""
    (offset,) = _unpack("<I", data, 0, name)
    return Table(data, offset, name)


class Table:
    """One table: fields are read by slot, absent fields have their default (0, empty)."""

    def __init__(self, data: bytes, position: int, name: str) -> None:
        self._data, self._position, self._name = data, position, name
        (back,) = self._read("<i", position)
        self._vtable = position - back
        self._vtable_size, self._size = self._read("<HH", self._vtable)
        if self._vtable_size < 4 or self._vtable_size % 2:
            raise RpkError(self.where, f"a table description of {self._vtable_size} bytes", _DAMAGED)

    @property
    def where(self) -> str:
        """The table's place, for messages."""
        return f"{self._name}, byte {self._position}"

    def u8(self, slot: int) -> int:
        """Unsigned 8-bit field."""
        return int(self._scalar("<B", slot))

    def u16(self, slot: int) -> int:
        """Unsigned 16-bit field."""
        return int(self._scalar("<H", slot))

    def u32(self, slot: int) -> int:
        """Unsigned 32-bit field."""
        return int(self._scalar("<I", slot))

    def f32(self, slot: int) -> float:
        """32-bit float field; finite."""
        value = float(self._scalar("<f", slot))
        if value - value != 0.0:
            raise RpkError(self.where, f"a scale of {value}", _DAMAGED)
        return value

    def text(self, slot: int) -> str:
        """String field, empty when absent."""
        position = self._target(slot)
        if position is None:
            return ""
        (length,) = self._read("<I", position)
        raw = self._data[position + 4 : position + 4 + length]
        if len(raw) != length:
            raise RpkError(self.where, f"a name of {length} characters runs out of the data", _DAMAGED)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise RpkError(self.where, f"a name is not text: {raw[:20]!r}", _DAMAGED) from None

    def tables(self, slot: int, limit: int) -> list[Table]:
        """Vector of tables, at most `limit` of them."""
        position = self._target(slot)
        if position is None:
            return []
        (count,) = self._read("<I", position)
        if count > limit:
            raise RpkError(self.where, f"a list of {count} entries; at most {limit} are possible", _DAMAGED)
        places = [position + 4 + 4 * i for i in range(count)]
        return [Table(self._data, place + self._read("<I", place)[0], self._name) for place in places]

    def required_table(self, slot: int, what: str) -> Table:
        """A table field that must be there."""
        position = self._target(slot)
        if position is None:
            raise RpkError(self.where, f"the {what} table is missing", _DAMAGED)
        return Table(self._data, position, self._name)

    def _field(self, slot: int) -> int | None:
        """Position of a field's bytes, or None when the table does not have it."""
        entry = 4 + 2 * slot
        if entry + 2 > self._vtable_size:
            return None
        (offset,) = self._read("<H", self._vtable + entry)
        return self._position + offset if offset else None

    def _scalar(self, fmt: str, slot: int) -> Any:
        position = self._field(slot)
        return 0 if position is None else self._read(fmt, position)[0]

    def _target(self, slot: int) -> int | None:
        position = self._field(slot)
        return None if position is None else position + self._read("<I", position)[0]

    def _read(self, fmt: str, position: int) -> tuple[Any, ...]:
        return _unpack(fmt, self._data, position, self._name)


def _unpack(fmt: str, data: bytes, position: int, name: str) -> tuple[Any, ...]:
    if position < 0 or position + struct.calcsize(fmt) > len(data):
        raise RpkError(
            f"{name}, byte {position}", f"an offset leaves the {len(data)} bytes of the buffer", _DAMAGED
        )
    return struct.unpack_from(fmt, data, position)
