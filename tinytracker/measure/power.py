"""Energy of a session's frames: a power meter's file beside the session, or alone with its phase lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.energy.analysis import analyse
from tinytracker.energy.formats import read_trace
from tinytracker.energy.refusals import ALIGNMENT_TOO_COARSE, MARKERS_MISMATCH
from tinytracker.energy.result import EnergyReport, Refusal
from tinytracker.energy.segments import Segments, lines_for, segments_from_lines, segments_from_times
from tinytracker.energy.trace import Trace
from tinytracker.errors import RefusedError, UsageError
from tinytracker.measure.alignment import MeterClock
from tinytracker.measure.baselines import Baselines, find_baselines, missing
from tinytracker.measure.latency import TRANSMIT, latencies
from tinytracker.measure.marked import MARKS, meter_of, segments_from_marks
from tinytracker.measure.session_reader import Session, read_session
from tinytracker.measure.stretches import CAMERA_OFF
from tinytracker.words import counted

PHASES = ("capture", "preprocess", "inference")
"""For a trace without a session: what the boards show on two pins (docs/protocol.md)."""

RETRIEVE = "retrieve"

WALL_CLOCK_S = 0.010
"""How far the wall clocks of two programs on one computer may be apart at the moment each of them notes it. A
conservative estimate: neither meter says exactly when it takes the time of its first sample."""

UNRECORDED = 3
"""Frames on the lines that may lack a record at either end: the last one when a measurement is stopped, the first when
the host was not listening yet. More than that means a trace of another run."""

_SAMPLES = 3.0
_SHARE = 0.002

VERIFIED = "The meter's time was verified: frames last as long on its lines as in the device's records."
ONE_CLOCK = "The meter's samples and the frames carry the same clock, that of this computer."
NOT_VERIFIED = (
    "Time not verified: all durations and energies rely on the meter's own clock; a meter that lost samples without "
    "marking them reports too little. A session of the same run (--session) and the phase lines would verify it."
)


@dataclass(frozen=True)
class Measured:
    """Energies, and what they come from.

    Attributes:
        report: the energies. trace, segments, session: what they come from.
        unrecorded: frames on the lines that have no record, skipped.
        meter: the meter's clock, when marks relate it to the session's.
        baselines: powers of the session's named stretches; None when there are none.
    """

    report: EnergyReport
    trace: Trace
    segments: Segments
    session: Session | None
    unrecorded: int = 0
    meter: MeterClock | None = None
    baselines: Baselines | None = None

    @property
    def time_verified(self) -> bool:
        """True when a clock other than the meter's has confirmed how long the frames last."""
        same_clock = self.trace.is_host_clock and self.segments.origin == "session"
        return self.session is not None and (same_clock or self.segments.origin in ("lines", MARKS))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know about how the numbers were obtained."""
        said = [VERIFIED if self.time_verified else NOT_VERIFIED]
        if self.trace.is_host_clock and self.time_verified:
            said = [ONE_CLOCK]
        if self.meter is not None:
            said = [self.meter.said]
        edges = self.segments.edges
        if len(edges) > 1 and (overlapping := float(np.mean(edges[1:, 0] < edges[:-1, -1]))) > 0:
            said.append(
                f"{overlapping:.0%} of the frames begin before the previous one has ended: what is drawn then is "
                "counted in both. The whole window counts it once."
            )
        if self.unrecorded:
            said.append(f"Frames on the lines without a record, skipped: {self.unrecorded}.")
        return (*said, *(() if self.session is None else self.session.problems))

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        header = None if self.session is None else self.session.header
        return {
            "trace": {
                "meter": self.trace.meter, "rate_hz": self.trace.rate_hz, "seconds": self.trace.duration_s,
                "lost": self.trace.lost,
            },
            "session": None if self.session is None or header is None else {
                "path": str(self.session.path), "source": header.source, "board": header.board,
                "problems": list(self.session.problems),
            },
            "marks": None if self.meter is None else {
                "channel": self.meter.channel, "steps": self.meter.steps, "bound_s": self.meter.bound_s,
                "meter_ppm": self.meter.clock.drift_ppm,
            },
            "baselines": None if self.baselines is None else self.baselines.as_json(),
            "segments_from": self.segments.origin, "time_verified": self.time_verified, "unrecorded": self.unrecorded,
            **self.report.as_json(),
        }  # fmt: skip


def measure_energy(
    trace: Path | str | Trace,
    session: Path | str | Session | None = None,
    *,
    format_name: str | None = None,
    voltage_v: float | None = None,
    full_scale_a: float | None = None,
    lines: Sequence[int] | None = None,
    phases: Sequence[str] | None = None,
    offset_s: float | None = None,
    offset_bound_s: float | None = None,
    warmup: int | None = None,
    burst: int | None = None,
    idle: tuple[float, float] | None = None,
    skip_damaged: bool = False,
    seed: int = 0,
) -> Measured:
    """Energy per frame and phase.

    A session with marks is placed by them. Otherwise phases come from the trace's lines when it has them, else from the
    session's time stamps. With both, the session must agree with the lines: as many frames (except `UNRECORDED` at the
    ends), of the same duration; an offset must agree too.

    Args:
        trace: a meter's file, or a trace.
        session: of the same run, or None.
        format_name: see `read_trace`, like the next two.
        voltage_v: supply, V.
        full_scale_a: end of the meter's range, A.
        lines: meter's lines that carry the phases, lowest bit first; None for D0 and up; empty when none does. With a
            session whose frames are marked on a pin, the line of that pin.
        phases: their names; None for those of the session, or the boards' usual ones.
        offset_s: meter's time at the start of the session's first frame, s; None for lines or wall clocks.
        offset_bound_s: how far `offset_s` may be off; needed with it when there are no lines.
        warmup: first frames that do not count; None for the number in the session, 0 without one.
        burst: inferences in each frame; None for the number in the session, 1 without one.
        idle: from and to on the meter's clock, s, that is known to be idle.
        skip_damaged: skip frames that touch lost or clipped samples, instead of refusing.
        seed: of the resampling.

    Raises:
        InputFileError: a file is missing or damaged.
        RefusedError: no number would be right; the message says why.
        UsageError: the arguments do not fit the files.
        MissingDependencyError: the format needs a package that is not installed.
    """
    recorded = (
        trace
        if isinstance(trace, Trace)
        else read_trace(trace, format_name, voltage_v=voltage_v, full_scale_a=full_scale_a)
    )
    run = read_session(session) if isinstance(session, str | Path) else session
    if run is not None and run.header.is_emulated:
        raise UsageError(
            f"{run.path}: an emulated board draws no current.",
            "Give the session of the board that the meter watched.",
        )
    names = tuple(phases or (PHASES if run is None else _on_lines(run.header.phases)))
    unrecorded = 0
    for name, value in (("offset", offset_s), ("offset bound", offset_bound_s)):
        if value is not None and not np.isfinite(value):
            raise UsageError(
                f"The {name} {value:g} s is not a finite number.", "Give seconds of the meter's time."
            )
    if offset_bound_s is not None and offset_s is None:
        raise UsageError(
            "--offset-bound has no meaning without --offset.", "Give --offset too, or omit --offset-bound."
        )
    meter: MeterClock | None = None
    baselines: Baselines | None = None
    if run is not None and run.marks and offset_s is None:
        meter = meter_of(recorded, run, lines)
        segments = segments_from_marks(run, recorded, meter)
        baselines = find_baselines(recorded, run.stretches, meter, seed)
    elif recorded.lines and lines != ():
        segments = segments_from_lines(recorded, names, lines or lines_for(len(names)))
        if run is not None:
            segments, unrecorded = _matched(run, segments, recorded)
        if offset_s is not None:
            _check_offset(segments, recorded, offset_s, offset_bound_s or 0.0)
    elif run is not None:
        if offset_s is not None and offset_bound_s is None:
            raise UsageError(
                "--offset needs a bound: without one its error would count as zero.",
                "Give --offset-bound, in seconds.",
            )
        segments = _segments_from_session(run, recorded, offset_s, offset_bound_s or 0.0)
    else:
        raise UsageError(
            "The trace has no digital lines, and no session was given: the times of the frames are unknown.",
            "Wire the phase pins to the meter, or give --session.",
        )
    drop = warmup if warmup is not None else (run.header.warmup if run is not None else 0)
    told = 1 if run is None else run.header.burst
    if burst is not None and run is not None and burst != told:
        raise UsageError(
            f"The session's frames hold {told} inferences each, but --burst is {burst}.", "Omit --burst."
        )
    quiet: tuple[float, float] | Refusal | None = idle
    if idle is None and run is not None and run.header.runs_between_frames:
        quiet = missing(CAMERA_OFF) if baselines is None else baselines.idle
    report = analyse(
        recorded, segments, warmup=drop, burst=told if burst is None else burst, idle=quiet,
        skip_damaged=skip_damaged, seed=seed,
    )  # fmt: skip
    return Measured(report, recorded, segments, run, unrecorded, meter, baselines)


def _on_lines(phases: tuple[str, ...]) -> tuple[str, ...]:
    """Phases as the pins show them: where there is a third pin, sending the record is one more."""
    return (*phases, TRANSMIT) if phases[-1:] == (RETRIEVE,) else phases


def _check_offset(segments: Segments, trace: Trace, offset_s: float, bound_s: float) -> None:
    """Refuse an offset that the lines contradict."""
    shown = float(trace.time(segments.edges[0, 0]))
    if abs(shown - offset_s) > bound_s + _SAMPLES / trace.rate_hz:
        raise RefusedError(
            MARKERS_MISMATCH,
            f"the lines show the first frame at {shown:.6f} s, --offset is {offset_s:.6f} s"
            + (f" to within {bound_s:g} s" if bound_s else ""),
            "Omit --offset: the lines are exact. If they carry something else, give --lines none.",
        )


def _matched(session: Session, segments: Segments, trace: Trace) -> tuple[Segments, int]:
    """The frames on the lines that have a record, and how many have none.

    Raises:
        RefusedError: the lines show other frames than the session's records.
    """
    told_phases = session.header.phases
    if segments.phases[: len(told_phases)] != told_phases:
        raise UsageError(
            f"The lines carry {', '.join(segments.phases)}, but the session has {', '.join(session.header.phases)}."
        )
    if not len(session):
        raise UsageError(f"{session.path}: the session has no frames.", "Measure again.")
    if session.gaps:
        raise RefusedError(
            MARKERS_MISMATCH,
            "the board was disconnected during the session, so its records are not contiguous",
            "Measure again, or omit --session and use the lines alone.",
        )
    expected = int(session.sequence[-1] - session.sequence[0]) + 1
    if segments.damaged:
        raise RefusedError(
            MARKERS_MISMATCH,
            "samples were lost among the frames, so frames and records cannot be matched",
            "Omit --session and use the lines alone, with --skip-damaged.",
        )
    unrecorded = len(segments) - expected
    if not 0 <= unrecorded <= UNRECORDED:
        raise RefusedError(
            MARKERS_MISMATCH,
            f"the lines show {counted(len(segments), 'frame')}, but the session has "
            f"{counted(expected, 'record')} (lost ones included)",
            "Start the meter before the measurement and stop it after it; use files of the same run.",
        )
    problems = [_first_difference(session, segments, trace, shift) for shift in range(unrecorded + 1)]
    shift = next((k for k, problem in enumerate(problems) if problem is None), None)
    if shift is None:
        raise RefusedError(
            MARKERS_MISMATCH,
            problems[0] or "",
            "Check that trace and session are of the same run, and that the lines are in the right order.",
        )
    busy = float(segments.edges[0, 0]), float(segments.edges[-1, -1])
    place = session.sequence - session.sequence[0] + shift
    skipped = expected - len(session)
    return replace(segments, edges=segments.edges[place], busy=busy, skipped=skipped), unrecorded + skipped


def _first_difference(session: Session, segments: Segments, trace: Trace, shift: int) -> str | None:
    """The first frame whose duration on the lines differs from that in its record, or None.

    Args:
        session: whose first record belongs to frame `shift` on the lines.
        segments: from the lines.
        trace: that has the lines.
        shift: frames on the lines before the first record.
    """
    phases = len(session.header.phases)
    place = session.sequence - session.sequence[0] + shift
    told = np.diff(session.stamps, axis=1) / session.header.ticks_per_s
    seen = np.diff(segments.edges, axis=1)[place, :phases] / trace.rate_hz
    allowed = _SAMPLES / trace.rate_hz + _SHARE * told + 1 / session.header.ticks_per_s
    off = np.abs(seen - told) > allowed
    if not off.any():
        return None
    frame, phase = (int(k) for k in np.argwhere(off)[0])
    return (
        f"in frame {session.sequence[frame]} {segments.phases[phase]} lasts {seen[frame, phase] * 1e3:.3f} ms "
        f"on the lines and {told[frame, phase] * 1e3:.3f} ms in the record"
    )


def _segments_from_session(
    session: Session, trace: Trace, offset_s: float | None, offset_bound_s: float
) -> Segments:
    """Frames at the times of the session, converted to the meter's clock."""
    found = latencies(session)
    # Rate and bound are the clock's; without one, the device's own rate is taken, and only an offset can help.
    device_s = (session.stamps - session.stamps[0, 0]) / session.header.ticks_per_s
    if offset_s is not None:
        if found.clock is not None:
            device_s = device_s * found.clock.rate
            drift = 0.0
        else:
            drift = 100e-6 * float(device_s.max())
        return segments_from_times(
            trace, session.header.phases, offset_s + device_s, offset_bound_s + drift + 0.5 / trace.rate_hz
        )
    if trace.is_host_clock and found.clock is not None:
        clock = found.clock
        on_host = clock.host_ns(session.stamps) + float(clock.origin_ns)
        bound = 0.0 if session.header.stamps_are_host else clock.bound_ns / 1e9
        return segments_from_times(trace, session.header.phases, on_host / 1e9, bound + 0.5 / trace.rate_hz)
    host = session.header.host
    unix_ns, monotonic_ns = host.get("unix_ns"), host.get("monotonic_ns")
    if (
        found.clock is None
        or trace.start_unix_s is None
        or not isinstance(unix_ns, int)
        or not isinstance(monotonic_ns, int)
    ):
        missing = (
            "the session has no usable clock exchanges" if found.clock is None
            else "the meter's file does not give its start time" if trace.start_unix_s is None
            else "the session does not give the host's wall time"
        )  # fmt: skip
        raise RefusedError(
            ALIGNMENT_TOO_COARSE,
            f"the clocks of meter and device cannot be related: {missing}",
            "Wire the phase pins to the meter, or give --offset.",
        )
    clock = found.clock
    since_start = clock.host_ns(session.stamps) + float(clock.origin_ns - monotonic_ns)
    # Seconds since 1970 keep 0.2 µs in float64: the large parts are subtracted from each other first.
    begin = unix_ns / 1e9 - trace.start_unix_s + trace.start_s
    return segments_from_times(
        trace, session.header.phases, begin + since_start / 1e9, clock.bound_ns / 1e9 + WALL_CLOCK_S
    )
