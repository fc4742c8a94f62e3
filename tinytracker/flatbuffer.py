"""Bounds-checked access to the tables of a FlatBuffer, by slot.

The generated readers and the generic one of the `flatbuffers` package trust their input. The files read here are
untrusted, so every offset and length is checked before it is followed, and every error gives the position.
Source of the layout: the FlatBuffers internals document (flatbuffers.dev/internals).
"""

from __future__ import annotations

import math
import struct

MAX_TABLES = 1 << 16
"""Most entries of one vector; otherwise the vectors of a small damaged file could all point at one table."""


class DamagedError(ValueError):
    """The bytes contradict themselves. Callers that read a file turn this into an error that names the file.

    Args:
        problem: what is wrong, with the value and the limit.
        position: byte offset in the buffer, or None when the problem has no single position.
    """

    def __init__(self, problem: str, position: int | None = None) -> None:
        self.problem = problem
        self.position = position
        super().__init__(problem if position is None else f"byte {position}: {problem}")


def unpack(data: bytes, form: str, position: int) -> int | float:
    """Return the little-endian number (a `struct` format letter) at a position.

    Raises:
        DamagedError: it lies outside the buffer.
    """
    # struct counts negative positions from the end, so a damaged offset would read arbitrary bytes.
    if position < 0 or position + struct.calcsize(f"<{form}") > len(data):
        raise DamagedError(f"an offset points outside the buffer of {len(data)} bytes", position)
    value: int | float = struct.unpack_from(f"<{form}", data, position)[0]
    return value


def integer(data: bytes, form: str, position: int) -> int:
    """`unpack` for format letters of integers."""
    return int(unpack(data, form, position))


def require_span(data: bytes, position: int, length: int) -> None:
    """Check that a range lies inside the buffer.

    Raises:
        DamagedError: it does not.
    """
    if position < 0 or length < 0 or position + length > len(data):
        raise DamagedError(f"{length} bytes extend beyond the buffer of {len(data)} bytes", position)


def span(data: bytes, position: int, length: int) -> bytes:
    """Return the bytes of a range.

    Raises:
        DamagedError: it lies outside the buffer.
    """
    require_span(data, position, length)
    return data[position : position + length]


class Table:
    """One table. Slots are numbered from 0 as in the schema; an absent field has its default value.

    Args:
        data: the whole FlatBuffer.
        position: offset of the table.

    Raises:
        DamagedError: in any method: an offset or a length points outside the buffer.
    """

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self.position = position
        self._vtable = position - integer(data, "i", position)
        self._vtable_bytes = integer(data, "H", self._vtable)
        if self._vtable_bytes < 4 or self._vtable_bytes % 2:
            raise DamagedError(f"a vtable of {self._vtable_bytes} bytes is not valid", position)

    @classmethod
    def root(cls, data: bytes) -> Table:
        """The root table."""
        return cls(data, integer(data, "I", 0))

    def _field(self, slot: int) -> int | None:
        """Position of a field's value, or None when the table does not have it."""
        entry = 4 + 2 * slot
        if entry + 2 > self._vtable_bytes:
            return None
        offset = integer(self._data, "H", self._vtable + entry)
        return self.position + offset if offset else None

    def _target(self, slot: int) -> int | None:
        """Position that a field's offset points to."""
        position = self._field(slot)
        return None if position is None else position + integer(self._data, "I", position)

    def _integer(self, slot: int, form: str, default: int) -> int:
        position = self._field(slot)
        return default if position is None else integer(self._data, form, position)

    def u8(self, slot: int, default: int = 0) -> int:
        """Unsigned 8-bit field."""
        return self._integer(slot, "B", default)

    def u16(self, slot: int, default: int = 0) -> int:
        """Unsigned 16-bit field."""
        return self._integer(slot, "H", default)

    def u32(self, slot: int, default: int = 0) -> int:
        """Unsigned 32-bit field."""
        return self._integer(slot, "I", default)

    def u64(self, slot: int, default: int = 0) -> int:
        """Unsigned 64-bit field."""
        return self._integer(slot, "Q", default)

    def i16(self, slot: int, default: int = 0) -> int:
        """Signed 16-bit field."""
        return self._integer(slot, "h", default)

    def i32(self, slot: int, default: int = 0) -> int:
        """Signed 32-bit field."""
        return self._integer(slot, "i", default)

    def i64(self, slot: int, default: int = 0) -> int:
        """Signed 64-bit field."""
        return self._integer(slot, "q", default)

    def f32(self, slot: int, default: float = 0.0) -> float:
        """32-bit float field; always finite."""
        position = self._field(slot)
        if position is None:
            return default
        value = float(unpack(self._data, "f", position))
        if not math.isfinite(value):
            raise DamagedError(f"a number is {value}, not finite", position)
        return value

    def table(self, slot: int) -> Table | None:
        """A sub-table, or a union's value."""
        position = self._target(slot)
        return None if position is None else Table(self._data, position)

    def required_table(self, slot: int, what: str) -> Table:
        """A sub-table that must be present; `what` names it in the message."""
        table = self.table(slot)
        if table is None:
            raise DamagedError(f"the {what} table is missing", self.position)
        return table

    def tables(self, slot: int, limit: int = MAX_TABLES) -> list[Table]:
        """A vector of tables, at most `limit` of them; empty when absent."""
        return [Table(self._data, p) for p in self._targets(slot, limit)]

    def content(self, slot: int) -> bytes:
        """A vector of bytes or a string; empty when absent."""
        position = self._target(slot)
        return b"" if position is None else self._vector(position)

    def length(self, slot: int) -> int:
        """Length in bytes of a byte vector or a string, without copying it."""
        position = self._target(slot)
        return 0 if position is None else self._length(position)

    def contents(self, slot: int) -> list[bytes]:
        """A vector of strings; rejected when they overlap so much that together they are longer than the buffer."""
        found: list[bytes] = []
        left = len(self._data)
        for position in self._targets(slot, MAX_TABLES):
            left -= self._length(position)
            if left < 0:
                raise DamagedError("strings overlap", position)
            found.append(self._vector(position))
        return found

    def text(self, slot: int) -> str:
        """A string, empty when absent; UTF-8."""
        raw = self.content(slot)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise DamagedError(f"a name is not text: {raw[:20]!r}", self.position) from None

    def shown_text(self, slot: int, max_bytes: int = 256) -> str:
        """A string for display: truncated to `max_bytes`, with invalid UTF-8 replaced."""
        position = self._target(slot)
        if position is None:
            return ""
        length = min(self._length(position), max_bytes)
        return span(self._data, position + 4, length).decode("utf-8", errors="replace")

    def _length(self, position: int) -> int:
        length = integer(self._data, "I", position)
        require_span(self._data, position + 4, length)
        return length

    def _vector(self, position: int) -> bytes:
        return span(self._data, position + 4, integer(self._data, "I", position))

    def _targets(self, slot: int, limit: int) -> list[int]:
        position = self._target(slot)
        if position is None:
            return []
        count = integer(self._data, "I", position)
        if count > limit:
            raise DamagedError(f"a list has {count} entries; the limit is {limit}", position)
        require_span(self._data, position + 4, 4 * count)
        entries = range(position + 4, position + 4 + 4 * count, 4)
        return [entry + integer(self._data, "I", entry) for entry in entries]
