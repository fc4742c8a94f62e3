"""Where the eyes are: the codes of the networks that say so, and the controller that places the next frame's crop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.aim.answer import AimAnswer, read_aim
    from tinytracker.aim.controller import AimSettings, Controller, State
    from tinytracker.aim.finding import Find, read_finder
    from tinytracker.aim.region import Region
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "answer": ("AimAnswer", "read_aim"),
            "controller": ("AimSettings", "Controller", "State"),
            "finding": ("Find", "read_finder"),
            "region": ("Region",),
        },
    )

__all__ = ["AimAnswer", "AimSettings", "Controller", "Find", "Region", "State", "read_aim", "read_finder"]
