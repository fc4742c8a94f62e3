"""Plain CSV with units in the header: `time_s,current_mA,voltage_V,D0,D1`.

Columns in any order; units as `_mA`, `(mA)` or `[mA]`. Lines are named D0 to D7 or GPI0 to GPI7, their values 0 or 1.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.energy.formats import ReadOptions, voltage_or_fail
from tinytracker.energy.formats.table import (
    UNITS,
    Column,
    Table,
    check_finite,
    even_grid,
    header_of,
    read_table,
)
from tinytracker.energy.trace import Trace, find_gaps
from tinytracker.errors import InputFileError

NAMES = {
    "time": ("time", "timestamp", "t"),
    "current": ("current", "i"),
    "voltage": ("voltage", "u", "v"),
}


def matches(path: Path, head: bytes) -> bool:
    """Whether there is a header with time and current."""
    found = header_of(head)
    return found is not None and all(_find(found[0], what) is not None for what in ("time", "current"))


def read(path: Path, options: ReadOptions) -> Trace:
    """Read a plain CSV."""
    table = read_table(path)
    return trace_of(path, table, options, "CSV")


def trace_of(path: Path, table: Table, options: ReadOptions, meter: str) -> Trace:
    """Make a trace of a table whose columns have the usual names.

    Raises:
        InputFileError: a column or its unit is missing; values that are not measurements.
        UsageError: no voltage.
    """
    time = quantity(path, table, "time")
    current = quantity(path, table, "current")
    if time is None or current is None:
        missing = "time" if time is None else "current"
        raise InputFileError(path, f"there is no column for {missing}", "Name it like time_s or current_mA.")
    check_finite(path, "current", current)
    # A row whose current is not a number is a lost sample, like a missing row.
    grid = even_grid(path, time)
    current_a = grid.spread(current)
    voltage = None if options.voltage_v is not None else quantity(path, table, "voltage")
    voltage_v: float | np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    if voltage is None:
        voltage_v = voltage_or_fail(path, options)
    else:
        check_finite(path, "voltage", voltage)
        voltage_v = grid.spread(voltage)
        current_a[np.isnan(voltage_v)] = np.nan
    digital = np.zeros(len(table.rows), np.uint8)
    lines = 0
    for line, column in _lines(table.columns).items():
        levels = table.numbers(column)
        if not np.all((levels == 0) | (levels == 1)):
            row = int(np.flatnonzero((levels != 0) & (levels != 1))[0])
            raise InputFileError(path, f"line D{line} of sample {row} is {levels[row]:g}, not 0 or 1")
        digital |= levels.astype(np.uint8) << np.uint8(line)
        lines |= 1 << line
    return Trace(
        current_a,
        voltage_v,
        grid.rate_hz,
        grid.start_s,
        digital=grid.spread_levels(digital) if lines else None,
        lines=lines,
        gaps=find_gaps(current_a),
        full_scale_a=options.full_scale_a,
        meter=meter,
        notes=table.notes,
    )


def quantity(path: Path, table: Table, what: str) -> Floats | None:
    """(N,) of a column in s, A or V; None when there is no such column.

    Raises:
        InputFileError: its unit is missing or unknown.
    """
    at = _find(table.columns, what)
    if at is None:
        return None
    unit = table.columns[at].unit
    if unit not in UNITS[what]:
        known = ", ".join(u for u in UNITS[what] if u.isascii())
        said = f"has the unit {unit!r}" if unit else "has no unit"
        raise InputFileError(path, f"the column {table.columns[at].name!r} {said}", f"Known: {known}.")
    return table.numbers(at) * UNITS[what][unit]


def _find(columns: tuple[Column, ...], what: str) -> int | None:
    for name in NAMES[what]:
        for at, column in enumerate(columns):
            if column.name == name:
                return at
    return None


def _lines(columns: tuple[Column, ...]) -> dict[int, int]:
    """Line number -> column."""
    found = {}
    for at, column in enumerate(columns):
        match = re.fullmatch(r"(?:d|gpi|line)_?([0-7])", column.name)
        if match and not column.unit:
            found[int(match[1])] = at
    return found
