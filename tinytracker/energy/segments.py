"""Where the phases of each frame begin and end in a trace."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.energy.refusals import MARKERS_MISMATCH
from tinytracker.energy.trace import CHUNK, Levels, Trace
from tinytracker.errors import RefusedError, UsageError

IDLE = 0
_UNKNOWN = 255


@dataclass(frozen=True)
class Segments:
    """N frames of P phases that follow each other without a break.

    Attributes:
        phases: names in order.
        edges: (N, P + 1) positions in the trace, in samples: start of each phase and the end of the last.
        uncertainty: how far an edge may be off, in samples, beyond the half sample that is always there.
        damaged: frames (or stretches that may have held some) that could not be used because samples were lost.
        partial: frames cut off by the start or the end of the trace.
        origin: "lines", "session", or "marks": the session's times, by steps that meter and computer both saw.
        rest_from, rest_to: positions between which the device did nothing but these frames.
        busy: start of the first frame that the device computed and end of the last; None when those are in `edges`.
        skipped: frames between the first and the last that are not in `edges`.
    """

    phases: tuple[str, ...]
    edges: Floats
    uncertainty: float = 0.0
    damaged: int = 0
    partial: int = 0
    origin: str = "lines"
    rest_from: float = 0.0
    rest_to: float = math.inf
    busy: tuple[float, float] | None = None
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.edges)


CODES = (0, 1, 3, 2, 6, 4)
"""Levels of the phase lines in idle and in each phase: a closed Gray code (deploy/common/tt_phases.c). Its first four
are one of two lines; a frame of four phases would end with a step of two lines, which boards never show."""


def gray(phase: int) -> int:
    """Levels of the phase lines in phase 0 (idle), 1, 2, ... 5."""
    return CODES[phase]


def lines_for(phases: int) -> tuple[int, ...]:
    """The lines that show this many phases when they are wired in order: D0, D1, and D2 for more than three."""
    return (0, 1) if phases <= 3 else (0, 1, 2)


def segments_from_lines(trace: Trace, phases: Sequence[str], lines: Sequence[int] = (0, 1)) -> Segments:
    """Frames from Gray-coded phase lines: idle, each phase once in order, idle.

    Neighbouring phases differ in one line, so a lost edge or a phase shorter than a sample shows as a step that
    cannot happen.

    Args:
        trace: with `digital`.
        phases: their names in order.
        lines: meter's line numbers, lowest bit of the code first.

    Raises:
        UsageError: no such lines in the trace, or too few of them for the phases.
        RefusedError: `markers-mismatch`, the lines do not follow the code, or show no frame.
    """
    _check_lines(trace, phases, lines)
    starts, codes = _runs(trace, lines)
    count = len(phases)
    expected = [IDLE, *(gray(k + 1) for k in range(count)), IDLE]
    candidates = len(codes) - len(expected) + 1
    found = np.ones(max(candidates, 0), bool)
    for step, code in enumerate(expected):
        found &= codes[step : step + len(found)] == code
    first = np.flatnonzero(found) + 1
    covered = codes == IDLE
    for step in range(count):
        covered[first + step] = True
    damaged, partial = _explain_rest(trace, phases, starts, codes, covered)
    if not len(first):
        raise RefusedError(
            MARKERS_MISMATCH,
            f"lines {_names(lines)} show no whole frame ({len(starts) - 1} level changes in {trace.duration_s:.1f} s)",
            "Check the wiring, and which lines carry the phases (--lines).",
        )
    edges = starts[first[:, None] + np.arange(count + 1)].astype(np.float64)
    # The runs of idle around all whole frames: a frame cut off by an end of the trace lies outside them.
    before, after = starts[first[0] - 1], np.append(starts, len(trace))[first[-1] + count + 1]
    return Segments(
        tuple(phases), edges, 0.0, damaged, partial, "lines", rest_from=float(before), rest_to=float(after)
    )


def segments_from_times(
    trace: Trace, phases: Sequence[str], times_s: Floats, uncertainty_s: float
) -> Segments:
    """Frames from times on the meter's clock.

    Args:
        trace: the times must lie inside it.
        phases: names in order.
        times_s: (N, P + 1) start of each phase and the end of the last, s.
        uncertainty_s: how far a time may be off.

    Raises:
        RefusedError: `markers-mismatch`, the trace does not cover the frames.
    """
    edges = trace.position(times_s)
    # Half a sample of slack: the outermost borders stand for half an interval before and after the samples.
    if len(edges) == 0 or edges.min() < -0.5 or edges.max() > len(trace) + 0.5:
        end = trace.start_s + trace.duration_s
        span = f"{np.min(times_s):.3f} to {np.max(times_s):.3f} s" if len(edges) else "nowhere"
        raise RefusedError(
            MARKERS_MISMATCH,
            f"the frames lie at {span} of the meter's clock, the trace covers {trace.start_s:.3f} to {end:.3f} s",
            "Use the trace that was recorded with this session, or correct the offset.",
        )
    return Segments(tuple(phases), edges, uncertainty_s * trace.rate_hz, origin="session")


def _check_lines(trace: Trace, phases: Sequence[str], lines: Sequence[int]) -> None:
    if trace.digital is None or not trace.lines:
        raise UsageError(
            "The trace has no digital lines.",
            "Record them with the meter, or name the session whose time stamps hold the phases (--session).",
        )
    missing = [line for line in lines if not trace.lines >> line & 1]
    if missing:
        there = [line for line in range(8) if trace.lines >> line & 1]
        raise UsageError(
            f"The trace has no line {missing[0]}.", f"Lines that were recorded throughout: {_names(there)}."
        )
    if len(set(lines)) < len(lines):
        raise UsageError(f"A line is named twice in {_names(lines)}.")
    most = min((1 << len(lines)) - 1, len(CODES) - 1)
    if not 1 <= len(phases) <= most:
        raise UsageError(
            f"{len(lines)} lines cannot show {len(phases)} phases.", f"They can show 1 to {most}."
        )


def _names(lines: Sequence[int]) -> str:
    return ", ".join(f"D{line}" for line in lines) or "none"


def _runs(trace: Trace, lines: Sequence[int]) -> tuple[NDArray[np.int64], Levels]:
    """Start and code of each stretch of constant code; `_UNKNOWN` where samples were lost."""
    assert trace.digital is not None
    starts, codes = [], []
    before = -1
    for at in range(0, len(trace), CHUNK):
        part = trace.digital[at : at + CHUNK]
        code = np.zeros(len(part), np.uint8)
        for bit, line in enumerate(lines):
            code |= np.left_shift(np.right_shift(part, line) & np.uint8(1), bit, dtype=np.uint8)
        low = int(np.searchsorted(trace.gaps[:, 1], at, "right"))
        high = int(np.searchsorted(trace.gaps[:, 0], at + len(part), "left"))
        for first, stop in trace.gaps[low:high]:
            code[max(first - at, 0) : max(stop - at, 0)] = _UNKNOWN
        changed = np.flatnonzero(code[1:] != code[:-1]) + 1
        if code[0] != before:
            changed = np.concatenate([[0], changed])
        before = int(code[-1])
        starts.append(at + changed)
        codes.append(code[changed])
    if not starts:
        return np.zeros(0, np.int64), np.zeros(0, np.uint8)
    return np.concatenate(starts).astype(np.int64), np.concatenate(codes)


def _explain_rest(
    trace: Trace,
    phases: Sequence[str],
    starts: NDArray[np.int64],
    codes: Levels,
    covered: NDArray[np.bool_],
) -> tuple[int, int]:
    """Damaged and partial frames among the runs outside whole frames; anything else is refused."""
    idle = np.flatnonzero(codes == IDLE)
    rest = np.flatnonzero(~covered)
    if not len(rest):
        return 0, 0
    groups = np.split(rest, np.flatnonzero(np.diff(rest) > 1) + 1)
    damaged = partial = 0
    for group in groups:
        if np.any(codes[group] == _UNKNOWN):
            damaged += 1
        elif not len(idle) or group[0] < idle[0] or group[-1] > idle[-1]:
            partial += 1
        else:
            names = {gray(k): name for k, name in enumerate(("idle", *phases))}
            walk = [*codes[group], IDLE]
            seen = " > ".join(names.get(int(code), f"code {code:b}") for code in walk[:8])
            raise RefusedError(
                MARKERS_MISMATCH,
                f"at {float(trace.time(starts[group[0]])):.6f} s the phase lines show idle > {seen}; "
                f"expected idle > {' > '.join(phases)} > idle",
                "An edge was lost, a line is loose, or a phase is shorter than a sample.",
            )
    return damaged, partial
