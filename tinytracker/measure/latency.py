"""From a session to a table of latencies: phases, the whole frame, its period, and until it reached the host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.errors import RefusedError, UsageError
from tinytracker.measure.clock import Clock, estimate_clock
from tinytracker.measure.comparison import RECOMMENDED_SESSIONS, Comparison, Series, compare, judge_together
from tinytracker.measure.gated import BIG_US, GATE_US, LITTLE_US, ran
from tinytracker.measure.session_reader import Session, read_session
from tinytracker.measure.statistics import Summary, summarize
from tinytracker.words import counted

FRAME, PERIOD, TRANSMIT, ARRIVAL = "frame", "period", "transmit", "arrival"
INFERENCE, RETRIEVE = "inference", "retrieve"
PER_INFERENCE = "per inference"
"""The phase `inference` over the inferences in it, in a session of bursts."""
_EXTRA_UNITS = {"_us": 1.0, "_ms": 1e3, "_ns": 1e-3, "_s": 1e6}
_MIN_EXCHANGES = 2


@dataclass(frozen=True)
class Latencies:
    """Durations in µs, N frames each (the period has N - 1).

    Attributes:
        session: where they come from.
        series: by name, in order: the phases, `frame` (start of the first phase to the end of the last), `period`
            (start to the next start, of frames that follow each other without a pause), `transmit` (end of the last
            phase to arrival on the host), `arrival` (start of the frame to arrival on the host), `per inference` in a
            session of bursts, and extra numbers of the session whose name ends in a unit, without that unit.
        resolution_us: of the timer behind each; for `transmit` and `arrival` the bound of the clock.
        clock: of device and host, or None.
        clock_unknown: why there is none, so that `transmit` and `arrival` are missing; "" when there is one, or when no
            real time passed.
        following: (N - 1,) whether a frame and the next one have a period.
        only: (N,) by name, for a series that holds some of the frames alone: which. Behind a gate, `inference` and
            `retrieve` are of the frames on which a network ran; `gate`, `little` and `big` are the parts of a frame.
    """

    session: Session
    series: dict[str, Floats]
    resolution_us: dict[str, float]
    clock: Clock | None
    clock_unknown: str = ""
    following: NDArray[np.bool_] | None = None
    only: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def warmup_of(self, name: str, frames: int) -> int:
        """Return how many values of a series belong to the first `frames` frames."""
        if name in self.only:
            return int(self.only[name][:frames].sum())
        if name != PERIOD or self.following is None:
            return frames
        return int(self.following[:frames].sum())


def latencies(session: Session) -> Latencies:
    """Durations of all frames, warm-up included.

    Raises:
        UsageError: it has no frames.
    """
    header = session.header
    if not len(session):
        raise UsageError(f"{session.path}: the session has no frames.", "Measure again.")
    tick = 1e6 / header.ticks_per_s
    steps = np.diff(session.stamps, axis=1) * tick
    series: dict[str, Floats] = {name: steps[:, k] for k, name in enumerate(header.phases)}
    series[FRAME] = (session.stamps[:, -1] - session.stamps[:, 0]) * tick
    following = (np.diff(session.sequence) == 1) & ~session.resumed[1:]
    counted_steps = following[header.warmup :]
    if counted_steps.sum() > len(counted_steps) / 2:  # from a few pairs it would be a number of another kind
        series[PERIOD] = np.diff(session.stamps[:, 0])[following] * tick
    resolution = dict.fromkeys(series, tick)
    if header.burst > 1 and INFERENCE in header.phases:
        series[PER_INFERENCE] = series[INFERENCE] / header.burst
        resolution[PER_INFERENCE] = tick / header.burst
    clock, unknown = _clock(session)
    if clock is not None:
        arrived = (session.host_ns - clock.origin_ns).astype(np.float64)
        for name, stamp in ((TRANSMIT, -1), (ARRIVAL, 0)):
            series.setdefault(name, (arrived - clock.host_ns(session.stamps[:, stamp])) / 1e3)
            resolution.setdefault(name, clock.bound_ns / 1e3)
    for name, values in session.extra.items():
        factor = next((f for unit, f in _EXTRA_UNITS.items() if name.endswith(unit)), None)
        if factor is not None and np.isfinite(values).all():
            series.setdefault(name.rpartition("_")[0], values * factor)
    only = _behind_a_gate(session, series)
    return Latencies(session, series, resolution, clock, unknown, following, only)


def _behind_a_gate(session: Session, series: dict[str, Floats]) -> dict[str, NDArray[np.bool_]]:
    """Reduce series to the frames that they are of, and add the gate's own; returns which frames."""
    network_ran = ran(session)
    if network_ran is None:
        return {}
    only = {name: network_ran for name in (INFERENCE, RETRIEVE, PER_INFERENCE) if name in series}
    for name in (GATE_US, LITTLE_US, BIG_US):
        values = session.extra.get(name)
        if values is not None:
            series[name.removesuffix("_us")] = values
            only[name.removesuffix("_us")] = np.isfinite(values)
    for name, frames in only.items():
        if frames[session.header.warmup :].any():
            series[name] = series[name][frames]
        else:
            del series[name]
    return {name: frames for name, frames in only.items() if name in series}


def _clock(session: Session) -> tuple[Clock | None, str]:
    """The clock of device and host, or why there is none."""
    header = session.header
    if header.is_emulated:  # no real time passes: the host's clock is unrelated to the device's
        return None, ""
    if len(session.exchanges) < _MIN_EXCHANGES:
        held = counted(len(session.exchanges), "clock exchange")
        return None, f"the session holds {held}; at least {_MIN_EXCHANGES} are needed"
    first, last = int(session.stamps.min()), int(session.stamps.max())
    if header.stamps_are_host:
        # No fit: an exchange reads one clock of this computer between two readings of another.
        wide = (session.exchanges[:, 3] - session.exchanges[:, 0]).astype(np.float64)
        trips = float(wide.min()), float(np.median(wide))
        start = int(session.exchanges[0, 0])
        return Clock(start, start, 1e9, 0.0, 1.0, trips[1] + 1.0, trips, 0.0, len(wide), first, last), ""
    try:
        return estimate_clock(session.exchanges, header.ticks_per_s, (first, last)), ""
    except RefusedError as refused:
        restarted = "; the board was disconnected in between, and its clock restarted" if session.gaps else ""
        return None, refused.detail + restarted


def latency_table(
    session: Session | Path | str, warmup: int | None = None, seed: int = 0
) -> dict[str, Summary]:
    """Statistics per phase, in µs; see `Latencies.series` for the rows.

    Args:
        session: or its file.
        warmup: first frames that do not count; None for what the session says.
        seed: of the bootstrap.

    Raises:
        InputFileError: the file is not a session.
        UsageError: no frames are left.

    Example:
        >>> from tinytracker.measure import latency_table
        >>> table = latency_table("session.jsonl")
        >>> list(table), table["inference"].n
        (['capture', 'preprocess', 'inference', 'frame', 'period'], 12)
    """
    session = session if isinstance(session, Session) else read_session(session)
    return summarize_latencies(latencies(session), warmup, seed)


def summarize_latencies(found: Latencies, warmup: int | None = None, seed: int = 0) -> dict[str, Summary]:
    """Statistics of latencies that were computed before; see `latency_table`."""
    session = found.session
    drop = session.header.warmup if warmup is None else warmup
    return {
        name: summarize(
            values,
            found.warmup_of(name, drop),
            found.resolution_us.get(name),
            session.lost,
            seed,
            "clocks" if name in (TRANSMIT, ARRIVAL) else "timer",
        )
        for name, values in found.series.items()
    }


@dataclass(frozen=True)
class SessionComparison:
    """Two groups of sessions, phase by phase, in µs.

    Attributes:
        a, b: the sessions.
        rows: by name, for what all sessions have.
        remarks: what a reader should know before believing a difference.
    """

    a: tuple[Session, ...]
    b: tuple[Session, ...]
    rows: dict[str, Comparison]
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return {
            "unit": "us",
            "a": [_describe(session) for session in self.a],
            "b": [_describe(session) for session in self.b],
            "phases": {name: row.as_json() for name, row in self.rows.items()},
            "remarks": list(self.remarks),
        }

    def slower_by_more_than(self, limit: float) -> tuple[str, ...]:
        """Rows whose b is slower than a by more than a share, with the whole 95 % interval of the ratio beyond it.

        Args:
            limit: for example 0.03.

        Raises:
            UsageError: with one session on each side, this cannot be decided.
        """
        if not any(row.between_sessions for row in self.rows.values()):
            raise UsageError(
                "One session on each side cannot show that a difference is repeatable.",
                f"Measure several, {RECOMMENDED_SESSIONS} or more: tinytracker compare A... -- B...",
            )
        return tuple(
            name
            for name, row in self.rows.items()
            if row.differ and row.ratio_ci95 is not None and row.ratio_ci95[0] > 1 + limit
        )


Files = Path | str | Sequence[Path | str]


def compare_sessions(a: Files, b: Files, warmup: int | None = None, seed: int = 0) -> SessionComparison:
    """Whether two groups of sessions differ, phase by phase.

    Args:
        a: session files, or one.
        b: others; differences are b minus a.
        warmup: first frames of each that do not count; None for what each session says.
        seed: of the bootstrap.

    Raises:
        InputFileError: a file is not a session.
        UsageError: they have no phase in common, a file is named twice, or no frames are left.

    Example:
        >>> from shutil import copyfile
        >>> from tinytracker.measure import compare_sessions
        >>> again = copyfile("session.jsonl", "again.jsonl")
        >>> compare_sessions("session.jsonl", again).rows["inference"].difference
        0.0
    """
    paths = [[x] if isinstance(x, (str, Path)) else list(x) for x in (a, b)]
    _refuse_twice([Path(p) for group in paths for p in group])
    groups = [tuple(read_session(p) for p in group) for group in paths]
    found = [[latencies(s) for s in group] for group in groups]
    every = [one for group in found for one in group]
    common = [name for name in every[0].series if all(name in other.series for other in every)]
    if not set.intersection(*(set(s.header.phases) for group in groups for s in group)):
        names = "; ".join(dict.fromkeys(", ".join(s.header.phases) for group in groups for s in group))
        raise UsageError(f"The sessions have no phase in common: {names}.")
    rows = {
        name: compare(
            [_series(one, name, warmup) for one in found[0]],
            [_series(one, name, warmup) for one in found[1]],
            seed,
        )
        for name in common
    }
    rows = judge_together(rows)
    if len({s.header.is_emulated for group in groups for s in group}) > 1:  # times of two kinds: no verdict
        rows = {name: replace(row, differ=None) for name, row in rows.items()}
    return SessionComparison(groups[0], groups[1], rows, tuple(_remarks(groups[0], groups[1], rows)))


def _refuse_twice(paths: Sequence[Path]) -> None:
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            raise UsageError(f"{path} is named twice.", "Name each session once.")
        seen.add(path.resolve())


def _series(found: Latencies, name: str, warmup: int | None) -> Series:
    drop = found.session.header.warmup if warmup is None else warmup
    return Series(found.series[name], found.warmup_of(name, drop), found.resolution_us.get(name))


def _describe(session: Session) -> dict[str, Any]:
    header = session.header
    return {
        "session": str(session.path), "source": header.source, "emulated": header.is_emulated, "board": header.board,
        "model": header.model, "frames": len(session), "lost": session.lost, "damaged": session.damaged,
        "end": session.end, "problems": list(session.problems),
    }  # fmt: skip


def _remarks(a: Sequence[Session], b: Sequence[Session], rows: Mapping[str, Comparison]) -> Iterator[str]:
    every = (*a, *b)
    if len(a) == len(b) == 1:
        yield (
            "One session on each side: the intervals say how well these two medians are known. Only several sessions "
            f"can tell whether the difference is repeatable; {RECOMMENDED_SESSIONS} on each side are a good start."
        )
    elif min(len(a), len(b)) < RECOMMENDED_SESSIONS:
        yield (
            f"{len(a)} and {counted(len(b), 'session')}: "
            f"{RECOMMENDED_SESSIONS} on each side give much narrower intervals."
        )
    if len({s.header.is_emulated for s in every}) > 1:
        yield "Some sessions are emulated and some are not: their times cannot be compared."
    if len({s.header.model.get("sha256") for s in every}) > 1:
        yield "The sessions ran different networks."
    if len({s.header.board.get("name") for s in every}) > 1:
        yield "The sessions ran on different boards."
    if len({s.header.burst for s in every}) > 1:
        yield "The sessions run different numbers of inferences per frame: compare the row per inference."
    drifting = [name for name, row in rows.items() if row.drifts]
    if drifting:
        yield f"{', '.join(drifting)}: a session drifts, so its median depends on how long it was measured."
    for session in every:
        yield from (f"{session.path}: {problem}" for problem in session.problems)
        if session.lost or session.damaged:
            yield f"{session.path}: {counted(session.lost, 'record')} lost, {session.damaged} damaged."
