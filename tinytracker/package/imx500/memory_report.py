"""Asks Sony's converter about the memory of a run's network, without a full conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinytracker.package.imx500.converter import convert
from tinytracker.package.imx500.environment import require_converter
from tinytracker.package.imx500.run_model import quantized_run


def memory_report(run: Path) -> dict[str, Any]:
    """Quantize a run for the sensor and ask the converter.

    Raises:
        InputFileError, ModelError: the run cannot be quantized.
        ConverterError, MissingDependencyError: the converter failed or is not installed.
    """
    require_converter()
    model = quantized_run(run)
    return convert(model.path, model.path.with_name("memory-report"), report_only=True).memory.as_json()
