"""Measuring on a device: sessions, clocks, statistics.

A session is a file of raw data (docs/measurement.md), from which all numbers can be computed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.measure.images import TestImages, make_images, noise, read_images
    from tinytracker.measure.imx500 import open_imx500
    from tinytracker.measure.latency import SessionComparison, compare_sessions, latency_table
    from tinytracker.measure.measurement import Measurement, measure
    from tinytracker.measure.opening import Request, open_board
    from tinytracker.measure.playback import Replay, replay, write_replay
    from tinytracker.measure.power import Measured, measure_energy
    from tinytracker.measure.recorder import recorded_power
    from tinytracker.measure.results import SessionResult, summarize_session
    from tinytracker.measure.session_reader import Session, read_session
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "images": ("TestImages", "make_images", "noise", "read_images"),
            "imx500": ("open_imx500",),
            "latency": ("SessionComparison", "compare_sessions", "latency_table"),
            "playback": ("Replay", "replay", "write_replay"),
            "power": ("Measured", "measure_energy"),
            "recorder": ("recorded_power",),
            "measurement": ("Measurement", "measure"),
            "results": ("SessionResult", "summarize_session"),
            "session_reader": ("Session", "read_session"),
            "opening": ("Request", "open_board"),
        },
    )

__all__ = [
    "Measured",
    "Measurement",
    "Replay",
    "Request",
    "Session",
    "SessionComparison",
    "SessionResult",
    "TestImages",
    "compare_sessions",
    "latency_table",
    "make_images",
    "measure",
    "measure_energy",
    "noise",
    "open_board",
    "open_imx500",
    "read_images",
    "read_session",
    "recorded_power",
    "replay",
    "summarize_session",
    "write_replay",
]
