"""Big and little: the network runs only when the gaze may have moved.

    sequence ─ looking ─▶ Viewing ─ simulation (a Strategy, a Latency) ─▶ Outcome ─ numbers ─▶ error, work, delay

A gate (`flow` or `difference`, then `rule`) looks at every frame; `strategies` are its thresholds as data, `fitting`
chooses them on other people. `device` is what a board runs, frame by frame. docs/cascade.md explains the rules and
shows the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.cascade.device import Cascade
    from tinytracker.cascade.document import CascadeSettings
    from tinytracker.cascade.evaluation import Comparison
    from tinytracker.cascade.from_files import Evaluation, compare_files, fit_settings
    from tinytracker.cascade.results import CascadeResults
    from tinytracker.cascade.rule import Gate, GateSettings
    from tinytracker.cascade.strategies import STRATEGIES, Strategy
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "device": ("Cascade",),
            "document": ("CascadeSettings",),
            "evaluation": ("Comparison",),
            "from_files": ("Evaluation", "compare_files", "fit_settings"),
            "results": ("CascadeResults",),
            "rule": ("Gate", "GateSettings"),
            "strategies": ("STRATEGIES", "Strategy"),
        },
    )

__all__ = [
    "STRATEGIES",
    "Cascade",
    "CascadeResults",
    "CascadeSettings",
    "Comparison",
    "Evaluation",
    "Gate",
    "GateSettings",
    "Strategy",
    "compare_files",
    "fit_settings",
]
