"""Networks as data, the cost of a network, and .tflite files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.model.info import describe
    from tinytracker.model.presets import PRESETS, Preset, find_preset
    from tinytracker.model.tflite_file import read_tflite
    from tinytracker.model.tflite_model import TfliteModel
    from tinytracker.model.tflite_stats import ModelStats, model_stats
    from tinytracker.model.weight_file import (
        describe_weights,
        packaged_presets,
        packaged_weights,
        read_weights,
    )
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "info": ("describe",),
            "presets": ("PRESETS", "Preset", "find_preset"),
            "tflite_file": ("read_tflite",),
            "tflite_model": ("TfliteModel",),
            "tflite_stats": ("ModelStats", "model_stats"),
            "weight_file": ("describe_weights", "packaged_presets", "packaged_weights", "read_weights"),
        },
    )

__all__ = [
    "PRESETS",
    "ModelStats",
    "Preset",
    "TfliteModel",
    "describe",
    "describe_weights",
    "find_preset",
    "model_stats",
    "packaged_presets",
    "packaged_weights",
    "read_tflite",
    "read_weights",
]
