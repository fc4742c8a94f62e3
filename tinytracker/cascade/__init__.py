"""Big and little: the network runs only when the gaze may have moved.

    sequence ─ looking ─▶ Viewing ─ simulation (a Strategy, a Latency) ─▶ Outcome ─ numbers ─▶ error, work, delay

A gate (`flow` or `difference`, then `rule`) looks at every frame; `strategies` are its thresholds as data, `fitting`
chooses them on other people. docs/cascade.md explains the rules and shows the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.cascade.flow import Motion, guess, motion
    from tinytracker.cascade.rule import Gate, GateSettings
    from tinytracker.cascade.simulation import Latency, Outcome, simulate
    from tinytracker.cascade.strategies import STRATEGIES, Strategy
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "flow": ("Motion", "guess", "motion"),
            "rule": ("Gate", "GateSettings"),
            "simulation": ("Latency", "Outcome", "simulate"),
            "strategies": ("STRATEGIES", "Strategy"),
        },
    )

__all__ = [
    "STRATEGIES",
    "Gate",
    "GateSettings",
    "Latency",
    "Motion",
    "Outcome",
    "Strategy",
    "guess",
    "motion",
    "simulate",
]
