"""Events of a dynamic vision sensor: synthetic clips of people's eyes, and files that others recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.events.clip import Clip, clips, count_events, read_clip, write_clip
    from tinytracker.events.generation import EventReport, synth_events
    from tinytracker.events.pictures import event_frame, raster, time_surface
    from tinytracker.events.recordings import read_events
    from tinytracker.events.stream import Events
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "clip": ("Clip", "clips", "count_events", "read_clip", "write_clip"),
            "generation": ("EventReport", "synth_events"),
            "pictures": ("event_frame", "raster", "time_surface"),
            "recordings": ("read_events",),
            "stream": ("Events",),
        },
    )

__all__ = [
    "Clip",
    "EventReport",
    "Events",
    "clips",
    "count_events",
    "event_frame",
    "raster",
    "read_clip",
    "read_events",
    "synth_events",
    "time_surface",
    "write_clip",
]
