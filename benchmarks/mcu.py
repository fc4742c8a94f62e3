"""Count instructions per inference on the emulated Cortex-M4: every preset that fits, portable kernels, both budgets.

Everything is emulated and exact: the same on every computer with the same compiler. Presets are untrained and
calibrated with noise, which changes scales but not the work. We may not distribute the published networks: to count
them too, give --published FOLDER with TinyTrackerS.tflite and TinyTracker.tflite of pbonazzi/tinytracker.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import RESULTS, write_csv
from mcu_plot import plot

from tinytracker.codegen.kernel_sets import kernel_set
from tinytracker.emulate import EmulationReport, emulate
from tinytracker.emulate.yardstick import CMSIS_NN
from tinytracker.model.presets import PRESETS

VARIANTS = (("portable", 0.0), ("cortex-m4", 1.15), ("cortex-m4", 2.1))
TOO_LARGE = ("itracker",)
"""Omitted: its 6.3 million weights do not fit into 1,536 KB."""


class Noise:
    """Calibration images without a data set."""

    def __init__(self, model: Any) -> None:
        self.shapes = {tensor.name: tuple(tensor.shape[1:]) for tensor in model.inputs}

    def samples(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield six images of different brightness."""
        rng = np.random.default_rng(0)
        for _ in range(6):
            yield {
                name: np.clip(rng.normal(rng.uniform(-1, 1), 0.5, (1, *shape)), -1, 1).astype(np.float32)
                for name, shape in self.shapes.items()
            }


def networks(published: Path | None) -> Iterator[tuple[str, str, bytes]]:
    """Yield (name, origin, .tflite)."""
    if published is not None:
        for name in CMSIS_NN:
            yield name, "published", (published / f"{name}.tflite").read_bytes()
    from tinytracker.model.keras_builder import build_keras
    from tinytracker.quant.ptq import convert

    for name, preset in PRESETS.items():
        if name not in TOO_LARGE:
            keras_model = build_keras(preset.network())
            yield name, "preset", convert(keras_model, Noise(keras_model), "int8")


def summary(
    name: str, origin: str, model: bytes, budget: float, kernels: str, report: EmulationReport
) -> dict[str, Any]:
    """Return one line of mcu.csv."""
    return {
        "network": name,
        "origin": origin,
        "measured": "emulated",
        "kernels": kernels,
        "weights_budget": budget or "",
        "equal_to": report.oracle if report.equal else "DIFFERENT",
        "macs": report.macs,
        "instructions": f"{report.instructions:.0f}",
        "instructions_per_mac": f"{report.instructions_per_mac:.3f}",
        "model_bytes": len(model),
        "code_and_constant_bytes": report.code_bytes,
        "of_model": f"{report.code_bytes / len(model):.3f}",
        "arena_bytes": report.arena_bytes,
        "stack_bytes": report.stack_used_bytes,
        **modelled(report),
    }


def modelled(report: EmulationReport) -> dict[str, str]:
    """Return the modelled milliseconds at 156 MHz; empty for a network whose cycles were not modelled."""
    columns = ("modelled_ms_low", "modelled_ms", "modelled_ms_high")
    return dict(
        zip(columns, (f"{ms:.0f}" for ms in report.modelled_ms or ()), strict=False)
    ) or dict.fromkeys(columns, "")


def operators(name: str, budget: float, kernels: str, report: EmulationReport) -> list[dict[str, Any]]:
    """Return the lines of mcu_operators.csv."""
    return [
        {
            "network": name,
            "kernels": kernels,
            "weights_budget": budget or "",
            "operator": step.operator,
            "name": step.name,
            "kernel": step.kernel,
            "macs": step.macs,
            "instructions": f"{step.instructions:.0f}",
            "instructions_per_mac": f"{step.instructions / step.macs:.3f}" if step.macs else "",
            "modelled_cycles": "" if step.cycles is None else step.cycles,
        }
        for step in report.steps
    ]


def tool_versions() -> dict[str, str]:
    """Return the version lines of compiler and emulator; counts depend on the compiler."""
    versions = {}
    for column, tool in (("compiler", "arm-none-eabi-gcc"), ("emulator", "qemu-system-arm")):
        path = shutil.which(tool)
        done = subprocess.run([path or tool, "--version"], capture_output=True, text=True, check=False)
        versions[column] = done.stdout.splitlines()[0]
    return versions


def main() -> None:
    """Count, write results/mcu.csv and results/mcu_operators.csv, and draw docs/images/mcu.svg."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=3)
    parser.add_argument("--published", type=Path, help="folder with the published .tflite files")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    tools = tool_versions()
    rows, steps = [], []
    for name, origin, model in networks(options.published):
        for kernels, budget in VARIANTS:
            print(f"{name}, {kernels} {budget or ''}", file=sys.stderr)
            chosen = kernel_set(kernels, budget) if budget else kernel_set(kernels)
            report = emulate(model, options.images, kernels=chosen)
            rows.append(summary(name, origin, model, budget, kernels, report) | tools)
            steps += operators(name, budget, kernels, report)
    write_csv("mcu", rows)
    write_csv("mcu_operators", steps)
    if options.published is not None:
        image = RESULTS.parent.parent / "docs" / "images" / "mcu.svg"
        image.write_text(plot(rows), encoding="utf-8")
        print(image)


if __name__ == "__main__":
    main()
