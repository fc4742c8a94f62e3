"""Reads what edgetpu_compiler prints: sizes, counts and the table of operators."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAPPED = "Mapped to Edge TPU"

_UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_SIZE = r"([\d.]+)\s*(B|KiB|MiB|GiB)"


@dataclass(frozen=True)
class OperatorRow:
    """A row of the table that `--show_operations` prints.

    Attributes:
        name: operator. count: how many there are. status: "Mapped to Edge TPU", or why not.
    """

    name: str
    count: int
    status: str

    @property
    def is_mapped(self) -> bool:
        """Return True when these operators run on the chip."""
        return self.status == MAPPED


@dataclass(frozen=True)
class CompilerLog:
    """Facts in the compiler's output; None or empty for those that it does not state.

    Attributes:
        version: version of the compiler, such as "16.0.384591198".
        cached_bytes: parameters kept on the chip. free_bytes: free memory there. streamed_bytes: parameters sent
            for each inference.
        subgraphs: number on the chip. operations: number in the model.
        rows: rows of the operator table.
    """

    version: str
    cached_bytes: int | None
    free_bytes: int | None
    streamed_bytes: int | None
    subgraphs: int | None
    operations: int | None
    rows: tuple[OperatorRow, ...]

    @property
    def unmapped(self) -> tuple[OperatorRow, ...]:
        """Return the rows of operators that stay on the CPU."""
        return tuple(r for r in self.rows if not r.is_mapped)


def parse_log(text: str) -> CompilerLog:
    """Read the compiler's output; unknown lines are skipped, because versions differ."""
    version = re.search(r"Edge TPU Compiler version (\S+)", text)
    return CompilerLog(
        version=version.group(1) if version else "",
        cached_bytes=_size(text, "On-chip memory used for caching model parameters"),
        free_bytes=_size(text, "On-chip memory (?:remaining|available) for caching model parameters"),
        streamed_bytes=_size(text, "Off-chip memory used for streaming uncached model parameters"),
        subgraphs=_count(text, "Number of Edge TPU subgraphs"),
        operations=_count(text, "Total number of operations"),
        rows=tuple(
            OperatorRow(m[1], int(m[2]), m[3].strip())
            for m in re.finditer(r"^([A-Z][A-Z0-9_]+)\s+(\d{1,9})\s+(\S.*)$", text, re.MULTILINE)
        ),
    )


def _size(text: str, label: str) -> int | None:
    match = re.search(rf"{label}:\s*{_SIZE}", text)
    if match is None:
        return None
    try:
        return round(float(match[1]) * _UNITS[match[2]])
    except ValueError:
        return None


def _count(text: str, label: str) -> int | None:
    match = re.search(rf"{label}:\s*(\d{{1,9}})\b", text)
    return int(match[1]) if match else None
