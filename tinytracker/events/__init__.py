"""Events of a dynamic vision sensor: synthetic clips of people's eyes, and files that others recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.events.clip import Clip, clips, count_events, read_clip, write_clip
    from tinytracker.events.stream import Events
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "clip": ("Clip", "clips", "count_events", "read_clip", "write_clip"),
            "stream": ("Events",),
        },
    )

__all__ = ["Clip", "Events", "clips", "count_events", "read_clip", "write_clip"]
