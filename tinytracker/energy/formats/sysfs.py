"""Power that this computer measures itself: the rails of a Jetson (INA3221), or the energy counters of a PC (RAPL).

`tinytracker.measure.sysfs.record` writes the file: a line that describes it, then rows. Their times are on this
computer's clock, on which frames of the target `host` are stamped too, so that nothing has to be aligned. Rows come
when the program is scheduled; here they become even samples:

- RAPL counts energy, so a sample is the difference of two readings, wherever they were taken, and no energy is lost.
- The INA3221 gives current and voltage at the moment of reading, which are interpolated.

A hole of more than `HOLE` intervals is a gap: what happened in it is not known well enough for a phase.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.energy.formats import ReadOptions
from tinytracker.energy.trace import Trace, find_gaps
from tinytracker.errors import InputFileError
from tinytracker.files import opened_for_reading

MAGIC = "# tinytracker-sysfs "
VERSION = 1
COLUMNS = {"rapl": ("time_ns", "energy_uj"), "ina3221": ("time_ns", "current_ma", "voltage_mv")}
"""By source; a column more for each further rail, see `_columns`."""

HOLE = 5.0
_LIMIT = 1 << 20
_LABELS = {"rapl": "RAPL", "ina3221": "INA3221"}


def matches(path: Path, head: bytes) -> bool:
    """Whether the file begins with our line."""
    return head.startswith(MAGIC.encode())


def read(path: Path, options: ReadOptions) -> Trace:
    """Read a recording.

    Raises:
        InputFileError: the first line or a row is damaged, or there are fewer than three rows.
    """
    described, rows = _rows(path)
    source = str(described["source"])
    time_s = rows[:, 0] / 1e9
    if source == "rapl":
        power_w, grid, rate_hz = _from_energy(rows, described, time_s)
        voltage: float | NDArray[np.float32] = 1.0
        current = power_w
        note = "RAPL counts energy and knows no voltage: current is power at an assumed 1 V."
    else:
        current, voltage, grid, rate_hz = _from_rails(rows, time_s)
        note = ""
    rails = ", ".join(map(str, described["rails"]))
    samples = current.astype(np.float32)
    return Trace(
        samples,
        voltage,
        rate_hz,
        float(grid[0]),
        gaps=find_gaps(samples),
        full_scale_a=options.full_scale_a,
        meter=f"{_LABELS[source]} ({rails})",
        notes=(note,) if note else (),
        is_host_clock=True,
    )


def _rows(path: Path) -> tuple[dict[str, Any], Floats]:
    """The description and (N, columns) numbers; a last row that was cut off is skipped."""
    with opened_for_reading(path) as file:
        first = file.readline(_LIMIT)
        content = file.read()
    try:
        described = json.loads(first[len(MAGIC) :])
        columns = len(COLUMNS[described["source"]])
        is_known = described["version"] == VERSION and isinstance(described["rails"], list)
    except (ValueError, KeyError, TypeError):
        raise InputFileError(
            path, "the first line does not describe the recording", "Record again."
        ) from None
    if not is_known:
        raise InputFileError(path, "a recording of an unknown version", "Use the release that wrote it.")
    lines = content.split(b"\n")[1:-1]  # after the header of the columns; the last has no newline
    try:
        rows = np.array([line.split(b",") for line in lines], np.float64).reshape(-1, columns)
    except ValueError:
        raise InputFileError(path, f"a row does not have {columns} numbers", "Record again.") from None
    if len(rows) < 3:
        raise InputFileError(path, f"it has {len(rows)} samples; at least 3 are needed", "Record for longer.")
    if not np.isfinite(rows).all() or (np.diff(rows[:, 0]) <= 0).any():
        raise InputFileError(path, "its times do not increase, or a number is not finite", "Record again.")
    return described, rows


def _from_energy(rows: Floats, described: dict[str, Any], time_s: Floats) -> tuple[Floats, Floats, float]:
    """Power in W of even samples, their times, and their rate."""
    wraps = described.get("range_uj") or 0
    steps = np.diff(rows[:, 1])
    steps = np.where(steps < 0, steps + wraps, steps)
    energy_j = np.concatenate([[0.0], np.cumsum(steps)]) / 1e6
    interval = float(np.median(np.diff(time_s)))
    borders = np.arange(time_s[0], time_s[-1], interval)
    grid = borders[:-1] + interval / 2
    power = np.diff(np.interp(borders, time_s, energy_j)) / interval
    power[_in_holes(grid, time_s, interval)] = np.nan
    return power, grid, 1 / interval


def _from_rails(rows: Floats, time_s: Floats) -> tuple[Floats, NDArray[np.float32], Floats, float]:
    """Current in A and voltage in V of even samples, their times, and their rate."""
    interval = float(np.median(np.diff(time_s)))
    grid = np.arange(time_s[0], time_s[-1], interval)
    current = np.interp(grid, time_s, rows[:, 1] / 1e3)
    voltage = np.interp(grid, time_s, rows[:, 2] / 1e3)
    current[_in_holes(grid, time_s, interval)] = np.nan
    return current, voltage.astype(np.float32), grid, 1 / interval


def _in_holes(grid: Floats, time_s: Floats, interval: float) -> NDArray[np.bool_]:
    """Which even samples lie where readings are far apart."""
    after = np.clip(np.searchsorted(time_s, grid, "right"), 1, len(time_s) - 1)
    holes: NDArray[np.bool_] = (time_s[after] - time_s[after - 1]) > HOLE * interval
    return holes
