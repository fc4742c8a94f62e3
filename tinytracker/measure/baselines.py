"""Powers of named stretches, and what lies between them: what the camera draws, and what the network alone draws.

A camera with the network inside runs all the time: what it draws between two results is the whole system, not idle.
So the powers that are subtracted are those of named stretches recorded for this purpose, and a difference whose
stretch is missing is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.energy.integrate import block_powers
from tinytracker.energy.refusals import NO_BASELINE, NO_IDLE, SAMPLES_LOST
from tinytracker.energy.result import Refusal
from tinytracker.energy.trace import Trace
from tinytracker.measure.alignment import MeterClock
from tinytracker.measure.stretches import CAMERA_OFF, RUNNING, STREAMING, Stretch
from tinytracker.series import Interval, as_list, interval_of, mean_draws

DIFFERENCES = (
    ("camera", STREAMING, CAMERA_OFF),
    ("network", RUNNING, STREAMING),
    ("camera and network", RUNNING, CAMERA_OFF),
)
"""Name, more, less."""

_GUARD_S = 0.1
_LEAST_S = 1.0
_ROUNDS = 2000


@dataclass(frozen=True)
class Power:
    """A mean power.

    Attributes:
        name: of a stretch, or of a difference. power_w: mean. ci95_w: its interval; None from too few samples.
        seconds: that were recorded; of a difference, the shorter one.
        span_s: of a stretch, from and to on the meter's clock; None for a difference.
    """

    name: str
    power_w: float
    ci95_w: Interval | None
    seconds: float
    span_s: Interval | None = None

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return {"power_w": self.power_w, "ci95_w": as_list(self.ci95_w), "seconds": self.seconds}


@dataclass(frozen=True)
class Baselines:
    """What the stretches of a session draw.

    Attributes:
        stretches: by name, in the order of the session. differences: by name, see `DIFFERENCES`.
    """

    stretches: dict[str, Power | Refusal]
    differences: dict[str, Power | Refusal]

    @property
    def idle(self) -> Interval | Refusal:
        """Where the device was idle: its camera was off."""
        found = self.stretches.get(CAMERA_OFF)
        if isinstance(found, Power) and found.span_s is not None:
            return found.span_s
        return found if isinstance(found, Refusal) else missing(CAMERA_OFF)

    def as_json(self) -> dict[str, Any]:
        """For the JSON document; powers in W."""

        def part(value: Power | Refusal) -> dict[str, Any]:
            return {"refused": value.as_json()} if isinstance(value, Refusal) else value.as_json()

        return {
            "stretches": {name: part(value) for name, value in self.stretches.items()},
            "differences": {name: part(value) for name, value in self.differences.items()},
        }


def missing(name: str) -> Refusal:
    """The reason for refusing a difference whose stretch was not recorded."""
    return Refusal(
        NO_BASELINE,
        f"the stretch {name} was not recorded; --baselines {name} records it. Between the frames, the camera and the "
        "network run just as they do during them",
    )


def find_baselines(trace: Trace, stretches: Sequence[Stretch], clock: MeterClock, seed: int = 0) -> Baselines:
    """Powers of the stretches, and their differences.

    Args:
        trace: that covers them.
        stretches: of a session; of several with one name the last counts.
        clock: of the meter.
        seed: of the resampling.

    Raises:
        RefusedError: the trace does not cover them.
    """
    rng = np.random.default_rng(seed)
    powers: dict[str, Power | Refusal] = {}
    draws: dict[str, Floats | None] = {}
    for stretch in stretches:
        powers[stretch.name], draws[stretch.name] = _power(trace, stretch, clock, rng)
    return Baselines(
        powers, {name: _difference(name, more, less, powers, draws) for name, more, less in DIFFERENCES}
    )


def _power(
    trace: Trace, stretch: Stretch, clock: MeterClock, rng: np.random.Generator
) -> tuple[Power | Refusal, Floats | None]:
    ends = clock.position(np.array([stretch.begin_ns, stretch.end_ns], np.int64))
    guard = (_GUARD_S + clock.bound_s) * trace.rate_hz
    first, last = float(ends[0]) + guard, float(ends[1]) - guard
    seconds = (last - first) / trace.rate_hz
    if seconds < _LEAST_S:
        return Refusal(
            NO_IDLE, f"{stretch.name} lasted {seconds:.2f} s; at least {_LEAST_S:g} s are needed"
        ), None
    lost = trace.lost_between(first, last)
    if lost:
        return Refusal(SAMPLES_LOST, f"the meter lost {lost:,} samples during {stretch.name}"), None
    blocks = block_powers(trace, first, last)
    draws = mean_draws(blocks, _ROUNDS, rng)
    span = float(trace.time(first)), float(trace.time(last))
    return Power(stretch.name, float(blocks.mean()), interval_of(draws), seconds, span), draws


def _difference(
    name: str, more: str, less: str, powers: dict[str, Power | Refusal], draws: dict[str, Floats | None]
) -> Power | Refusal:
    found: list[Power] = []
    for needed in (more, less):
        power = powers.get(needed)
        if power is None:
            return missing(needed)
        if isinstance(power, Refusal):
            return power
        found.append(power)
    high, low = found
    a, b = draws[more], draws[less]
    return Power(
        name,
        high.power_w - low.power_w,
        None if a is None or b is None else interval_of(a - b),
        min(high.seconds, low.seconds),
    )
