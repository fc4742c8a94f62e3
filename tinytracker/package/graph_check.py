"""Does a model fit a device? The same question to every target."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tinytracker.errors import UnknownNameError
from tinytracker.package import TARGETS
from tinytracker.package.graph_rules import GraphReport


def check(source: Path, target: str, quantized: str | None = None) -> GraphReport:
    """Say for each operator of a model whether a device takes it, which rule it breaks, and the way out.

    Args:
        source: .tflite file, or run folder.
        target: a target that can check models.
        quantized: which quantized model of a run; None for the target's own choice.

    Raises:
        UnknownNameError: no such target, or one that has no rules.
        InputFileError, ModelError: the file cannot be read.
    """
    checkers = {name: t.checks for name, t in TARGETS.items() if t.checks}
    if target not in checkers:
        raise UnknownNameError("target with rules", target, checkers)
    from tinytracker.model.tflite_file import read_tflite
    from tinytracker.package.source import quantized_model

    if source.is_file() or source.suffix == ".tflite":
        path = source
    else:
        path = quantized_model(source, quantized or TARGETS[target].quantized)
    report: GraphReport = import_module(checkers[target]).check(read_tflite(path))
    return report
