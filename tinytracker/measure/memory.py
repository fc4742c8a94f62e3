"""How fast a board reads data, by where it lies: answers to `tt bench memory`, and what they say."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

BESIDE_CODE = "beside-code"
CONSTANTS = "constants"

_NOTICEABLE = 0.03
"""Differences below 3 % of a read are not worth a rebuild."""


class MemorySpeed(BaseModel):
    """Reading words from one place.

    Attributes:
        place: "beside-code" (where a compiler puts constants by itself), "beside-code-alias" (the same bytes at another
            address), "constants" (where the network's are), "variables" or "stack".
        address: of the first word. reads: words that were read. ticks: how long that took, the fastest of three times.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    place: str = Field(pattern=r"^[a-z-]+$")
    address: int = Field(ge=0, lt=1 << 32)
    reads: int = Field(gt=0)
    ticks: int = Field(ge=0)

    def ns_per_read(self, ticks_per_s: float) -> float:
        """Return ns for each word, the loop around the read included."""
        return self.ticks / ticks_per_s * 1e9 / self.reads


def parse_memory(value: str) -> MemorySpeed:
    """Return what a line `m-tt-memory-[VALUE]` says.

    Raises:
        ValueError: its checksum is wrong, or a field.
    """
    body, _, crc = value.rpartition(",")
    if crc != f"{zlib.crc32(body.encode('ascii', 'replace')):08x}":
        raise ValueError("checksum")
    fields = body.split(",")
    if len(fields) != 4:
        raise ValueError(f"{len(fields)} fields instead of 4")
    place, address, reads, ticks = fields
    return MemorySpeed(place=place, address=int(address, 16), reads=int(reads), ticks=int(ticks))


def recorded_memory(metadata: dict[str, Any]) -> tuple[MemorySpeed, ...]:
    """Return the places that a session's header has; none when it has none that can be read."""
    stored = metadata.get("memory")
    try:
        return tuple(MemorySpeed.model_validate(part) for part in stored) if isinstance(stored, list) else ()
    except ValidationError:
        return ()


def memory_sentences(speeds: Sequence[MemorySpeed], ticks_per_s: float, is_emulated: bool) -> list[str]:
    """Return what the places say, for the table of a session and for a report."""
    if not speeds:
        return []
    each = ", ".join(f"{s.place} ({s.address:#010x}) {s.ns_per_read(ticks_per_s):.1f}" for s in speeds)
    said = [f"Memory, ns for a read and its share of the loop: {each}."]
    if is_emulated:
        return [f"{said[0]} Emulated: every place costs the same there."]
    times = {s.place: s.ns_per_read(ticks_per_s) for s in speeds}
    if times.get(BESIDE_CODE) and CONSTANTS in times:  # a slow clock may have counted no tick
        change = times[CONSTANTS] / times[BESIDE_CODE] - 1
        if abs(change) < _NOTICEABLE:
            said.append("The network's constants are read as fast as data beside the code.")
        else:
            faster = "faster" if change < 0 else "slower"
            said.append(
                f"The network's constants are read {abs(change):.0%} {faster} than data beside the code."
            )
    return said
