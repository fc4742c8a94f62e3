"""Tables of samples in text: columns by name and unit, even spacing with holes, lines that were cut off.

Shared by the CSV formats, which differ only in what they call their columns.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.energy.trace import Levels, Samples, Spans
from tinytracker.errors import InputFileError
from tinytracker.files import opened_for_reading

UNITS: dict[str, dict[str, float]] = {
    "time": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9},
    "current": {"a": 1.0, "ma": 1e-3, "ua": 1e-6, "µa": 1e-6, "μa": 1e-6, "na": 1e-9},
    "voltage": {"v": 1.0, "mv": 1e-3, "uv": 1e-6, "µv": 1e-6, "μv": 1e-6},
}
"""Factor to s, A or V; keys in lower case (none of these units differs from another by case alone)."""

MAX_LOST_SHARE = 0.9
_HEADER_BYTES = 65536
_EVEN = 0.3
# What a damaged exponent makes of a time: beyond these, quotients of times overflow.
_LONGEST_S = 1e15
_SHORTEST_S = 1e-12


@dataclass(frozen=True)
class Column:
    """One column of the header.

    Attributes:
        name: in lower case, without the unit. unit: in lower case, "" when the header names none.
    """

    name: str
    unit: str


@dataclass(frozen=True)
class Table:
    """Content of a CSV file.

    Attributes:
        columns: of the header. rows: structured array, one field per column, named f0, f1, ...
        notes: what was skipped.
    """

    columns: tuple[Column, ...]
    rows: NDArray[np.void]
    notes: tuple[str, ...]

    def numbers(self, column: int) -> Floats:
        """(N,) float64 of one column."""
        return np.asarray(self.rows[f"f{column}"], np.float64)


def header_of(head: bytes) -> tuple[tuple[Column, ...], str] | None:
    """Columns and delimiter of a CSV's first line, or None when it is not a header."""
    line = head.split(b"\n", 1)[0]
    try:
        text = line.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return None
    delimiter = max(",;\t", key=text.count)
    names = [name.strip().strip("\"'").strip() for name in text.split(delimiter)]
    if (not text.isprintable() and delimiter != "\t") or not any(re.match(r"[A-Za-z]", n) for n in names):
        return None
    return tuple(_column(name) for name in names), delimiter


def _column(text: str) -> Column:
    """Split "Current (uA)", "current [mA]" or "current_mA" into name and unit."""
    match = re.fullmatch(r"(.*?)\s*[\[(]\s*([^\])]*)\s*[\])]", text)
    if match is None:
        known = "|".join(u for units in UNITS.values() for u in units)
        match = re.fullmatch(rf"(.+)[_ /]({known})", text, re.IGNORECASE)
    name, unit = (match[1], match[2]) if match else (text, "")
    return Column(name.strip().lower(), unit.strip().lower())


def read_table(path: Path, text_columns: Sequence[int] = (), text_width: int = 8) -> Table:
    """Read a CSV with a header; every column is a number, except `text_columns`.

    A last line without its newline was cut off: it is skipped, because half a number looks like a number.

    Raises:
        InputFileError: no header, a row that does not fit, nothing in it.
    """
    with opened_for_reading(path) as file:
        found = header_of(file.read(_HEADER_BYTES))
        if found is None:
            raise InputFileError(path, "the first line is not a header that names columns")
        columns, delimiter = found
        file.seek(0)
        file.readline()
        size = path.stat().st_size
        body = file.tell()
        whole, notes = _end_of_last_line(file, body, size)
        if whole <= body:
            raise InputFileError(path, "it holds no samples")
        kinds = [(f"f{k}", f"S{text_width}" if k in text_columns else "f8") for k in range(len(columns))]
        file.seek(body)
        try:
            with warnings.catch_warnings():
                # "input contained no data" becomes our own sentence below.
                warnings.simplefilter("ignore", UserWarning)
                rows = np.loadtxt(
                    _lines(file, whole - body), np.dtype(kinds), delimiter=delimiter, comments=None,
                    ndmin=1, encoding="utf-8",
                )  # fmt: skip
        except (ValueError, IndexError, OverflowError) as error:
            reason = str(error).split("\n")[0].rstrip(".")
            raise InputFileError(
                path, f"a row does not fit the header ({reason}; rows count from 0)"
            ) from None
    if not len(rows):
        raise InputFileError(path, "it holds no samples")
    return Table(columns, rows, notes)


def _end_of_last_line(file: BinaryIO, begin: int, size: int) -> tuple[int, tuple[str, ...]]:
    """Where the last whole line ends, and a note when there is half a line behind it."""
    at = max(begin, size - _HEADER_BYTES)
    file.seek(at)
    tail = file.read()
    if not tail or tail.endswith(b"\n"):
        return size, ()
    end = tail.rfind(b"\n") + 1
    return at + end if end else begin, ("The last line was cut off and is skipped.",)


def _lines(file: BinaryIO, size: int) -> Iterator[str]:
    """Text lines of the next `size` bytes."""
    for line in file:
        size -= len(line)
        if size < 0:
            return
        # A byte outside UTF-8 becomes a character that is not part of a number: the parser reports the row.
        yield line.decode("utf-8", "replace")


@dataclass(frozen=True)
class Grid:
    """Where samples with time stamps lie on an even grid.

    Attributes:
        index: (N,) place of each sample, from 0, ascending. rate_hz: of the grid.
        start_s: time of place 0. length: places. gaps: places without a sample, see `Trace.gaps`.
    """

    index: NDArray[np.int64]
    rate_hz: float
    start_s: float
    length: int
    gaps: Spans

    def spread(self, values: Floats) -> Samples:
        """(length,) float32 with NaN where there is no sample."""
        if not len(self.gaps):
            return values.astype(np.float32)
        spread = np.full(self.length, np.nan, np.float32)
        spread[self.index] = values
        return spread

    def spread_levels(self, values: Levels) -> Levels:
        """(length,) levels, 0 where there is no sample."""
        if not len(self.gaps):
            return values
        spread = np.zeros(self.length, np.uint8)
        spread[self.index] = values
        return spread


def even_grid(path: Path, time_s: Floats) -> Grid:
    """The even grid that time stamps belong to; rows that are missing become gaps.

    Stamps may be rounded, but not by more than 0.3 intervals, and the clock must not stand still or run backwards.

    Raises:
        InputFileError: the samples are not evenly spaced, or most of them are missing.
    """
    if len(time_s) < 2:
        raise InputFileError(path, f"{len(time_s)} sample is not enough")
    if not np.all(np.isfinite(time_s)):
        row = int(np.flatnonzero(~np.isfinite(time_s))[0])
        raise InputFileError(path, f"the time of sample {row} is not a number")
    if np.abs(time_s).max() > _LONGEST_S:
        row = int(np.argmax(np.abs(time_s)))
        raise InputFileError(path, f"the time of sample {row} is {time_s[row]:g} s")
    step = np.diff(time_s)
    if step.min() <= 0:
        row = int(np.argmin(step)) + 1
        raise InputFileError(
            path,
            f"time does not advance at sample {row} ({time_s[row - 1]!r} s, then {time_s[row]!r} s)",
            "Export with more digits, or with the samples in order.",
        )
    interval = float(np.median(step))
    if interval < _SHORTEST_S:
        raise InputFileError(path, f"its samples are {interval:.3g} s apart; no meter is that fast")
    near = step[step < 1.5 * interval]
    interval = float(near.mean())  # rounded stamps: the mean of many is finer than any one
    places = step / interval
    whole = np.maximum(np.rint(places), 1)
    # After a long gap the rounded interval itself is too coarse to count on; the gap is then a fraction too long.
    uneven = np.abs(places - whole) > np.maximum(_EVEN, 1e-4 * whole)
    if uneven.any():
        row = int(np.flatnonzero(uneven)[0]) + 1
        raise InputFileError(
            path,
            f"samples are not evenly spaced: {step[row - 1]:.3g} s before sample {row}, {interval:.3g} s elsewhere",
            "Use a recording with a constant rate.",
        )
    span = float(whole.sum())
    if span + 1 > len(time_s) / (1 - MAX_LOST_SHARE):
        share = 100 * (1 - len(time_s) / (span + 1))
        raise InputFileError(path, f"{share:.1f} % of the samples are missing")
    index = np.concatenate([[0], np.cumsum(whole)]).astype(np.int64)
    hole = np.flatnonzero(whole > 1)
    gaps = np.stack([index[hole] + 1, index[hole + 1]], 1)
    rate = span / float(time_s[-1] - time_s[0])
    return Grid(index, rate, float(time_s[0]), int(index[-1]) + 1, gaps)


def settle_uncertain(levels: Levels, uncertain: NDArray[np.bool_]) -> Levels:
    """Levels of one line in which a sample that saw both levels takes the level before it.

    Args:
        levels: (N,) 0 or 1.
        uncertain: (N,) where the line changed within the sample.
    """
    where = np.flatnonzero(uncertain)
    if not len(where):
        return levels
    settled = levels.copy()
    first = where[np.concatenate([[True], np.diff(where) > 1])]
    source = np.maximum(first[np.searchsorted(first, where, "right") - 1] - 1, 0)
    settled[where] = levels[source]
    return settled


def check_finite(path: Path, what: str, values: Floats) -> None:
    """Make sure that a column holds numbers that a meter can have measured.

    Raises:
        InputFileError: infinity or a number that no meter measures.
    """
    bad = ~(np.abs(values) < 1e6) & ~np.isnan(values)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputFileError(path, f"{what} of sample {row} is {values[row]:g}")
