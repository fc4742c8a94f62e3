"""Device time and host time: offset and drift from exchanges, with a bound that needs no symmetric line.

An exchange: the host sends at t1, the device receives at t2 and answers at t3, the host receives at t4; t1 and t4 on
the host's clock, t2 and t3 on the device's. The usual estimate takes the middle, ((t2 - t1) + (t3 - t4)) / 2, and is
wrong by half the difference of the two ways (RFC 5905). But no message arrives before it is sent, so whatever the
delays were, the line host = offset + rate · device lies above every (t2, t1) and below every (t3, t4). All lines that
do form a convex set of (offset, rate) pairs; its extent at a time is how wrong any estimate can be at that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.errors import RefusedError

Counts = NDArray[np.int64]

MAX_DRIFT = 500e-6
"""No crystal, and no board that runs from one, is further off than this."""

WANDER = 0.5e-6
"""Share of the session's length added to the bound. A crystal that warms up changes by up to about 4e-6; a rate that
changes evenly by F over a time S departs from the best line by less than F · S / 8."""

WINDOW = 8
"""Exchanges of which the one with the shortest round trip counts (NTP's clock filter)."""

CLOCK_UNKNOWN = "clock-unknown"


@dataclass(frozen=True)
class Clock:
    """The host's time as a line of the device's: host_ns = origin_ns + offset + rate · (ticks - origin_ticks).

    Attributes:
        origin_ticks, origin_ns: a device time and a host time near each other, exact integers, so that the rest is
            small enough for float64.
        ticks_per_s: of the device.
        offset_ns: host minus device at the origin, ns. rate: host ns per device ns.
        bound_ns: no host time that this clock gives inside the session is further off, whatever the delays were.
        round_trip_ns: shortest, and median.
        residual_ns: standard deviation of the filtered exchanges from the line.
        exchanges: how many were used.
        first_ticks, last_ticks: the time for which the bound holds.
    """

    origin_ticks: int
    origin_ns: int
    ticks_per_s: float
    offset_ns: float
    rate: float
    bound_ns: float
    round_trip_ns: tuple[float, float]
    residual_ns: float
    exchanges: int
    first_ticks: int
    last_ticks: int

    @property
    def drift_ppm(self) -> float:
        """How much faster the host's clock runs than the device's, in millionths."""
        return (self.rate - 1) * 1e6

    def host_ns(self, ticks: NDArray[np.int64] | int) -> Floats:
        """Host time minus `origin_ns`, ns, of device times."""
        device = (np.asarray(ticks, np.int64) - self.origin_ticks).astype(np.float64) * (
            1e9 / self.ticks_per_s
        )
        return np.asarray(self.offset_ns + self.rate * device)

    def as_json(self) -> dict[str, float | int | list[float]]:
        """For the JSON document."""
        return {
            "offset_ns": self.offset_ns, "drift_ppm": self.drift_ppm, "bound_us": self.bound_ns / 1e3,
            "round_trip_us": [t / 1e3 for t in self.round_trip_ns], "residual_us": self.residual_ns / 1e3,
            "exchanges": self.exchanges,
        }  # fmt: skip


def estimate_clock(
    exchanges: Counts | Sequence[Sequence[int]], ticks_per_s: float, span: tuple[int, int] | None = None
) -> Clock:
    """Fit the clock.

    The line is Theil and Sen's through the middle of the exchange with the shortest round trip of each window; where
    no possible line can be as far out at an end of the session, it is moved to the outermost one.

    Args:
        exchanges: (N, 4) t1 ns, t2 ticks, t3 ticks, t4 ns, in order; N >= 1.
        ticks_per_s: of the device.
        span: device times between which the clock is going to be used; None for that of the exchanges.

    Raises:
        RefusedError: `clock-unknown`, there is no exchange or they contradict each other.
    """
    table = np.asarray(exchanges, np.int64).reshape(-1, 4)
    trips = (table[:, 3] - table[:, 0]) - (table[:, 2] - table[:, 1]) * (1e9 / ticks_per_s)
    tick_ns = 1e9 / ticks_per_s
    # A counter shows the tick that has begun: what it stamps happened up to a tick later.
    usable = (table[:, 3] >= table[:, 0]) & (table[:, 2] >= table[:, 1]) & (trips >= -2 * tick_ns)
    if not usable.any():
        raise RefusedError(
            CLOCK_UNKNOWN,
            f"none of {len(table)} clock exchanges can be used",
            "Measure again; the device answers `tt clock`.",
        )
    table, trips = table[usable], trips[usable]
    origin_ns, origin_ticks = int(table[0, 0]), int(table[0, 1])
    sent, back = ((table[:, k] - origin_ns).astype(np.float64) for k in (0, 3))
    received, answered = ((table[:, k] - origin_ticks) * tick_ns for k in (1, 2))
    lines = _possible_lines(received + tick_ns, sent, answered, back)
    if not len(lines):
        raise RefusedError(
            CLOCK_UNKNOWN,
            f"no steady clock fits {len(table)} exchanges",
            "The device was reset, or its clock jumped, during the session.",
        )
    chosen = _shortest(trips)
    device, host = (received + answered + tick_ns)[chosen] / 2, (sent + back)[chosen] / 2
    rate = _theil_sen(device, host)
    offset = float(np.median(host - rate * device))
    first, last = span or (int(table[0, 1]), int(table[-1, 2]))
    ends = (np.array([first, last], np.int64) - origin_ticks) * tick_ns
    offset, rate = _clipped(offset, rate, lines, ends)
    # The distance of a line from a convex set of lines is convex in time: it is largest at one of the ends.
    apart = np.abs(lines[:, :1] + lines[:, 1:] * ends - (offset + rate * ends))
    bound = float(apart.max()) + WANDER * float(np.ptp(np.concatenate([ends, device]))) + tick_ns
    return Clock(
        origin_ticks,
        origin_ns,
        ticks_per_s,
        offset,
        rate,
        bound,
        (float(trips.min()), float(np.median(trips))),
        float(np.std(host - offset - rate * device)),
        len(table),
        first,
        last,
    )


def _shortest(trips: Floats) -> NDArray[np.intp]:
    """Index of the shortest round trip of each window."""
    return np.array(
        [at + int(np.argmin(trips[at : at + WINDOW])) for at in range(0, len(trips), WINDOW)], np.intp
    )


def _theil_sen(x: Floats, y: Floats) -> float:
    """Median slope of all pairs (Theil 1950, Sen 1968); 1 where there are none."""
    first, second = np.triu_indices(len(x), 1)
    run = x[second] - x[first]
    slopes = (y[second] - y[first])[run > 0] / run[run > 0]
    return float(np.clip(np.median(slopes), 1 - MAX_DRIFT, 1 + MAX_DRIFT)) if len(slopes) else 1.0


def _possible_lines(below_x: Floats, below_y: Floats, above_x: Floats, above_y: Floats) -> Floats:
    """Corners (K, 2) offset and rate of all lines above the points below and below the points above.

    Few points matter: those on the hull that faces the line. Every corner of the set is a line through two of them,
    or through one at the largest or smallest rate.
    """
    low = _hull(below_x, below_y, upper=True)
    high = _hull(above_x, above_y, upper=False)
    points = np.concatenate([low, high])
    first, second = np.triu_indices(len(points), 1)
    run = points[second, 0] - points[first, 0]
    apart = run != 0
    rates = (points[second, 1] - points[first, 1])[apart] / run[apart]
    through = points[first[apart]]
    inside = np.abs(rates - 1) <= MAX_DRIFT
    rates, through = rates[inside], through[inside]
    for limit in (1 - MAX_DRIFT, 1 + MAX_DRIFT):
        rates = np.concatenate([rates, np.full(len(points), limit)])
        through = np.concatenate([through, points])
    offsets = through[:, 1] - rates * through[:, 0]
    # Corners touch their own points; rounding must not throw them out.
    slack = 1e-9 * (1 + np.abs(points).max()) + 1e-3
    fits = np.all(offsets[:, None] + rates[:, None] * low[:, 0] >= low[:, 1] - slack, 1)
    fits &= np.all(offsets[:, None] + rates[:, None] * high[:, 0] <= high[:, 1] + slack, 1)
    lines: Floats = np.stack([offsets, rates], 1)[fits]
    return lines


def _hull(x: Floats, y: Floats, upper: bool) -> Floats:
    """(K, 2) corners of the upper or lower convex hull (Andrew 1979)."""
    sign = 1.0 if upper else -1.0
    order = np.lexsort((-sign * y, x))
    corners: list[tuple[float, float]] = []
    for at in order:
        point = float(x[at]), float(y[at])
        if corners and point[0] == corners[-1][0]:
            continue
        while len(corners) > 1:
            (ax, ay), (bx, by) = corners[-2:]
            turn = (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)
            if sign * turn < 0:
                break
            corners.pop()
        corners.append(point)
    return np.array(corners)


def _clipped(offset: float, rate: float, lines: Floats, ends: Floats) -> tuple[float, float]:
    """The line, moved at either end of the session to where a possible line can be."""
    possible = lines[:, :1] + lines[:, 1:] * ends
    at_ends = np.clip(offset + rate * ends, possible.min(0), possible.max(0))
    if ends[1] > ends[0]:
        rate = float((at_ends[1] - at_ends[0]) / (ends[1] - ends[0]))
    return float(at_ends[0] - rate * ends[0]), rate
