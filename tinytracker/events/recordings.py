"""Recordings of event sensors in the HDF5 layouts that the field uses, as one kind of arrays.

Known: the columns of DSEC (Gehrig et al., RA-L 2021), the table of v2e, and Prophesee's HDF5 event files.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinytracker.errors import InputFileError, UsageError
from tinytracker.events.hdf5 import Hdf5Reader
from tinytracker.events.stream import Events, checked
from tinytracker.files import StrPath

_HINT = "Convert it to events/{x,y,p,t} in HDF5; docs/events.md shows how."


def read_events(path: StrPath, size: tuple[int, int] | None = None) -> Events:
    """Read a recording; the first event is at the time that the file says, in µs.

    Args:
        path: HDF5 file: a clip of this project, a recording as in DSEC, by v2e, or by Prophesee's Metavision.
        size: width and height of the sensor, px; None for what the file says, or else what the events need.

    Raises:
        InputFileError: the file is missing, damaged, empty, or of another layout.
        UsageError: the size is smaller than 1.

    Example:
        >>> from tinytracker.events import read_events
        >>> len(read_events("clips/00000/clip-000.h5")) > 0
        True
    """
    path = Path(path)
    if size is not None and min(size) < 1:
        raise UsageError(
            f"The sensor's size is {size[0]} × {size[1]} px.", "Give a width and height of 1 or more."
        )
    with Hdf5Reader(path, _HINT) as file:
        found = next((read for holds, read in _LAYOUTS if holds(file)), None)
        if found is None:
            held = ", ".join(sorted(file.file)) or "nothing"
            raise InputFileError(path, f"none of the known layouts of events (the file holds {held})", _HINT)
        columns, noted = found(file)
    x, y, p, t = columns
    if len(x) and len(y) and size is None:
        size = noted or (int(x.max()) + 1, int(y.max()) + 1)
    width, height = size or (1, 1)
    return checked(Events(x, y, p, t, width, height), path)


_Columns = tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint8], NDArray[np.int64]]
_Found = tuple[_Columns, tuple[int, int] | None]


def _read_dsec(file: Hdf5Reader) -> _Found:
    """One array per column, times from an offset of the whole file; clips of this project have the same."""
    columns = _columns(file, lambda name, dtype: file.array(f"events/{name}", dtype))
    offset = file.whole_number("t_offset") if "t_offset" in file.file else 0
    size = None
    if "width" in file.file.attrs:
        size = file.attribute("width"), file.attribute("height")
    return (*columns[:3], columns[3] + offset), size


def _read_v2e(file: Hdf5Reader) -> _Found:
    """One table with columns t, x, y and polarity."""
    table = file.array("events", np.int64, columns=4)
    at = {"t": 0, "x": 1, "y": 2, "p": 3}
    return _columns(
        file, lambda name, dtype: file.converted(f"events[:, {at[name]}]", table[:, at[name]], dtype)
    ), None


def _read_metavision(file: Hdf5Reader) -> _Found:
    """One array of records x, y, p, t; the size is text in an attribute."""
    records = file.records("CD/events", ("x", "y", "p", "t"))
    columns = _columns(file, lambda name, dtype: file.converted(f"CD/events {name}", records[name], dtype))
    width, by, height = file.text("geometry").partition("x")
    known = by and width.isdecimal() and height.isdecimal()
    return columns, (int(width), int(height)) if known else None


def _columns(file: Hdf5Reader, column: Callable[[str, DTypeLike], NDArray[Any]]) -> _Columns:
    """Return the columns; polarities are written as 0 and 1, or as -1 and 1."""
    p = column("p", np.int16)
    up = np.where(p == -1, 0, p)
    x, y, t = column("x", np.uint16), column("y", np.uint16), column("t", np.int64)
    return x, y, file.converted("the polarity", up, np.uint8), t


_LAYOUTS: tuple[tuple[Callable[[Hdf5Reader], bool], Callable[[Hdf5Reader], _Found]], ...] = (
    (lambda file: file.is_group("events"), _read_dsec),
    (lambda file: file.is_array("events"), _read_v2e),
    (lambda file: file.is_array("CD/events"), _read_metavision),
)
