"""The live view: where a person looks, on a page that this computer serves to itself.

Frames come from a board or from a recorded session; the page shows the gaze over the screen, what a frame costs, and
leads through a calibration whose result is applied at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.live.frames import LiveFrame, frames_of_board, frames_of_session
    from tinytracker.live.server import serving
    from tinytracker.live.view import LiveView, Origin
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "frames": ("LiveFrame", "frames_of_board", "frames_of_session"),
            "server": ("serving",),
            "view": ("LiveView", "Origin"),
        },
    )

__all__ = ["LiveFrame", "LiveView", "Origin", "frames_of_board", "frames_of_session", "serving"]
