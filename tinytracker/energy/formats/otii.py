"""CSV export of Qoitech Otii: a file per channel, `Timestamp,Value`, named `Main current - DEVICE.csv`.

Time in s, current in A, voltage in V. The channels belong together by the device's name: voltage and digital inputs
are taken from the files beside the current's. An export with all channels in one file has a column per channel.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.energy.formats import ReadOptions, voltage_or_fail
from tinytracker.energy.formats.table import (
    Grid,
    Table,
    check_finite,
    even_grid,
    header_of,
    read_table,
)
from tinytracker.energy.trace import Levels, Samples, Trace, find_gaps
from tinytracker.errors import InputFileError

_FILE = re.compile(r"main current(?P<device>.*)\.csv", re.IGNORECASE)
_CURRENT = re.compile(r"(?:.*\b)?main current\b.*", re.IGNORECASE)
_VOLTAGE = re.compile(r"(?:.*\b)?main voltage\b.*", re.IGNORECASE)
_LINE = re.compile(r"(?:.*\b)?(?:gpi ?|i)([12])\b.*", re.IGNORECASE)
_STAMP = re.compile(r"time ?stamp|time", re.IGNORECASE)


def matches(path: Path, head: bytes) -> bool:
    """Whether the header is Otii's: a stamp, and a main current, which the file's name may give instead."""
    found = header_of(head)
    if found is None or not _STAMP.fullmatch(found[0][0].name):
        return False
    names = [column.name for column in found[0]]
    return (names[1:] == ["value"] and _FILE.fullmatch(path.name) is not None) or any(
        map(_CURRENT.fullmatch, names)
    )


def read(path: Path, options: ReadOptions) -> Trace:
    """Read an Otii export.

    Raises:
        InputFileError: not such an export, or damaged.
        UsageError: no voltage in it, and none was given.
    """
    table = read_table(path)
    names = [column.name for column in table.columns]
    single = len(names) == 2
    at = 1 if single else next((k for k, name in enumerate(names) if _CURRENT.fullmatch(name)), 0)
    if not at or not _STAMP.fullmatch(names[0]):
        raise InputFileError(path, "there is no column Timestamp followed by the main current")
    _check_unit(path, table, at, "a")
    current = table.numbers(at)
    check_finite(path, "current", current)
    grid = even_grid(path, table.numbers(0))
    current_a = grid.spread(current)
    voltage = None
    if options.voltage_v is None:
        voltage = _beside_voltage(path, grid) if single else _column_voltage(path, table, grid)
    voltage_v: float | Samples = voltage_or_fail(path, options) if voltage is None else voltage
    if voltage is not None:
        current_a[np.isnan(voltage)] = np.nan
    digital, lines = _beside_lines(path, grid) if single else _column_lines(table, grid)
    return Trace(
        current_a,
        voltage_v,
        grid.rate_hz,
        grid.start_s,
        digital=digital if lines else None,
        lines=lines,
        gaps=find_gaps(current_a),
        full_scale_a=options.full_scale_a,
        meter="Qoitech Otii",
        notes=table.notes,
    )


def _check_unit(path: Path, table: Table, column: int, unit: str) -> None:
    said = table.columns[column].unit
    if said and said != unit:
        raise InputFileError(
            path, f"{table.columns[column].name!r} is in {said!r}; Otii exports {unit.upper()}"
        )


def _column_voltage(path: Path, table: Table, grid: Grid) -> Samples | None:
    for at, column in enumerate(table.columns):
        if _VOLTAGE.fullmatch(column.name):
            _check_unit(path, table, at, "v")
            values = table.numbers(at)
            check_finite(path, "voltage", values)
            return grid.spread(values)
    return None


def _column_lines(table: Table, grid: Grid) -> tuple[Levels, int]:
    levels, lines = np.zeros(len(table.rows), np.uint8), 0
    for at, column in enumerate(table.columns):
        match = _LINE.fullmatch(column.name)
        if match:
            bit = int(match[1]) - 1
            levels |= (table.numbers(at) > 0.5).astype(np.uint8) << np.uint8(bit)
            lines |= 1 << bit
    return grid.spread_levels(levels), lines


def _beside(path: Path, channel: str) -> Table | None:
    """The table of another channel of the same device, exported beside this one."""
    match = _FILE.fullmatch(path.name)
    if match is None:
        return None
    wanted = f"{channel}{match['device']}.csv".lower()
    for other in sorted(path.parent.glob("*.csv")):
        if other.name.lower() == wanted:
            return read_table(other)
    return None


def _stamps(grid: Grid) -> Floats:
    return grid.start_s + np.arange(grid.length) / grid.rate_hz


def _beside_voltage(path: Path, grid: Grid) -> Samples | None:
    table = _beside(path, "main voltage")
    if table is None:
        return None
    if len(table.columns) != 2:
        raise InputFileError(path, "the file of the main voltage beside it does not have two columns")
    time, value = table.numbers(0), table.numbers(1)
    check_finite(path, "voltage", value)
    slow = even_grid(path, time)  # the same demands as on the current
    # Otii samples the voltage more slowly than the current; in between it is taken to change evenly, and the last
    # sample holds until the next one would have come. A file that was cut before says nothing about the rest.
    stamps = _stamps(grid)
    voltage = np.interp(stamps, time, value, left=np.nan, right=value[-1])
    voltage[stamps > time[-1] + (1 + 1e-6) / slow.rate_hz] = np.nan
    return voltage.astype(np.float32)


def _beside_lines(path: Path, grid: Grid) -> tuple[Levels, int]:
    """Digital inputs are exported as changes: a stamp and the level from then on."""
    digital, lines = np.zeros(grid.length, np.uint8), 0
    for bit in range(2):
        table = next(
            (t for name in (f"gpi{bit + 1}", f"gpi {bit + 1}", f"digital input {bit + 1}", f"i{bit + 1}")
             if (t := _beside(path, name)) is not None),
            None,
        )  # fmt: skip
        if table is None or len(table.columns) != 2:
            continue
        time, value = table.numbers(0), table.numbers(1)
        if not np.all(np.isfinite(time)) or np.any(np.diff(time) < 0):
            raise InputFileError(path, f"the times of digital input {bit + 1} beside it do not ascend")
        known = np.searchsorted(time, _stamps(grid), "right") - 1
        level = np.where(known >= 0, value[np.maximum(known, 0)] > 0.5, False)
        digital |= level.astype(np.uint8) << np.uint8(bit)
        lines |= 1 << bit
    return digital, lines
