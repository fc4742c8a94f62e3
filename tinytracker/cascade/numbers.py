"""What a strategy is worth: error, work and delay, per person and over all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.cascade.costs import Costs
from tinytracker.cascade.saccades import LARGE_CM, landings, noticed_after
from tinytracker.cascade.simulation import Latency, Outcome, Prepared, simulate
from tinytracker.cascade.strategies import Strategy
from tinytracker.cascade.viewing import Viewing

FIRST = 15
"""Frames at the beginning that do not count: the first answers are under way."""
OPEN = 0.3
"""Frames whose lids are closed farther have no gaze to compare with."""


@dataclass(frozen=True)
class PersonNumbers:
    """One person and one strategy.

    Attributes:
        frames: that count. error_cm: mean Euclidean error of what is shown.
        calibrated_cm: likewise after the median error of the person is taken away.
        busy: share of frames in which a network computes. big, little: starts per frame.
        delays: frames from each saccade of 2 cm or more to the first answer from after it. missed: saccades of which
            none came before the sequence ended.
    """

    frames: int
    error_cm: float
    calibrated_cm: float
    busy: float
    big: float
    little: float
    delays: tuple[int, ...]
    missed: int


@dataclass(frozen=True)
class StrategyNumbers:
    """A strategy over all people; means over people, so that each counts the same.

    Attributes:
        people: with numbers of their own, in the order of the viewings. frames: of all.
        error_cm, calibrated_cm, busy, big, little: means over people.
        delay_mean, delay_median, delay_p95: frames, over all saccades of 2 cm or more. saccades: their number.
        macs: per frame, with the gate. instructions: per frame, with crops and gate.
    """

    people: tuple[PersonNumbers, ...]
    frames: int
    error_cm: float
    calibrated_cm: float
    busy: float
    big: float
    little: float
    delay_mean: float
    delay_median: float
    delay_p95: float
    saccades: int
    macs: float
    instructions: float

    def against(self, other: StrategyNumbers) -> Floats:
        """Return each person's error divided by that of another strategy, (people,)."""
        pairs = zip(self.people, other.people, strict=True)
        return np.array([mine.error_cm / its.error_cm for mine, its in pairs])


def judged(viewing: Viewing) -> NDArray[np.bool_]:
    """Return (n,) whether a frame counts: both eyes visible and open, and not at the very beginning."""
    counts = (viewing.closed < OPEN) & viewing.visible
    counts[:FIRST] = False
    return counts


def person_numbers(prepared: Prepared, outcome: Outcome) -> PersonNumbers:
    """Compare what was shown with the truth."""
    viewing = prepared.viewing
    counts = judged(viewing) & (outcome.source >= 0)
    off = (outcome.shown - viewing.gaze)[counts]
    frames, lengths = landings(viewing.gaze, viewing.flying)
    chosen = (lengths >= LARGE_CM) & (frames >= FIRST) & (viewing.closed[frames] < OPEN)
    delays = noticed_after(outcome.source, frames[chosen])
    return PersonNumbers(
        frames=int(counts.sum()),
        error_cm=float(np.linalg.norm(off, axis=1).mean()),
        calibrated_cm=float(np.linalg.norm(off - np.median(off, axis=0), axis=1).mean()),
        busy=float(outcome.busy.mean()),
        big=float(outcome.big_starts.mean()),
        little=float(outcome.little_starts.mean()),
        delays=tuple(int(d) for d in delays if d >= 0),
        missed=int((delays < 0).sum()),
    )


def together(people: Sequence[PersonNumbers], strategy: Strategy, costs: Costs) -> StrategyNumbers:
    """Average over people, and add what the parts cost."""
    delays = np.concatenate([np.array(p.delays, float) for p in people]) if people else np.zeros(0)
    mean = {
        name: float(np.mean([getattr(p, name) for p in people]))
        for name in ("error_cm", "calibrated_cm", "busy", "big", "little")
    }
    of_big, of_little = mean["big"], mean["little"]
    runs = (of_big, of_little) if strategy.network == "big" else (0.0, of_big)
    return StrategyNumbers(
        people=tuple(people),
        frames=sum(p.frames for p in people),
        **mean,
        delay_mean=float(delays.mean()) if len(delays) else 0.0,
        delay_median=float(np.median(delays)) if len(delays) else 0.0,
        delay_p95=float(np.percentile(delays, 95)) if len(delays) else 0.0,
        saccades=len(delays) + sum(p.missed for p in people),
        macs=costs.macs(strategy.measure, *runs),
        instructions=costs.instructions(strategy.measure, *runs),
    )  # fmt: skip


def measure(
    people: Sequence[Prepared], strategy: Strategy, latency: Latency, costs: Costs
) -> StrategyNumbers:
    """Simulate a strategy on all people."""
    numbers = [person_numbers(p, simulate(p, strategy, latency)) for p in people]
    return together(numbers, strategy, costs)
