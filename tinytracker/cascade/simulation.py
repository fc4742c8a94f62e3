"""Runs a strategy over a viewing, with latency: an inference takes several frames, and its answer is that old."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.cascade.counterturn import Counterturn
from tinytracker.cascade.difference import blocks, difference
from tinytracker.cascade.rule import Changes, Gate
from tinytracker.cascade.strategies import Strategy
from tinytracker.cascade.viewing import Viewing

REUSED, BY_LITTLE, BY_BIG = 0, 1, 2
"""What happened to a frame: the last answer was kept, Little looked first, or the strategy's network ran on it."""


@dataclass(frozen=True)
class Latency:
    """How many frames an inference takes: a frame's answer is shown with the frame so many later.

    Attributes:
        big, little: frames, 0 or more; a network is free again after max(frames, 1).
    """

    big: int
    little: int

    def of(self, network: str) -> int:
        """Return the frames of a network."""
        return self.big if network == "big" else self.little


@dataclass(frozen=True)
class Outcome:
    """What a strategy showed, for each of the n frames.

    Attributes:
        shown: (n, 2) cm; NaN before the first answer. source: (n,) frame that the answer is from, or -1.
        path: (n,) `REUSED`, `BY_LITTLE` or `BY_BIG`; where both start on a frame, the one that starts last.
        busy: (n,) whether a network was computing.
        big_starts, little_starts: (n,) whether the strategy's network, or Little looking first, started.
    """

    shown: Floats
    source: NDArray[np.int64]
    path: NDArray[np.int64]
    busy: NDArray[np.bool_]
    big_starts: NDArray[np.bool_]
    little_starts: NDArray[np.bool_]


class Prepared:
    """A viewing with the measures that all strategies share.

    Args:
        viewing: of one person.
    """

    def __init__(self, viewing: Viewing) -> None:
        self.viewing = viewing
        self.known = ((viewing.lost == 0) & ~viewing.searching).tolist()
        turn = Counterturn()
        rows = zip(viewing.eyes.tolist(), viewing.head.tolist(), self.known, strict=True)
        shifts = [turn.without(eyes, head) if known else (0, 0) for eyes, head, known in rows]
        self.x, self.y = ([shift[axis] for shift in shifts] for axis in (0, 1))
        self.misfit = viewing.misfit.tolist()
        self.searching = viewing.searching.tolist()
        self.blocks = blocks(viewing.grey)
        known_here = [known and not search for known, search in zip(self.known, self.searching, strict=True)]
        self.changes = Changes(self.x, self.y, self.misfit, known_here)
        self.known_here = known_here


def simulate(prepared: Prepared, strategy: Strategy, latency: Latency) -> Outcome:
    """Return what a strategy shows.

    Args:
        prepared: one person's sequence.
        strategy: see `cascade.strategies`.
        latency: of both networks.
    """
    viewing = prepared.viewing
    state = _Processor(viewing, strategy, latency)
    gate, key = Gate(strategy.gate), 0
    judged = prepared.changes.judged(strategy.gate) if strategy.measure == "flow" else ([], [])
    for i in range(len(viewing)):
        state.advance(i)
        ready = state.ready(i)
        if strategy.measure == "flow":
            starts = gate.decide(
                prepared.x[i], prepared.y[i], jump=judged[0][i], closing=judged[1][i],
                known=prepared.known_here[i], ready=ready,
            )  # fmt: skip
        else:
            change = 0
            if strategy.measure == "difference" and i:
                change = difference(prepared.blocks[key], prepared.blocks[i])
            starts = gate.step(change, 0, 0, known=not prepared.searching[i], ready=ready)
        if starts:
            key = i
            state.start(i)
        state.show(i)
    return Outcome(
        state.shown, state.source, state.path, state.busy, state.starts[BY_BIG], state.starts[BY_LITTLE]
    )


class _Processor:
    """One core that runs one network at a time."""

    def __init__(self, viewing: Viewing, strategy: Strategy, latency: Latency) -> None:
        n = len(viewing)
        self._viewing, self._strategy, self._latency = viewing, strategy, latency
        self._answers = {"big": viewing.big, "little": viewing.little}
        self.shown = np.full((n, 2), np.nan)
        self.source = np.full(n, -1)
        self.path = np.zeros(n, np.int64)
        self.busy = np.zeros(n, bool)
        # Both may start on one frame when an answer takes none.
        self.starts = {path: np.zeros(n, bool) for path in (BY_LITTLE, BY_BIG)}
        self._running, self._from, self._until = "", 0, 0
        self._now: tuple[Floats, int] = (np.full(2, np.nan), -1)
        self._last_big = -1

    def advance(self, frame: int) -> None:
        """Take a finished inference's answer."""
        if not self._running or frame < self._until:
            return
        network, source = self._running, self._from
        self._running = ""
        if not self._strategy.little:
            self._now = (self._answers[network][source], source)
        elif network == "big":
            self._now, self._last_big = (self._viewing.big[source], source), source
        else:
            self._judge(source, frame)

    def _judge(self, source: int, frame: int) -> None:
        """Little has looked: keep Big's answer, or show Little's on top of it and run Big on the newest frame."""
        little, last = self._viewing.little, self._last_big
        if last >= 0:
            moved = little[source] - little[last]
            if np.hypot(*moved) <= self._strategy.moved_cm and not self._is_due(frame - last):
                self._now = (self._now[0], source)
                return
            self._now = (self._viewing.big[last] + moved, source)
        self._begin("big", frame)

    def _is_due(self, since: int) -> bool:
        """Whether Big's next run would come too late if it did not start now, `since` frames after the last one."""
        next_look = max(self._strategy.gate.longest, 1) + self._latency.little
        return since + next_look > self._strategy.longest_big

    def ready(self, frame: int) -> bool:
        """Whether an inference can start."""
        return not self._running

    def start(self, frame: int) -> None:
        """Begin with the strategy's network, or with Little if it looks first."""
        self._begin("little" if self._strategy.little else self._strategy.network, frame)

    def _begin(self, network: str, frame: int) -> None:
        self._running, self._from = network, frame
        self._until = frame + max(self._latency.of(network), 1)
        path = BY_LITTLE if self._strategy.little and network == "little" else BY_BIG
        self.path[frame] = path
        self.starts[path][frame] = True
        if self._latency.of(network) == 0:
            self._until = frame
            self.advance(frame)

    def show(self, frame: int) -> None:
        """Note what is shown with a frame."""
        self.busy[frame] = bool(self._running) or self.path[frame] != REUSED
        self.shown[frame], self.source[frame] = self._now
