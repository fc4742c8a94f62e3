"""This computer's clock for measurements, and times of its other clocks on it.

CLOCK_MONOTONIC and CLOCK_BOOTTIME never jump, but NTP changes their rate, by up to 500 ppm and at any time.
CLOCK_MONOTONIC_RAW is not adjusted: its rate is that of the computer's crystal. On systems without it
(macOS, Windows), `time.monotonic_ns` is used.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_RAW = getattr(time, "CLOCK_MONOTONIC_RAW", None)
_READINGS = 5

RAW = "CLOCK_MONOTONIC_RAW"
NAME = "CLOCK_MONOTONIC" if _RAW is None else RAW
"""Of the clock that `now_ns` reads; kept in sessions."""


def now_ns() -> int:
    """Nanoseconds on a clock of this computer that runs evenly; its origin has no meaning."""
    return time.monotonic_ns() if _RAW is None else time.clock_gettime_ns(_RAW)


def behind_ns(other: Callable[[], int]) -> tuple[int, int]:
    """How far another clock of this computer is behind `now_ns` at this moment, ns.

    The other clock is read between two readings of ours, a few times; the closest pair counts. A time t of the other
    clock that is less than a second old is then t + behind, wrong by at most the bound and 500 ppm of its age (10 us
    for a frame of 20 ms ago; a steady NTP corrects by some ten ppm, which makes 0.2 us).

    Args:
        other: reads the other clock, ns.

    Returns:
        the difference, and a bound on its error: half the distance of the two readings.
    """
    readings = []
    for _ in range(_READINGS):
        before, there, after = now_ns(), other(), now_ns()
        readings.append((after - before, (before + after) // 2 - there))
    width, behind = min(readings)
    return behind, (width + 1) // 2
