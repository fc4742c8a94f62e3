"""Hybrids for event cameras: spiking layers, an accumulator, and an INT8 head, with one integer reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.hybrid.accumulator import accumulate
    from tinytracker.hybrid.config import HybridConfig
    from tinytracker.hybrid.document import HybridDocument
    from tinytracker.hybrid.evaluation import evaluate_hybrid
    from tinytracker.hybrid.presets import HYBRIDS, HybridPreset, find_hybrid
    from tinytracker.hybrid.reference import IntegerHybrid, read_hybrid
    from tinytracker.hybrid.training import train_hybrid
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "accumulator": ("accumulate",),
            "config": ("HybridConfig",),
            "document": ("HybridDocument",),
            "evaluation": ("evaluate_hybrid",),
            "presets": ("HYBRIDS", "HybridPreset", "find_hybrid"),
            "reference": ("IntegerHybrid", "read_hybrid"),
            "training": ("train_hybrid",),
        },
    )

__all__ = [
    "HYBRIDS",
    "HybridConfig",
    "HybridDocument",
    "HybridPreset",
    "IntegerHybrid",
    "accumulate",
    "evaluate_hybrid",
    "find_hybrid",
    "read_hybrid",
    "train_hybrid",
]
