"""Tables of a FlatBuffer by field number, every offset checked.

The generated readers check nothing and would need the schema's code; what is read here are a dozen fields.
Source of the layout: the FlatBuffers internals document (flatbuffers.dev/internals).
"""

from __future__ import annotations

import struct

MAX_TEXT_BYTES = 256
MAX_TABLES = 1 << 16
"""In one vector; a small damaged file could otherwise point at one table from everywhere."""


class DamagedError(ValueError):
    """An offset or a length points outside of the buffer."""


def unpack(data: bytes, form: str, position: int) -> int | float:
    """One little-endian number (a `struct` letter) at a position.

    Raises:
        DamagedError: it would lie outside.
    """
    # struct reads negative positions from the end, which would turn damage into nonsense.
    if position < 0 or position + struct.calcsize(f"<{form}") > len(data):
        raise DamagedError(f"a number at byte {position} of {len(data)}")
    value: int | float = struct.unpack_from(f"<{form}", data, position)[0]
    return value


def integer(data: bytes, form: str, position: int) -> int:
    """`unpack` for the letters that give integers."""
    return int(unpack(data, form, position))


def require_span(data: bytes, position: int, length: int) -> None:
    """Make sure that a range lies inside.

    Raises:
        DamagedError: it does not.
    """
    if position < 0 or length < 0 or position + length > len(data):
        raise DamagedError(f"{length} bytes at byte {position} of {len(data)}")


def span(data: bytes, position: int, length: int) -> bytes:
    """Bytes of a range.

    Raises:
        DamagedError: it would lie outside.
    """
    require_span(data, position, length)
    return data[position : position + length]


class Table:
    """One table. Field numbers are those of the schema, counted from 0.

    Args:
        data: the whole FlatBuffer.
        position: of the table.
    """

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position
        self._vtable = position - integer(data, "i", position)
        self._vtable_bytes = integer(data, "H", self._vtable)

    @classmethod
    def root(cls, data: bytes) -> Table:
        """The root table."""
        return cls(data, integer(data, "I", 0))

    def _field(self, number: int) -> int | None:
        """Position of a field's value, or None when the file leaves it at its default."""
        entry = 4 + 2 * number
        if entry + 2 > self._vtable_bytes:
            return None
        offset = integer(self._data, "H", self._vtable + entry)
        return self._position + offset if offset else None

    def _target(self, number: int) -> int | None:
        """Position that a field's offset points to."""
        position = self._field(number)
        return None if position is None else position + integer(self._data, "I", position)

    def number(self, number: int, form: str, default: int = 0) -> int:
        """An integer field by its `struct` letter."""
        position = self._field(number)
        return default if position is None else integer(self._data, form, position)

    def real(self, number: int, default: float = 0.0) -> float:
        """A 32-bit float field."""
        position = self._field(number)
        return default if position is None else float(unpack(self._data, "f", position))

    def table(self, number: int) -> Table | None:
        """A sub-table, or a union's value."""
        position = self._target(number)
        return None if position is None else Table(self._data, position)

    def content(self, number: int) -> bytes:
        """A vector of bytes or a string; empty when left out."""
        position = self._target(number)
        return b"" if position is None else self._vector(position)

    def length(self, number: int) -> int:
        """Bytes of a vector of bytes or a string, without copying them."""
        position = self._target(number)
        return 0 if position is None else self._length(position)

    def text(self, number: int) -> str:
        """A string, cut to a sane length."""
        position = self._target(number)
        if position is None:
            return ""
        length = min(self._length(position), MAX_TEXT_BYTES)
        return self._data[position + 4 : position + 4 + length].decode("utf-8", errors="replace")

    def tables(self, number: int) -> list[Table]:
        """A vector of tables."""
        return [Table(self._data, p) for p in self._targets(number)]

    def contents(self, number: int) -> list[bytes]:
        """A vector of strings; strings that share bytes so as to exceed the buffer are refused.

        Raises:
            DamagedError: outside, or together longer than the buffer.
        """
        found: list[bytes] = []
        left = len(self._data)
        for position in self._targets(number):
            found.append(self._vector(position))
            left -= len(found[-1])
            if left < 0:
                raise DamagedError("strings that overlap")
        return found

    def _length(self, position: int) -> int:
        length = integer(self._data, "I", position)
        require_span(self._data, position + 4, length)
        return length

    def _vector(self, position: int) -> bytes:
        return span(self._data, position + 4, integer(self._data, "I", position))

    def _targets(self, number: int) -> list[int]:
        position = self._target(number)
        if position is None:
            return []
        count = integer(self._data, "I", position)
        if count > MAX_TABLES:
            raise DamagedError(f"a vector of {count} tables")
        require_span(self._data, position + 4, 4 * count)
        entries = range(position + 4, position + 4 + 4 * count, 4)
        return [entry + integer(self._data, "I", entry) for entry in entries]
