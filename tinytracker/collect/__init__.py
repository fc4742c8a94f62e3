"""Records people who look at dots, with one's own camera and screen, into GazeCapture's layout.

A page shows the dots; the network with an aim finds the eyes in each frame. What is recorded stays on this computer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.collect.film import ShownDot, film_frames, read_dots, record_film
    from tinytracker.collect.recorder import Sitting
    from tinytracker.collect.subject import finish, write_report
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "film": ("ShownDot", "film_frames", "read_dots", "record_film"),
            "recorder": ("Sitting",),
            "subject": ("finish", "write_report"),
        },
    )

__all__ = ["ShownDot", "Sitting", "film_frames", "finish", "read_dots", "record_film", "write_report"]
