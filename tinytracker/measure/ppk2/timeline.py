"""How many samples are missing where the counter jumps: it counts only to 64; the host's clock supplies the rest.

Samples arrive late, never early. So the smallest delay within a second hardly changes; where it has grown from before
a jump to after it by 64 samples' time or a multiple, that many more are missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.measure.ppk2 import RATE_HZ
from tinytracker.measure.ppk2.words import COUNTS

_WINDOW_S = 1.0
_AGREES_S = 0.010
_CHECKED_S = 4.0
_AGREES_SHARE = 500e-6


@dataclass(frozen=True)
class Jump:
    """A place where samples are missing.

    Attributes:
        at: samples received before it. skipped: missing there, modulo 64.
    """

    at: int
    skipped: int


@dataclass(frozen=True)
class Timeline:
    """Where the received samples belong.

    Attributes:
        missing: of each jump, samples.
        host_s: from the first sample to the last by the host's clock. samples: in it, with those that are missing.
    """

    missing: tuple[int, ...]
    host_s: float
    samples: int

    @property
    def error_s(self) -> float:
        """Time by the count of samples minus time by the host's clock, s."""
        return self.samples / RATE_HZ - self.host_s

    @property
    def is_checked(self) -> bool:
        """Whether the recording is long enough: a short one may not contain a reading without delay."""
        return self.host_s >= _CHECKED_S

    @property
    def agrees(self) -> bool:
        """Whether the count of samples can be trusted as a time base, as far as it was checked."""
        return not self.is_checked or abs(self.error_s) <= _AGREES_S + _AGREES_SHARE * self.host_s


def timeline(jumps: list[Jump], received: list[int], arrived_s: list[float]) -> Timeline:
    """Decide about each jump.

    Args:
        jumps: ascending.
        received: samples received until each reading of the port, ascending.
        arrived_s: host's time of each reading, s.
    """
    count = np.array(received, np.float64)
    when = np.array(arrived_s, np.float64)
    if not len(count):
        return Timeline(tuple(jump.skipped for jump in jumps), 0.0, 0)
    # Delay by the received samples alone; every missing one makes what follows look a sample later.
    delay = (when - when[0]) * RATE_HZ - count
    borders = [jump.at for jump in jumps]
    missing = []
    known = 0
    for k, jump in enumerate(jumps):
        before = _smallest(delay, count, when, borders[k - 1] if k else 0, jump.at, backwards=True)
        after = _smallest(delay, count, when, jump.at, borders[k + 1] if k + 1 < len(jumps) else None)
        more = 0
        if before is not None and after is not None:
            more = max(0, round((after - before - jump.skipped) / COUNTS))
        missing.append(jump.skipped + COUNTS * more)
        known += missing[-1]
    first, last = _ends(delay, when)
    return Timeline(
        tuple(missing), (last - first) / RATE_HZ + float(count[-1]) / RATE_HZ, int(count[-1]) + known
    )


def _smallest(
    delay: NDArray[np.float64], count: NDArray[np.float64], when: NDArray[np.float64], low: float, high: float | None,
    *, backwards: bool = False,
) -> float | None:  # fmt: skip
    """Smallest delay within a second beside a jump, of readings between it and the next jump; None without any."""
    inside = np.flatnonzero((count > low) & ((count <= high) if high is not None else True))
    if not len(inside):
        return None
    edge = when[inside[-1]] if backwards else when[inside[0]]
    near = inside[np.abs(when[inside] - edge) <= _WINDOW_S]
    return float(delay[near].min())


def _ends(delay: NDArray[np.float64], when: NDArray[np.float64]) -> tuple[float, float]:
    """Smallest delay at the start and at the end: in a second, or a quarter of a short recording."""
    window = min(_WINDOW_S, (when[-1] - when[0]) / 4)
    return float(delay[when - when[0] <= window].min()), float(delay[when[-1] - when <= window].min())
