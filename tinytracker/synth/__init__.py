"""Synthetic GazeCapture data: a morphable head that looks at dots whose positions are known exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.synth.generation import SynthReport, generate
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "generation": ("SynthReport", "generate"),
        },
    )

__all__ = ["SynthReport", "generate"]
