"""Device time and host time: offset and drift from exchanges, with a bound that needs no symmetric line.

An exchange: the host sends at t1, the device receives at t2 and answers at t3, the host receives at t4; t1 and t4 on
the host's clock, t2 and t3 on the device's. The usual estimate takes the middle, ((t2 - t1) + (t3 - t4)) / 2, and is
wrong by half the difference of the two ways (RFC 5905). But no message arrives before it is sent, so whatever the
delays were, the clock host(device) lies above every (t2, t1) and below every (t3, t4). Its rate is nearly constant, not
quite: crystals warm up, and where the operating system has no clock that it leaves alone, NTP changes the host's rate.
The band of all clocks that fit (`clock_band`) is how wrong any estimate can be at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.errors import RefusedError
from tinytracker.measure.clock_band import find_band
from tinytracker.words import counted

Counts = NDArray[np.int64]

MAX_DRIFT = 500e-6
"""The largest error of a crystal, and of any board that runs from one."""

WANDER = 50e-6
"""How far the rate may deviate from its centre within a session: steps of NTP's correction and crystals that
warm up (some 4e-6) together."""

WINDOW = 8
"""Exchanges of which the one with the shortest round trip counts (NTP's clock filter)."""

_MOST = 4096
"""Of more exchanges than this, those with the shortest round trips of equal stretches count: the rest add little."""

_STRAIGHT = 1.5
"""A line is kept while its bound is at most so many times the least that any clock has."""

CLOCK_UNKNOWN = "clock-unknown"


@dataclass(frozen=True)
class Clock:
    """The host's time from the device's: host_ns = origin_ns + offset + rate · (ticks - origin_ticks) + bend.

    Attributes:
        origin_ticks, origin_ns: a device time and a host time near each other, exact integers, so that the rest is
            small enough for float64.
        ticks_per_s: of the device.
        offset_ns: host minus device at the origin, ns. rate: host ns per device ns.
        bound_ns: largest error of a host time that this clock gives inside the session, whatever the delays were.
        round_trip_ns: shortest, and median.
        residual_ns: standard deviation of the filtered exchanges from the line.
        exchanges: how many were used.
        first_ticks, last_ticks: the time for which the bound holds.
        bend: (K, 2) device ns since the origin, and ns to add there, with straight lines in between; None when one line
            fits the whole session.
        local: (K, 2) device ns since the origin, and the bound there, ns; None for `bound_ns` throughout.
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
    bend: Floats | None = field(default=None, compare=False)
    local: Floats | None = field(default=None, compare=False)

    @property
    def drift_ppm(self) -> float:
        """How much faster the host's clock runs than the device's, in millionths."""
        return (self.rate - 1) * 1e6

    def host_ns(self, ticks: NDArray[np.int64] | int) -> Floats:
        """Host time minus `origin_ns`, ns, of device times."""
        device = (np.asarray(ticks, np.int64) - self.origin_ticks).astype(np.float64) * (
            1e9 / self.ticks_per_s
        )
        straight = np.asarray(self.offset_ns + self.rate * device)
        if self.bend is None:
            return straight
        return np.asarray(straight + np.interp(device, self.bend[:, 0], self.bend[:, 1]))

    def bound_between(self, first_ticks: int, last_ticks: int) -> float:
        """The largest error of a host time that this clock gives between two device times, ns."""
        if self.local is None:
            return self.bound_ns
        ends = (np.array([first_ticks, last_ticks], np.int64) - self.origin_ticks) * (1e9 / self.ticks_per_s)
        # The nodes around the stretch belong to it: between nodes the bound is at most that of one of the two.
        low = max(int(np.searchsorted(self.local[:, 0], ends[0], "right")) - 1, 0)
        high = int(np.searchsorted(self.local[:, 0], ends[1], "left")) + 1
        return float(self.local[low:high, 1].max())

    def as_json(self) -> dict[str, float | int | list[float]]:
        """For the JSON document."""
        return {
            "offset_ns": self.offset_ns, "drift_ppm": self.drift_ppm, "bound_us": self.bound_ns / 1e3,
            "round_trip_us": [t / 1e3 for t in self.round_trip_ns], "residual_us": self.residual_ns / 1e3,
            "exchanges": self.exchanges,
        }  # fmt: skip


def estimate_clock(
    exchanges: Counts | Sequence[Sequence[int]],
    ticks_per_s: float,
    span: tuple[int, int] | None = None,
    wander: float = WANDER,
) -> Clock:
    """Fit the clock.

    The line is Theil and Sen's through the middle of the exchange with the shortest round trip of each window. Where it
    leaves the band of all possible clocks, or nearly so, the rate has changed, and the middle of the band is taken.

    Args:
        exchanges: (N, 4) t1 ns, t2 ticks, t3 ticks, t4 ns, in order; N >= 1.
        ticks_per_s: of the device.
        span: device times between which the clock is going to be used; None for that of the exchanges.
        wander: how far the rate may deviate from its centre; less than `WANDER` for two clocks that NTP leaves alone.

    Raises:
        RefusedError: `clock-unknown`, there are no exchanges, or they contradict each other.
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
            "Measure again, and check that the device answers `tt clock`.",
        )
    table, trips = table[usable], trips[usable]
    if len(table) > _MOST:
        kept = _shortest(trips, -(-len(table) // _MOST))
        table, trips = table[kept], trips[kept]
    origin_ns, origin_ticks = int(table[0, 0]), int(table[0, 1])
    sent, back = ((table[:, k] - origin_ns).astype(np.float64) for k in (0, 3))
    received, answered = ((table[:, k] - origin_ticks) * tick_ns for k in (1, 2))
    first, last = span or (int(table[0, 1]), int(table[-1, 2]))
    ends = (np.array([first, last], np.int64) - origin_ticks) * tick_ns
    band = find_band((received + tick_ns, sent), (answered, back), ends, MAX_DRIFT, wander)
    if band is None:
        raise RefusedError(
            CLOCK_UNKNOWN,
            f"no steady clock fits {counted(len(table), 'exchange')}",
            "The device was reset, or its clock jumped, during the session.",
        )
    chosen = _shortest(trips)
    device, host = (received + answered + tick_ns)[chosen] / 2, (sent + back)[chosen] / 2
    rate = _theil_sen(device, host)
    offset = float(np.median(host - rate * device))
    line = offset + (rate - 1) * band.nodes
    centre = (band.low + band.high) / 2
    far, near = (np.maximum(band.high - m, m - band.low) for m in (line, centre))
    # A line far from the middle is possible but unlikely: the rate has changed.
    is_straight = bool(far.max() <= _STRAIGHT * near.max()) and bool(
        np.all((line >= band.low) & (line <= band.high))
    )
    middle = line if is_straight else centre
    bounds = (far if is_straight else near) + band.bulge + tick_ns
    return Clock(
        origin_ticks,
        origin_ns,
        ticks_per_s,
        offset,
        rate,
        float(bounds.max()),
        (float(trips.min()), float(np.median(trips))),
        float(np.std(host - offset - rate * device)),
        len(table),
        first,
        last,
        None if is_straight else np.stack([band.nodes, middle - line], 1),
        np.stack([band.nodes, bounds], 1),
    )


def _shortest(trips: Floats, window: int = WINDOW) -> NDArray[np.intp]:
    """Index of the shortest round trip of each window."""
    return np.array(
        [at + int(np.argmin(trips[at : at + window])) for at in range(0, len(trips), window)], np.intp
    )


def _theil_sen(x: Floats, y: Floats) -> float:
    """Median slope of all pairs (Theil 1950, Sen 1968); 1 where there are none."""
    first, second = np.triu_indices(len(x), 1)
    run = x[second] - x[first]
    slopes = (y[second] - y[first])[run > 0] / run[run > 0]
    return float(np.clip(np.median(slopes), 1 - MAX_DRIFT, 1 + MAX_DRIFT)) if len(slopes) else 1.0
