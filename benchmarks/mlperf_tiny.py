"""MLPerf Tiny's five INT8 reference models as generated C: equal to the oracle, and how long they would take.

Times of ours are modelled for a Cortex-M4 at 120 MHz (NUCLEO-L4R5ZI); those beside them are published results of MLPerf
Tiny v1.0 on that board. The models belong to MLCommons and are not part of this project: clone
https://github.com/mlcommons/tiny and give its folder `benchmark/training`, or any folder with the five files.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import RESULTS, write_csv
from mcu import tool_versions
from mlperf_tiny_plot import plot

from tinytracker.codegen.kernel_sets import kernel_set
from tinytracker.emulate import EmulationReport, emulate

HZ = 120_000_000
"""Clock of the NUCLEO-L4R5ZI in the published results."""
BUDGETS = (1.15, 2.1)
SUBMITTERS = ("Plumerai", "X-CUBE-AI", "microTVM + CMSIS-NN")
SOURCE = "MLPerf Tiny v1.0, closed division, NUCLEO-L4R5ZI"


@dataclass(frozen=True)
class Benchmark:
    """One reference model.

    Attributes:
        short, name: of the benchmark. file: name of the model in mlcommons/tiny.
        published_ms: latencies of `SUBMITTERS` in ms; none for a benchmark that v1.0 did not have.
    """

    short: str
    name: str
    file: str
    published_ms: tuple[float, ...]


BENCHMARKS = (
    Benchmark("vww", "visual wake words", "vww_96_int8.tflite", (209.0, 230.0, 301.0)),
    Benchmark("kws", "keyword spotting", "kws_ref_model.tflite", (72.0, 75.0, 100.0)),
    Benchmark("ic", "image classification", "pretrainedResnet_quant.tflite", (173.0, 227.0, 390.0)),
    Benchmark("ad", "anomaly detection", "ad01_int8.tflite", (5.6, 7.6, 8.6)),
    Benchmark("sww", "streaming wake word", "str_ww_ref_model.tflite", ()),
)


def find(folder: Path, name: str) -> Path:
    """Return a file anywhere below a folder.

    Raises:
        SystemExit: it is not there.
    """
    found = next(iter(sorted(folder.rglob(name))), None)
    if found is None:
        raise SystemExit(f"{folder} has no {name}; clone https://github.com/mlcommons/tiny and name it.")
    return found


def ours(benchmark: Benchmark, model: bytes, budget: float, report: EmulationReport) -> dict[str, Any]:
    """Return the line of our C."""
    assert report.modelled is not None
    low, middle, high = (f"{cycles / HZ * 1e3:.1f}" for cycles in report.modelled.interval)
    return {
        "benchmark": benchmark.short,
        "software": f"tinytracker, budget {budget}",
        "kind": "modelled",
        "ms": middle,
        "ms_low": low,
        "ms_high": high,
        "equal_to": report.oracle if report.equal else "DIFFERENT",
        "macs": report.macs,
        "instructions": f"{report.instructions:.0f}",
        "cycles_without_wait_states": report.modelled.total.cycles,
        "model_bytes": len(model),
        "code_and_constant_bytes": report.code_bytes,
        "arena_bytes": report.arena_bytes,
        "source": "",
    }


def published(benchmark: Benchmark, like: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lines of others, with the columns of ours."""
    return [
        dict.fromkeys(like, "")
        | {
            "benchmark": benchmark.short,
            "software": who,
            "kind": "published",
            "ms": f"{ms:g}",
            "source": SOURCE,
        }
        for who, ms in zip(SUBMITTERS, benchmark.published_ms, strict=False)
    ]


def main() -> None:
    """Write results/mlperf_tiny.csv and docs/images/speed.svg."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with the models, such as tiny/benchmark/training")
    parser.add_argument("--images", type=int, default=2)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    tools = tool_versions()
    rows = []
    for benchmark in BENCHMARKS:
        model = find(options.folder, benchmark.file).read_bytes()
        for budget in BUDGETS:
            print(f"{benchmark.short}, budget {budget}", file=sys.stderr)
            kernels = kernel_set("cortex-m4", budget)
            report = emulate(model, options.images, kernels=kernels, cycles=True)
            rows.append(ours(benchmark, model, budget, report) | tools)
        rows += published(benchmark, rows[-1])
    write_csv("mlperf_tiny", rows)
    image = RESULTS.parent.parent / "docs" / "images" / "speed.svg"
    image.write_text(plot(rows, {b.short: b.name for b in BENCHMARKS}), encoding="utf-8")
    print(image)


if __name__ == "__main__":
    main()
