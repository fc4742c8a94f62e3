"""When must the network run again? The rule of all gates, in integers (deploy/common/tt_gate.c computes the same).

Every frame the gate measures a change: the eyes' shift since the frame before (`cascade.flow`), or the difference from
the strip of the last inference (`cascade.difference`). A change above the person's own noise is a jump. The network
runs once the eyes have landed, the lids are open again, the face was lost, or too many frames have passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinytracker.aim.fixed import divided, length

NEVER = 1 << 20
"""Longer than any sequence, larger than any change."""

_FAST_FRAMES, _FAST_SHIFT, _SLOW_SHIFT = 16, 2, 5
"""A running median moves by 1/4 of itself in the first 16 frames, later by 1/32."""
_SLOWER = 4  # a noise is kept in 1/16 of the measure's steps


@dataclass(frozen=True)
class GateSettings:
    """Thresholds of a gate; a strategy is these numbers and a measure.

    Attributes:
        longest: most frames from one inference to the next.
        factor: a change above this multiple of its running median is a jump, Q4.
        floor: and above this, in steps of the measure.
        settle: most frames to wait for eyes that still move.
        shut: lids are on their way when the misfit exceeds this multiple of its running median, Q4.
        hold: most frames to wait for lids.
        drift: the shifts since the last inference, summed, may reach this; `NEVER` to ignore the sum.
    """

    longest: int = 30
    factor: int = 0
    floor: int = NEVER
    settle: int = 0
    shut: int = NEVER
    hold: int = 0
    drift: int = NEVER

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            low = 1 if name == "longest" else 0
            if not low <= value <= NEVER:
                raise ValueError(f"{name} is {value}; it must be from {low} to {NEVER}")


@dataclass
class RunningMedian:
    """A number that half of what it has seen lies below: it follows by a share of itself.

    Attributes:
        value: 1/16 of the measure's steps. seen: numbers so far, up to `_FAST_FRAMES`.
    """

    value: int = 0
    seen: int = 0

    def take(self, number: int) -> None:
        """Move towards a number."""
        number <<= _SLOWER
        if self.seen == 0:
            self.value = number
        step = max(self.value >> (_FAST_SHIFT if self.seen < _FAST_FRAMES else _SLOW_SHIFT), 1)
        self.value += step if number > self.value else -step if number < self.value else 0
        self.seen = min(self.seen + 1, _FAST_FRAMES)


class Gate:
    """Decides frame by frame.

    Args:
        settings: thresholds.

    Example:
        >>> gate = Gate(GateSettings(longest=3))
        >>> [gate.step(0, 0, 0) for _ in range(7)]
        [True, False, False, True, False, False, True]
    """

    def __init__(self, settings: GateSettings) -> None:
        self._settings = settings
        self._noise, self._misfit = RunningMedian(), RunningMedian()
        self._since = NEVER  # frames since the last start
        self._wanted = False  # something has changed since the last start
        self._waited = 0  # frames in a row in which eyes or lids move
        self._x = self._y = 0  # sum of shifts since the last start

    def step(self, x: int, y: int, misfit: int, *, known: bool = True, ready: bool = True) -> bool:
        """Take one frame's measure; returns whether the network starts on this frame.

        Args:
            x: change to the right, at most 4095 steps of the measure; or a difference.
            y: change downwards; a difference has none.
            misfit: see `flow.Motion`; 0 for a measure without one.
            known: whether there is a measure: if not, the network has to look.
            ready: whether the processor is free.
        """
        jump = closing = False
        if known:
            size = length(x, y)
            jump = size > max(divided(self._settings.factor * self._noise.value, 256), self._settings.floor)
            closing = 16 * misfit > divided(self._settings.shut * self._misfit.value, 16) > 0
            self._noise.take(size)
            self._misfit.take(misfit)
        return self.decide(x, y, jump=jump, closing=closing, known=known, ready=ready)

    def decide(self, x: int, y: int, *, jump: bool, closing: bool, known: bool, ready: bool) -> bool:
        """Decide on a frame whose change has been judged already; `step` without the running medians."""
        settings = self._settings
        self._since = min(self._since + 1, NEVER)
        if known:
            self._x, self._y = self._x + x, self._y + y
        moves = jump or closing
        if moves or not known or (settings.drift < NEVER and length(self._x, self._y) > settings.drift):
            self._wanted = True
        self._waited = self._waited + 1 if moves else 0
        landed = self._waited <= 0 or self._waited > (settings.hold if closing else settings.settle)
        start = ready and (self._since >= settings.longest or (self._wanted and landed))
        if start:
            self._since = self._waited = self._x = self._y = 0
            self._wanted = False
        return start


class Changes:
    """Which frames of a sequence are jumps or closing lids: what `Gate.step` says of them, for all frames at once.

    Running medians do not depend on thresholds, so they are computed once for all settings.

    Args:
        x, y, misfit: see `Gate.step`, one number per frame.
        known: whether there is a measure in a frame.
    """

    def __init__(
        self, x: Sequence[int], y: Sequence[int], misfit: Sequence[int], known: Sequence[bool]
    ) -> None:
        noise, lids = RunningMedian(), RunningMedian()
        rows = []
        for right, down, left, is_known in zip(x, y, misfit, known, strict=True):
            size = length(right, down) if is_known else 0
            rows.append((size, noise.value, left, lids.value))
            if is_known:
                noise.take(size)
                lids.take(left)
        numbers = np.array(rows, np.int64).reshape(-1, 4)
        self._size, self._noise, self._left, self._lids = numbers.T
        self._known = np.array(known, bool)

    def judged(self, settings: GateSettings) -> tuple[list[bool], list[bool]]:
        """Return (n,) jumps and (n,) closing lids."""
        usual = np.maximum((2 * settings.factor * self._noise + 256) // 512, settings.floor)
        shut = (2 * settings.shut * self._lids + 16) // 32
        jumps = self._known & (self._size > usual)
        closing = self._known & (16 * self._left > shut) & (shut > 0)
        return jumps.tolist(), closing.tolist()
