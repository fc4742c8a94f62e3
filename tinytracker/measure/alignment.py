"""A power meter's time on the computer's clock, from steps that both have seen (`tinytracker.measure.marks`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.energy.integrate import energy_at
from tinytracker.energy.refusals import ALIGNMENT_TOO_COARSE, MARKERS_MISMATCH
from tinytracker.energy.trace import CHUNK, Trace
from tinytracker.errors import RefusedError, UsageError
from tinytracker.measure.clock import MAX_DRIFT, Clock, estimate_clock
from tinytracker.measure.marks import GPIO, LOAD, PATTERN_S, Mark
from tinytracker.words import counted

RISE_NS = 1_000_000
"""How long the current may take to follow a step of load. A conservative estimate: supplies of a Raspberry Pi react in
tens of microseconds."""

CRYSTALS = 10e-6
"""How far the rate of the meter's crystal against the computer's may deviate from its mean: both warm up."""

_BIN_S = 1e-3
_SEARCH_S = 0.02
_LEAST_MATCH = 0.6


@dataclass(frozen=True)
class MeterClock:
    """Where a host time lies in a trace.

    Attributes:
        clock: the meter's samples as ticks; tick k is the time of sample k.
        trace_length: samples.
        steps: how many steps it rests on. channel: of these.
    """

    clock: Clock
    trace_length: int
    steps: int
    channel: str

    @property
    def bound_s(self) -> float:
        """The largest error of a position."""
        return self.clock.bound_ns / 1e9

    @property
    def said(self) -> str:
        """How the clocks were brought together, in a sentence."""
        seen = "a line of the meter" if self.channel == GPIO else "the current"
        return (
            f"The meter's time was verified: {counted(self.steps, 'step')} on {seen} place the session to "
            f"{self.bound_s * 1e6:,.0f} µs; this computer's clock runs {self.clock.drift_ppm:+.1f} ppm "
            "against the meter's."
        )

    def bound_at_s(self, host_ns: NDArray[np.int64]) -> float:
        """The largest error of a position for host times between the first and the last of these, s."""
        first, last = (self.position(np.array([host_ns.min(), host_ns.max()])) - 0.5).tolist()
        return self.clock.bound_between(math.floor(first), math.ceil(last)) / 1e9

    def position(self, host_ns: NDArray[np.int64]) -> Floats:
        """Positions in the trace (`Trace.position`) of host times.

        Raises:
            RefusedError: the trace does not cover them.
        """
        nodes = [np.array([0, self.trace_length], np.int64)]
        if self.clock.bend is not None:
            inner = np.round(self.clock.bend[:, 0] * (self.clock.ticks_per_s / 1e9)).astype(np.int64)
            nodes.append(inner + self.clock.origin_ticks)
        ticks = np.unique(np.concatenate(nodes))
        known = self.clock.host_ns(ticks)
        wanted = (np.asarray(host_ns, np.int64) - self.clock.origin_ns).astype(np.float64)
        if wanted.size and (wanted.min() < known[0] or wanted.max() > known[-1]):
            raise RefusedError(
                MARKERS_MISMATCH,
                "the trace does not cover the session",
                "Start the meter before the measurement and stop it after it.",
            )
        found: Floats = np.interp(wanted, known, ticks.astype(np.float64)) + 0.5
        return found


def meter_clock(trace: Trace, marks: Sequence[Mark], line: int = 0, wander: float = CRYSTALS) -> MeterClock:
    """The meter's clock from a session's marks.

    Args:
        trace: with the line, for marks on a pin.
        marks: of a session, in order; those on a pin are preferred.
        line: meter's line that the pin is wired to.
        wander: see `estimate_clock`.

    Raises:
        UsageError: there are no marks, or the trace has no such line.
        RefusedError: `markers-mismatch`, the steps are not in the trace, or in more than one place;
            `alignment-too-coarse`, steps of load do not show in the current.
    """
    pins = [m for m in marks if m.channel == GPIO]
    loads = [m for m in marks if m.channel == LOAD]
    if pins and trace.digital is not None and trace.lines >> line & 1:
        rows = _pin_exchanges(trace, pins, line)
        channel = GPIO
    elif loads:
        rows, channel = _load_exchanges(trace, loads), LOAD
    elif pins:
        raise UsageError(
            f"The session's frames are marked on a pin, and the trace has no line D{line}.",
            "Wire the pin to a digital input of the meter and name it with --lines.",
        )
    else:
        raise UsageError("The session has no marks.", "Measure with --sync gpio or --sync load.")
    clock = estimate_clock(rows, trace.rate_hz, (0, len(trace)), wander)
    return MeterClock(clock, len(trace), len(rows), channel)


def _exchange(mark: Mark, sample: int, rise_ns: int = 0) -> tuple[int, int, int, int]:
    """A step that the meter shows first in this sample, in the words of `estimate_clock`.

    It came after the sample before was taken (tick sample - 1) and not after this one (the end of that tick).
    """
    return mark.before_ns - rise_ns, sample - 1, sample - 1, mark.after_ns + rise_ns


def _pin_exchanges(trace: Trace, marks: Sequence[Mark], line: int) -> list[tuple[int, int, int, int]]:
    places, levels = _edges(trace, line)
    before = np.array([m.before_ns for m in marks], np.int64)
    after = np.array([m.after_ns for m in marks], np.int64)
    made = (before + after) / 2 - before[0]
    width = (after - before).astype(np.float64)
    wanted = np.array([m.level for m in marks])
    seen = places * (1e9 / trace.rate_hz)
    # The meter may have been started late or stopped early, and the pin may have changed before we took it.
    shifts = range(min(len(places) - len(marks), 0), max(len(places) - len(marks), 0) + 1)
    fitting: list[tuple[slice, slice]] = []
    for shift in shifts:
        count = min(len(places), len(marks))
        ours, theirs = (slice(-shift, -shift + count), slice(0, count)) if shift < 0 else (
            slice(0, count), slice(shift, shift + count))  # fmt: skip
        gaps = np.diff(made[ours])
        allowed = (width[ours][1:] + width[ours][:-1]) / 2 + 2e9 / trace.rate_hz + MAX_DRIFT * gaps
        same = np.array_equal(wanted[ours], levels[theirs])
        if count > 1 and same and np.all(np.abs(np.diff(seen[theirs]) - gaps) <= allowed):
            fitting.append((ours, theirs))
    if len(fitting) != 1:
        raise RefusedError(
            MARKERS_MISMATCH,
            f"line D{line} changes {counted(len(places), 'time')} and the session made "
            f"{counted(len(marks), 'step')}, which "
            + ("do not fit" if not fitting else f"fit in {counted(len(fitting), 'place')}"),
            "Check that trace and session are of the same run, and that the pin is wired to that line.",
        )
    ours, theirs = fitting[0]
    return [_exchange(m, int(p)) for m, p in zip(list(marks)[ours], places[theirs], strict=True)]


def _edges(trace: Trace, line: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Samples at which a line has changed, and the level from there on."""
    assert trace.digital is not None
    places = []
    for at in range(0, len(trace), CHUNK):
        begin = max(at - 1, 0)
        level = trace.digital[begin : at + CHUNK] >> line & 1
        places.append(begin + 1 + np.flatnonzero(level[1:] != level[:-1]))
    found = np.concatenate(places or [np.zeros(0, np.int64)]).astype(np.int64)
    return found, (trace.digital[found] >> line & 1).astype(np.uint8)


def _load_exchanges(trace: Trace, marks: Sequence[Mark]) -> list[tuple[int, int, int, int]]:
    """Steps of load found in the current: each pattern as a whole first, then each step by itself."""
    size = max(round(_BIN_S * trace.rate_hz), 1)
    borders = np.arange(0, len(trace) + 1, size)
    power = np.diff(energy_at(trace, borders))
    whole = len(marks) // len(PATTERN_S)
    patterns = [marks[k * len(PATTERN_S) : (k + 1) * len(PATTERN_S)] for k in range(whole)]
    if not patterns:
        raise RefusedError(
            ALIGNMENT_TOO_COARSE, "the session holds no complete pattern of load", "Measure again."
        )
    rows = []
    for pattern, start in zip(patterns, _find_patterns(power, patterns, size / trace.rate_hz), strict=True):
        for mark in pattern:
            guess = start * size + (mark.before_ns - pattern[0].before_ns) * trace.rate_hz / 1e9
            rows.append(_exchange(mark, _step_at(trace, guess, mark.level), RISE_NS))
    return rows


def _find_patterns(power: Floats, patterns: Sequence[Sequence[Mark]], bin_s: float) -> list[int]:
    """Bins in which the patterns begin: where all of them together agree best with the power."""
    from scipy.ndimage import maximum_filter1d

    matches = [_agreement(power, pattern, bin_s) for pattern in patterns]
    apart = [(p[0].before_ns - patterns[0][0].before_ns) / 1e9 / bin_s for p in patterns]
    slack = [int(np.ceil(MAX_DRIFT * a)) + 2 for a in apart]
    total = np.zeros(max(len(matches[0]) - int(apart[-1]), 0))
    for match, away, wide in zip(matches, apart, slack, strict=True):
        moved = maximum_filter1d(match, 2 * wide + 1)[round(away) :][: len(total)]
        total[: len(moved)] += moved / len(patterns)
    best = int(np.argmax(total)) if len(total) else 0
    if not len(total) or total[best] < _LEAST_MATCH:
        shown = f"{total[best]:.2f}" if len(total) else "0"
        raise RefusedError(
            ALIGNMENT_TOO_COARSE,
            f"the steps of load do not show in the current (agreement {shown}; at least {_LEAST_MATCH} is needed)",
            "They show only when the meter feeds the whole Raspberry Pi. Otherwise wire a pin: --sync gpio.",
        )
    starts = []
    for match, away, wide in zip(matches, apart, slack, strict=True):
        first = max(best + round(away) - wide, 0)
        starts.append(first + int(np.argmax(match[first : best + round(away) + wide + 1])))
    return starts


def _agreement(power: Floats, marks: Sequence[Mark], bin_s: float) -> Floats:
    """Correlation, -1 to 1, of the power from each bin on with the levels of a pattern."""
    from scipy.signal import correlate

    at = np.array([(m.before_ns - marks[0].before_ns) / 1e9 for m in marks])
    count = int(np.ceil((at[-1] + PATTERN_S[-1]) / bin_s))
    if len(power) <= count:
        return np.zeros(0)
    levels = np.array([0, *(m.level for m in marks)])
    shape = levels[np.searchsorted(at, (np.arange(count) + 0.5) * bin_s, "right")].astype(np.float64)
    shape -= shape.mean()
    centred = power - power.mean()
    ones = np.ones(count)
    spread = (
        correlate(centred**2, ones, "valid", "fft") - correlate(centred, ones, "valid", "fft") ** 2 / count
    )
    least = 1e-9 * float((centred**2).sum()) + 1e-300
    found: Floats = correlate(centred, shape, "valid", "fft") / np.sqrt(
        np.maximum(spread, least) * (shape**2).sum()
    )
    return found


def _step_at(trace: Trace, guess: float, level: int) -> int:
    """The first sample after the step nearest to an estimate: the split that explains most."""
    reach = max(int(_SEARCH_S * trace.rate_hz), 4)
    first, last = max(int(guess) - reach, 0), min(int(guess) + reach, len(trace))
    current = trace.current_a[first:last].astype(np.float64)
    before = np.cumsum(current)[:-1]
    count = np.arange(1, len(current))
    gain = (before[-1] + current[-1] - before) / (len(current) - count) - before / count
    weight = np.sqrt(count * (len(current) - count))
    return first + 1 + int(np.argmax((gain if level else -gain) * weight))
