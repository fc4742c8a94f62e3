"""Frames and baselines of a session with marks, in the trace of a meter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinytracker.energy.formats import read_trace
from tinytracker.energy.refusals import ALIGNMENT_TOO_COARSE
from tinytracker.energy.segments import Segments
from tinytracker.energy.trace import Trace
from tinytracker.errors import RefusedError, UsageError
from tinytracker.measure import host_clock
from tinytracker.measure.alignment import CRYSTALS, MeterClock, meter_clock
from tinytracker.measure.baselines import Baselines, find_baselines
from tinytracker.measure.clock import WANDER
from tinytracker.measure.latency import latencies
from tinytracker.measure.session_reader import Session

MARKS = "marks"
"""Where segments come from when steps that meter and computer both saw related their clocks."""


def measure_baselines(
    trace: Path | str | Trace,
    session: Session,
    *,
    format_name: str | None = None,
    voltage_v: float | None = None,
    lines: Sequence[int] | None = None,
    seed: int = 0,
) -> tuple[Trace, MeterClock, Baselines]:
    """Powers of a session's named stretches; see `tinytracker.measure.power.measure_energy` for the arguments.

    Raises:
        InputFileError: a file is missing or damaged.
        RefusedError: the meter's clock is unknown, or its trace does not cover the stretches.
        UsageError: the session holds no stretch or no marks.
    """
    if not session.stretches:
        raise UsageError(f"{session.path}: the session has no baselines.", "Record with --baselines.")
    recorded = trace if isinstance(trace, Trace) else read_trace(trace, format_name, voltage_v=voltage_v)
    meter = meter_of(recorded, session, lines)
    return recorded, meter, find_baselines(recorded, session.stretches, meter, seed)


def meter_of(trace: Trace, session: Session, lines: Sequence[int] | None) -> MeterClock:
    """From the session's marks; a host's clock that NTP corrects may change its rate more than a crystal does."""
    is_raw = session.header.host.get("clock") == host_clock.RAW
    return meter_clock(trace, session.marks, (lines or (0,))[0], CRYSTALS if is_raw else WANDER)


def segments_from_marks(session: Session, trace: Trace, meter: MeterClock) -> Segments:
    """Frames at the times of the session, converted to the meter's clock by its marks."""
    if not len(session):
        raise UsageError(f"{session.path}: the session has no frames.", "Measure again.")
    found = latencies(session)
    if found.clock is None:
        raise RefusedError(
            ALIGNMENT_TOO_COARSE, f"device and computer: {found.clock_unknown}", "Measure again."
        )
    clock = found.clock
    host_ns = clock.origin_ns + np.round(clock.host_ns(session.stamps)).astype(np.int64)
    uncertainty = (meter.bound_at_s(host_ns) + clock.bound_ns / 1e9) * trace.rate_hz
    return Segments(session.header.phases, meter.position(host_ns), uncertainty, origin=MARKS)
