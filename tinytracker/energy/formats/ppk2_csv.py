"""CSV export of Nordic's Power Profiler (PPK2): `Timestamp(ms),Current(uA),D0-D7` or `...,D0,D1,...,D7`.

The user chooses the columns. Levels are 0, 1, X (both within the sample) or - (not recorded); lost samples
are missing from the file, so they show as steps of the time stamp. The voltage is not in it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.energy.formats import ReadOptions, voltage_or_fail
from tinytracker.energy.formats.csv import quantity
from tinytracker.energy.formats.table import (
    Table,
    check_finite,
    even_grid,
    header_of,
    read_table,
    settle_uncertain,
)
from tinytracker.energy.trace import Levels, Trace, find_gaps
from tinytracker.errors import InputFileError

FULL_SCALE_A = 1.0
"""The end of a PPK2's range."""

_BITS = "d0-d7"
_SINGLE = tuple(f"d{line}" for line in range(8))


def matches(path: Path, head: bytes) -> bool:
    """Whether the header is Nordic's."""
    return head.lstrip(b"\xef\xbb\xbf").startswith(b"Timestamp(ms),Current(uA)")


def read(path: Path, options: ReadOptions) -> Trace:
    """Read a Power Profiler export.

    Raises:
        InputFileError: not such an export, or damaged.
        UsageError: no voltage was given.
    """
    voltage = voltage_or_fail(path, options)
    with path.open("rb") as file:
        found = header_of(file.read(4096))
    columns = found[0] if found else ()
    text = [k for k, column in enumerate(columns) if column.name == _BITS or column.name in _SINGLE]
    table = read_table(path, text, 9)  # one more than is right, so that too long an entry shows
    time, current = quantity(path, table, "time"), quantity(path, table, "current")
    if time is None or current is None:
        raise InputFileError(
            path, "the columns Timestamp(ms) and Current(uA) are needed", "Export again with both selected."
        )
    check_finite(path, "current", current)
    grid = even_grid(path, time)
    current_a = grid.spread(current)
    digital, lines = _levels(path, table)
    return Trace(
        current_a,
        voltage,
        grid.rate_hz,
        grid.start_s,
        digital=grid.spread_levels(digital) if lines else None,
        lines=lines,
        gaps=find_gaps(current_a),
        full_scale_a=options.full_scale_a or FULL_SCALE_A,
        meter="Nordic PPK2",
        notes=table.notes,
    )


def _levels(path: Path, table: Table) -> tuple[Levels, int]:
    """(N,) bits and the lines that were recorded throughout."""
    names = [column.name for column in table.columns]
    digital = np.zeros(len(table.rows), np.uint8)
    lines = 0
    packed = _characters(path, table.rows[f"f{names.index(_BITS)}"], 8) if _BITS in names else None
    for line in range(8):
        if packed is not None:
            signs = packed[:, line]
        elif _SINGLE[line] in names:
            signs = _characters(path, table.rows[f"f{names.index(_SINGLE[line])}"], 1)[:, 0]
        else:
            continue
        known = [signs == ord(sign) for sign in "01X-"]
        unknown = ~np.logical_or.reduce(known)
        if unknown.any():
            row = int(np.flatnonzero(unknown)[0])
            raise InputFileError(
                path, f"line D{line} of sample {row} is {chr(signs[row])!r}, not 0, 1, X or -"
            )
        _, high, both, absent = known
        if absent.any():
            continue
        digital |= settle_uncertain(high.astype(np.uint8), both) << np.uint8(line)
        lines |= 1 << line
    return digital, lines


def _characters(path: Path, column: NDArray[np.void], width: int) -> NDArray[np.uint8]:
    """(N, width) characters of a text column."""
    text = np.ascontiguousarray(column.astype("S9"))
    signs = text.view(np.uint8).reshape(len(text), 9)
    # Shorter entries are padded with zeros.
    wrong = (signs[:, width - 1] == 0) | (signs[:, width] != 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputFileError(path, f"the levels of sample {row} are {text[row].decode('latin-1')!r}")
    return signs[:, :width]
