"""Count what networks cost on 1 to 5 cores of an emulated Cortex-M4: critical path, work, arena, code of a worker.

Everything is emulated: one core computes the parts of all cores and counts each. Cores that wait for the same memory
are not modelled. Presets are untrained and calibrated with noise, as in mcu.py, which also says what --published FOLDER
needs.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import write_csv
from mcu import Noise, tool_versions

from tinytracker.codegen import generate
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.multicore import MAX_CORES
from tinytracker.emulate import EmulationReport, emulate
from tinytracker.emulate.firmware import CPU_FLAGS

PRESETS = ("tinytracker-s", "tinytracker", "tinytracker-v2", "tinytracker-s2")
PUBLISHED = ("TinyTrackerS", "TinyTracker")


def networks(published: Path | None) -> Iterator[tuple[str, str, bytes]]:
    """Yield (name, origin, .tflite)."""
    for name in PUBLISHED if published is not None else ():
        yield name, "published", (published / f"{name}.tflite").read_bytes()
    import keras

    from tinytracker.model.keras_builder import build_keras
    from tinytracker.model.presets import PRESETS as ALL
    from tinytracker.quant.ptq import convert

    for name in PRESETS:
        keras.utils.set_random_seed(0)
        keras_model = build_keras(ALL[name].network())
        yield name, "preset", convert(keras_model, Noise(keras_model), "int8")


def worker_bytes(model: bytes, cores: int) -> int:
    """Return the instructions and constants that a worker needs, in bytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = generate(model, folder, kernels=CortexM4(), cores=cores)
        sources = [p for p in library.sources if p.name == "model_parts.c" or p.name.startswith("tt_m4")]
        elf = folder / "worker.elf"
        command = [
            "arm-none-eabi-gcc", *CPU_FLAGS, "-std=c99", "-O2", "-ffunction-sections", "-fdata-sections",
            "-DMODEL_WORKER", "-I", folder, *sources, "-nostartfiles", "--specs=nano.specs",
            "-Wl,--gc-sections,-e,model_core", "-o", elf,
        ]  # fmt: skip
        subprocess.run([str(word) for word in command], check=True)
        sizes = subprocess.run(["arm-none-eabi-size", str(elf)], capture_output=True, text=True, check=True)
    return int(re.findall(r"^\s*(\d+)", sizes.stdout, re.M)[0])


def row(
    name: str, origin: str, cores: int, model: bytes, one: EmulationReport, report: EmulationReport
) -> dict[str, Any]:
    """Return one line of multicore.csv."""
    team = report.team
    critical = report.instructions if team is None else team.critical_path
    return {
        "network": name,
        "origin": origin,
        "measured": "emulated",
        "network_cores": cores,
        "equal_to": report.oracle if report.equal else "DIFFERENT",
        "critical_path": f"{critical:.0f}",
        "speed_up": f"{one.instructions / critical:.3f}",
        "work": f"{report.instructions:.0f}",
        "more_work_percent": f"{100 * (report.instructions / one.instructions - 1):.2f}",
        "regions": 1 if team is None else len(team.regions),
        "arena_bytes": report.arena_bytes,
        "scratch_bytes_per_core": 0 if team is None else team.scratch_bytes,
        "worker_code_bytes": 0 if team is None else worker_bytes(model, cores),
    }


def main() -> None:
    """Count and write results/multicore.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=3)
    parser.add_argument("--published", type=Path, help="folder with the published .tflite files")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    tools = tool_versions()
    rows = []
    for name, origin, model in networks(options.published):
        one = emulate(model, options.images, kernels=CortexM4())
        for cores in range(1, MAX_CORES + 1):
            print(f"{name}, {cores} cores", file=sys.stderr)
            report = one if cores == 1 else emulate(model, options.images, kernels=CortexM4(), cores=cores)
            rows.append(row(name, origin, cores, model, one, report) | tools)
    write_csv("multicore", rows)


if __name__ == "__main__":
    main()
