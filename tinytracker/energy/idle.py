"""Power while nothing is done, before the first and after the last frame: what is subtracted from a phase."""

from __future__ import annotations

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.energy.integrate import BLOCKS, block_powers
from tinytracker.energy.refusals import NO_IDLE
from tinytracker.energy.result import Idle, Refusal
from tinytracker.energy.segments import Segments
from tinytracker.energy.trace import Spans, Trace, overlap
from tinytracker.errors import UsageError
from tinytracker.series import Interval, interval_of, mean_draws

MIN_IDLE_S = 1.0
GOOD_IDLE_S = 5.0
ROUNDS = 2000
_GUARD_S = 0.05


def idle_power(
    trace: Trace,
    segments: Segments,
    given: Interval | Refusal | None,
    unusable: Spans,
    rng: np.random.Generator,
) -> tuple[Idle | Refusal, Floats | None]:
    """Return the idle power, and draws of it for intervals.

    Args:
        trace: what the meter recorded.
        segments: where the frames are.
        given: as `idle` in `tinytracker.energy.analyse`.
        unusable: (G, 2) first sample and first good one after it, of samples that say nothing about the power.
        rng: source of the draws.

    Raises:
        UsageError: the given stretch is not in the trace.
    """
    if isinstance(given, Refusal):
        return given, None
    if given is not None:
        first, last = (float(p) for p in trace.position(given))
        if not -0.5 <= first < last <= len(trace) + 0.5:
            raise UsageError(
                f"{given[0]:g} to {given[1]:g} s is not a stretch of the trace.",
                f"It covers {trace.start_s:.3f} to {trace.start_s + trace.duration_s:.3f} s.",
            )
        bad = overlap(unusable, first, last)
        if bad:  # nobody knows what was drawn then; elsewhere the stretch would be shortened, but this one was chosen
            detail = (
                f"{bad:,} samples between {given[0]:g} and {given[1]:g} s are lost, clipped or far below zero"
            )
            return Refusal(NO_IDLE, detail), None
        sides: list[Interval | None] = [(max(first, 0.0), min(last, float(len(trace)))), None]
    else:
        # What the device does right after a frame (sending it) is not idle.
        guard = _GUARD_S * trace.rate_hz + segments.uncertainty
        first, last = segments.busy or (segments.edges[0, 0], segments.edges[-1, -1])
        begin, end = first - guard, last + guard
        sides = [
            _side(unusable, max(0.0, segments.rest_from), float(begin), keep_end=True),
            _side(unusable, float(end), min(float(len(trace)), segments.rest_to), keep_end=False),
        ]
    used = [side for side in sides if side is not None]
    seconds = sum(b - a for a, b in used) / trace.rate_hz
    if seconds < MIN_IDLE_S:
        detail = f"{seconds:.2f} s of idle without lost samples beside the frames; at least {MIN_IDLE_S:g} s are needed"
        return Refusal(NO_IDLE, detail), None
    blocks: list[Floats] = []
    means: list[float | None] = []
    for side in sides:
        if side is None or side[1] - side[0] < 1:
            means.append(None)
            continue
        share = (side[1] - side[0]) / (seconds * trace.rate_hz)
        power = block_powers(trace, side[0], side[1], round(BLOCKS * share))
        blocks.append(power)
        means.append(float(power.mean()))
    every = np.concatenate(blocks)
    draws = mean_draws(every, ROUNDS, rng)
    return Idle(float(every.mean()), interval_of(draws), seconds, means[0], means[1]), draws


def _side(unusable: Spans, first: float, last: float, keep_end: bool) -> Interval | None:
    """The part of a stretch that reaches its inner end (towards the frames) and is usable throughout, or None."""
    inside = unusable[(unusable[:, 1] > first) & (unusable[:, 0] < last)]
    if len(inside):
        first, last = (float(inside[:, 1].max()), last) if keep_end else (first, float(inside[:, 0].min()))
    return (first, last) if last - first >= 1 else None
