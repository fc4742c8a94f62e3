"""From a session to a table of latencies: phases, the whole frame, its period, and until it reached the host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.errors import RefusedError, UsageError
from tinytracker.measure.clock import Clock, estimate_clock
from tinytracker.measure.session_reader import Session, read_session
from tinytracker.measure.statistics import Comparison, Floats, Summary, compare, summarize

FRAME, PERIOD, TRANSMIT, ARRIVAL = "frame", "period", "transmit", "arrival"
_EXTRA_UNITS = {"_us": 1.0, "_ms": 1e3, "_ns": 1e-3, "_s": 1e6}
_MIN_EXCHANGES = 2


@dataclass(frozen=True)
class Latencies:
    """Durations in µs, N frames each (the period has N - 1).

    Attributes:
        session: where they come from.
        series: by name, in order: the phases, `frame` (start of the first phase to the end of the last), `period`
            (start to the next start, of frames that follow each other without a pause), `transmit` (end of the last
            phase to the host's having the record), `arrival` (start to the host's having it), and extra numbers of
            the session whose name ends in a unit.
        resolution_us: of the timer behind each; for `transmit` and `arrival` the bound of the clock.
        clock: of device and host, or None when the exchanges do not allow one.
    """

    session: Session
    series: dict[str, Floats]
    resolution_us: dict[str, float]
    clock: Clock | None


def latencies(session: Session) -> Latencies:
    """Durations of all frames, warm-up included.

    Raises:
        UsageError: there is no frame.
    """
    header = session.header
    if not len(session):
        raise UsageError(f"{session.path}: there is no frame in the session.", "Measure again.")
    tick = 1e6 / header.ticks_per_s
    steps = np.diff(session.stamps, axis=1) * tick
    series: dict[str, Floats] = {name: steps[:, k] for k, name in enumerate(header.phases)}
    series[FRAME] = (session.stamps[:, -1] - session.stamps[:, 0]) * tick
    following = (np.diff(session.sequence) == 1) & ~session.resumed[1:]
    if following.any():
        series[PERIOD] = np.diff(session.stamps[:, 0])[following] * tick
    resolution = dict.fromkeys(series, tick)
    clock = None
    # Where no real time passes, the host's clock has nothing to do with the device's.
    if not header.is_emulated and len(session.exchanges) >= _MIN_EXCHANGES:
        first, last = int(session.stamps.min()), int(session.stamps.max())
        try:
            clock = estimate_clock(session.exchanges, header.ticks_per_s, (first, last))
        except RefusedError:
            clock = None
    if clock is not None:
        arrived = (session.host_ns - clock.origin_ns).astype(np.float64)
        for name, stamp in ((TRANSMIT, -1), (ARRIVAL, 0)):
            series.setdefault(name, (arrived - clock.host_ns(session.stamps[:, stamp])) / 1e3)
            resolution.setdefault(name, clock.bound_ns / 1e3)
    for name, values in session.extra.items():
        factor = next((f for unit, f in _EXTRA_UNITS.items() if name.endswith(unit)), None)
        if factor is not None and name not in series and np.isfinite(values).all():
            series[name] = values * factor
    return Latencies(session, series, resolution, clock)


def latency_table(
    session: Session | Path | str, warmup: int | None = None, seed: int = 0
) -> dict[str, Summary]:
    """Statistics per phase, in µs; see `Latencies.series` for the rows.

    Args:
        session: or its file.
        warmup: first frames that do not count; None for what the session says.
        seed: of the bootstrap.

    Raises:
        InputFileError: the file is no session.
        UsageError: no frame is left.

    Example:
        >>> from tinytracker.measure import latency_table
        >>> table = latency_table("session.jsonl")
        >>> list(table), table["inference"].n
        (['capture', 'preprocess', 'inference', 'frame', 'period'], 12)
    """
    session = session if isinstance(session, Session) else read_session(session)
    found = latencies(session)
    drop = session.header.warmup if warmup is None else warmup
    return {
        name: summarize(values, drop, found.resolution_us.get(name), session.lost, seed)
        for name, values in found.series.items()
    }


@dataclass(frozen=True)
class SessionComparison:
    """Two sessions, phase by phase, in µs.

    Attributes:
        a, b: the sessions.
        rows: by name, for what both have.
        remarks: what a reader should know before believing a difference.
    """

    a: Session
    b: Session
    rows: dict[str, Comparison]
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return {
            "unit": "us",
            "a": _describe(self.a),
            "b": _describe(self.b),
            "phases": {name: row.as_json() for name, row in self.rows.items()},
            "remarks": list(self.remarks),
        }


def compare_sessions(
    a: Path | str, b: Path | str, warmup: int | None = None, seed: int = 0
) -> SessionComparison:
    """Whether two sessions differ, phase by phase.

    Args:
        a: session file.
        b: another; differences are b minus a.
        warmup: first frames of each that do not count; None for what each session says.
        seed: of the bootstrap.

    Raises:
        InputFileError: a file is no session.
        UsageError: they have no phase in common, or no frame is left.

    Example:
        >>> from tinytracker.measure import compare_sessions
        >>> compare_sessions("session.jsonl", "session.jsonl").rows["inference"].difference
        0.0
    """
    sessions = read_session(a), read_session(b)
    first, second = (latencies(s) for s in sessions)
    common = [name for name in first.series if name in second.series]
    if not set(sessions[0].header.phases) & set(sessions[1].header.phases):
        names = [", ".join(s.header.phases) for s in sessions]
        raise UsageError(f"The sessions have no phase in common: {names[0]}; {names[1]}.")
    drop = tuple(s.header.warmup if warmup is None else warmup for s in sessions)
    rows = {
        name: compare(
            first.series[name],
            second.series[name],
            (drop[0], drop[1]),
            (first.resolution_us.get(name), second.resolution_us.get(name)),
            seed,
        )
        for name in common
    }
    return SessionComparison(*sessions, rows, tuple(_remarks(*sessions)))


def _describe(session: Session) -> dict[str, Any]:
    header = session.header
    return {
        "session": str(session.path), "source": header.source, "emulated": header.is_emulated, "board": header.board,
        "model": header.model, "frames": len(session), "lost": session.lost, "damaged": session.damaged,
        "end": session.end, "problems": list(session.problems),
    }  # fmt: skip


def _remarks(a: Session, b: Session) -> list[str]:
    remarks = []
    if a.header.is_emulated != b.header.is_emulated:
        remarks.append("One session is emulated and one is not: their times are not the same kind of thing.")
    if a.header.model.get("sha256") != b.header.model.get("sha256"):
        remarks.append("The sessions ran different networks.")
    if a.header.board.get("name") != b.header.board.get("name"):
        remarks.append("The sessions ran on different boards.")
    for session in (a, b):
        remarks += [f"{session.path}: {problem}" for problem in session.problems]
        if session.lost or session.damaged:
            remarks.append(f"{session.path}: {session.lost} records lost, {session.damaged} damaged.")
    return remarks
