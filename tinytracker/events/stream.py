"""Events as arrays: where, when, and whether the light rose or fell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import InputFileError


@dataclass(frozen=True)
class Events:
    """A stream of events, sorted by time.

    Attributes:
        x: (n,) uint16, column, from the left. y: (n,) uint16, row, from the top.
        p: (n,) uint8, 1 where the light rose, 0 where it fell. t: (n,) int64, microseconds.
        width: of the sensor, px. height: likewise.
    """

    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    p: NDArray[np.uint8]
    t: NDArray[np.int64]
    width: int
    height: int

    def __len__(self) -> int:
        return len(self.t)

    def between(self, start_us: int, stop_us: int) -> Events:
        """Return the events from `start_us` up to, but without, `stop_us`; the arrays are views."""
        a, b = np.searchsorted(self.t, (start_us, stop_us))
        return Events(self.x[a:b], self.y[a:b], self.p[a:b], self.t[a:b], self.width, self.height)


def checked(events: Events, path: Path) -> Events:
    """Return events after looking for what no sensor writes.

    Raises:
        InputFileError: there are no events, arrays differ in length, time runs backwards, a place is outside the
            sensor, or a polarity is not 0 or 1.
    """
    lengths = {name: len(getattr(events, name)) for name in ("x", "y", "p", "t")}
    if len(set(lengths.values())) != 1:
        counts = ", ".join(f"{n} of {name}" for name, n in lengths.items())
        raise InputFileError(path, f"x, y, p and t differ in length ({counts})", _DAMAGED)
    if not len(events):
        raise InputFileError(path, "this recording holds no events", "Record or draw it again.")
    for name, values, size in (("x", events.x, events.width), ("y", events.y, events.height)):
        if int(values.max()) >= size:
            raise InputFileError(
                path, f"an event has {name} = {values.max()}, outside the sensor's {size} px", _DAMAGED
            )
    if int(events.p.max()) > 1:
        raise InputFileError(path, f"a polarity is {events.p.max()}, not 0 or 1", _DAMAGED)
    backwards = np.flatnonzero(np.diff(events.t) < 0)
    if len(backwards):
        at = int(backwards[0]) + 1
        raise InputFileError(path, f"time runs backwards at event {at}", "Sort the events by time first.")
    return events


_DAMAGED = "The file is damaged; record or draw it again."
