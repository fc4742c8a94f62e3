"""From a power meter's file to energy per frame and phase.

    file ─ formats ─▶ Trace ─ segments (phase lines, or times from a session) ─ analysis ─▶ joules, or why not

Nothing here talks to a meter; see docs/measurement.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.energy.analysis import analyse
    from tinytracker.energy.formats import FORMATS, read_trace
    from tinytracker.energy.result import Energy, EnergyReport, Refusal
    from tinytracker.energy.segments import Segments, segments_from_lines, segments_from_times
    from tinytracker.energy.trace import Trace
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "analysis": ("analyse",),
            "formats": ("FORMATS", "read_trace"),
            "result": ("Energy", "EnergyReport", "Refusal"),
            "segments": ("Segments", "segments_from_lines", "segments_from_times"),
            "trace": ("Trace",),
        },
    )

__all__ = [
    "FORMATS",
    "Energy",
    "EnergyReport",
    "Refusal",
    "Segments",
    "Trace",
    "analyse",
    "read_trace",
    "segments_from_lines",
    "segments_from_times",
]
