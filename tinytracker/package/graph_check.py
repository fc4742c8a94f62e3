"""Does a .tflite file fit a device? Judged operator by operator."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tinytracker.errors import UsageError
from tinytracker.model.presets import PRESETS
from tinytracker.package import TARGETS
from tinytracker.package.graph_rules import GraphReport

GRAPH_MODULES = {"coralmicro": "tinytracker.package.coralmicro.check"}
"""Targets with rules over operators, and the module whose `check(model)` applies them; imported when it is used."""


def check_graph(source: str, target: str, quantized: str | None = None) -> GraphReport:
    """Say for each operator of a model whether a device takes it, which rule it breaks, and the way out.

    Args:
        source: .tflite file, or run folder.
        target: one of `GRAPH_MODULES`.
        quantized: which quantized model of a run; None for the target's own choice.

    Raises:
        UsageError: a preset, which has no operators yet.
        InputFileError, ModelError: the file cannot be read.
    """
    from tinytracker.model.tflite_file import read_tflite
    from tinytracker.package.source import quantized_model

    path = Path(source)
    if source in PRESETS:
        raise UsageError(
            f"{target} judges the operators of a .tflite file; {source} is a preset.",
            f"Train and quantize it, then name the run (./{source} when that is a folder).",
        )
    if not path.is_file() and path.suffix != ".tflite":
        path = quantized_model(path, quantized or TARGETS[target].quantized)
    report: GraphReport = import_module(GRAPH_MODULES[target]).check(read_tflite(path))
    return report
