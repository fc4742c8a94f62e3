"""Pictures of events as arrays: event frames, time surfaces and rasters."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.errors import UsageError
from tinytracker.events.stream import Events

Strip = tuple[int, int, int, int]
Pixel = TypeVar("Pixel", np.int8, np.float32)


def event_frame(events: Events, start_us: int, stop_us: int, strip: Strip | None = None) -> NDArray[np.int8]:
    """Return what happened last in each pixel during a window.

    Args:
        events: of a clip or a recording.
        start_us: µs.
        stop_us: µs; an event at this time is outside.
        strip: x, y, width and height, px, of the part to show; None for the whole sensor.

    Returns:
        (height, width) int8: 1 where the light rose, -1 where it fell, 0 where nothing happened.

    Raises:
        UsageError: the window is empty, or the strip is not inside the sensor.
    """
    _check_window(start_us, stop_us)
    frame = np.zeros((events.height, events.width), np.int8)
    found = events.between(start_us, stop_us)
    frame[found.y, found.x] = np.where(found.p == 1, 1, -1)  # of equal places, the last one stays
    return _cut(frame, strip, events)


def time_surface(
    events: Events, at_us: int, tau_us: float = 30_000.0, strip: Strip | None = None
) -> Floats32:
    """Return how recently each pixel has seen an event: exp(-age / tau) (Lagorce et al., HOTS, TPAMI 39, 2017).

    Args:
        events: of a clip or a recording.
        at_us: µs; later events are not seen.
        tau_us: µs, after which an event counts 1/e.
        strip: x, y, width and height, px, of the part to show; None for the whole sensor.

    Returns:
        (height, width, 2) float32 from 0 to 1: falling light, then rising light.

    Raises:
        UsageError: tau is not positive, or the strip is not inside the sensor.
    """
    if not tau_us > 0:
        raise UsageError(f"tau is {tau_us} µs.", "It must be above 0.")
    found = events.between(int(events.t[0]) if len(events) else 0, at_us + 1)
    last = np.full((events.height, events.width, 2), -np.inf)
    last[found.y, found.x, found.p] = found.t
    return _cut(np.exp((last - at_us) / tau_us).astype(np.float32), strip, events)


def raster(
    events: Events, start_us: int, stop_us: int, bins: int, strip: Strip | None = None
) -> NDArray[np.uint16]:
    """Count the events of each column over time.

    Args:
        events: of a clip or a recording.
        start_us: µs.
        stop_us: µs; an event at this time is outside.
        bins: number of equal intervals.
        strip: x, y, width and height, px, of the part to count; None for the whole sensor.

    Returns:
        (width, bins, 2) uint16: falling light, then rising light.

    Raises:
        UsageError: the window is empty, there are no bins, or the strip is not inside the sensor.
    """
    _check_window(start_us, stop_us)
    if bins < 1:
        raise UsageError(f"bins is {bins}.", "It must be 1 or more.")
    x0, y0, w, h = _checked_strip(strip, events)
    found = events.between(start_us, stop_us)
    inside = (found.x >= x0) & (found.x < x0 + w) & (found.y >= y0) & (found.y < y0 + h)
    column = found.x[inside].astype(np.int64) - x0
    part = (found.t[inside] - start_us) * bins // (stop_us - start_us)
    counts = np.bincount((column * bins + part) * 2 + found.p[inside], minlength=w * bins * 2)
    return np.minimum(counts, 65535).astype(np.uint16).reshape(w, bins, 2)


def _check_window(start_us: int, stop_us: int) -> None:
    if stop_us <= start_us:
        raise UsageError(f"The window {start_us} to {stop_us} µs is empty.", "Give a later stop.")


def _checked_strip(strip: Strip | None, events: Events) -> Strip:
    x, y, w, h = strip or (0, 0, events.width, events.height)
    if min(x, y) < 0 or min(w, h) < 1 or x + w > events.width or y + h > events.height:
        size = f"{events.width} × {events.height} px"
        raise UsageError(
            f"The strip {x}, {y}, {w}, {h} is not inside the sensor of {size}.", "Give a smaller one."
        )
    return x, y, w, h


def _cut(picture: NDArray[Pixel], strip: Strip | None, events: Events) -> NDArray[Pixel]:
    x, y, w, h = _checked_strip(strip, events)
    return picture[y : y + h, x : x + w]
