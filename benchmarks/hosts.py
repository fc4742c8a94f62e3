"""Run bundled networks in the runtimes of this computer: time of an inference, and difference from the oracle.

    python benchmarks/hosts.py PREPARED RUN...

PREPARED is prepared data of people whom the networks have not seen, each RUN a run with the quantized model ptq-int8.
Rounds of all runtimes alternate, so that a change of the machine's load does not look like a difference of runtimes.
The 5th percentile is the time that other programs disturb least.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from common import write_csv

from tinytracker.data.index import read_index
from tinytracker.evaluate.metrics import frame_errors
from tinytracker.files import read_bytes
from tinytracker.hosts import HostOptions, open_runtime
from tinytracker.interpreters.base import run_in_parts
from tinytracker.measure.host_clock import now_ns
from tinytracker.model.presets import find_preset
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_stats import model_stats
from tinytracker.quant.contract import IoContract
from tinytracker.quant.oracle import oracle_of
from tinytracker.quant.parity import differing_frames, frames_with_target
from tinytracker.runs import Run

FRAMES = 100
ROUNDS, REPEATS = 10, 20
OPTIONS = (
    HostOptions("tflite"),
    HostOptions("tflite", threads=2),
    HostOptions("tflite", xnnpack=False),
    HostOptions("onnx"),
    HostOptions("onnx", threads=2),
    HostOptions("openvino"),
    HostOptions("openvino", threads=2),
)


def rows_of(folder: Path, prepared: Path) -> list[dict[str, Any]]:
    """Return one row per runtime of the run's quantized model."""
    run = Run.open(folder)
    preset = find_preset(run.preset_name)
    content = read_bytes(run.quantized("ptq-int8") / "model.tflite")
    model = read_tflite(content)
    contract = IoContract.of(model)
    codes, target = frames_with_target(read_index(prepared), preset, FRAMES)
    inputs = contract.encode_all(codes)
    expected = run_in_parts(oracle_of(content), inputs)

    def error(outputs: Any) -> float:
        cm = contract.decode(outputs[0]) * target[:, 2:]
        return float(frame_errors(cm, target[:, :2]).mean())

    opened = [open_runtime(content, options) for options in OPTIONS]
    times: list[list[float]] = [[] for _ in opened]
    for _ in range(ROUNDS):
        for runtime, found in zip(opened, times, strict=True):
            runtime.load([array[0] for array in inputs])
            for repeat in range(REPEATS + 3):
                begin = now_ns()
                runtime.infer()
                if repeat >= 3:  # after the others' turn, caches are cold
                    found.append((now_ns() - begin) / 1e6)
    rows = []
    for runtime, found in zip(opened, times, strict=True):
        outputs = run_in_parts(runtime, inputs)
        apart = np.abs(outputs[0].astype(int) - expected[0].astype(int))
        gaze = np.abs(contract.decode(outputs[0]) - contract.decode(expected[0]))
        rows.append(
            {
                "network": preset.name,
                "measured": "this computer, synthetic people",
                "runtime": runtime.name,
                "macs": model_stats(model).macs,
                "inference_ms_p5": f"{np.percentile(found, 5):.3f}",
                "inference_ms_median": f"{np.median(found):.3f}",
                "inferences": len(found),
                "frames": len(target),
                "differing_frames": int(differing_frames(outputs, expected).sum()),
                "max_steps": int(apart.max()),
                "mean_steps": f"{apart.mean():.4f}",
                "max_gaze": f"{gaze.max():.4f}",
                "mean_gaze": f"{gaze.mean():.5f}",
                "error_cm": f"{error(outputs):.4f}",
                "oracle_error_cm": f"{error(expected):.4f}",
            }
        )
    return rows


def main() -> None:
    """Write results/hosts.csv."""
    prepared, *runs = map(Path, sys.argv[1:])
    rows = [row for run in runs for row in rows_of(run, prepared)]
    write_csv("hosts", rows, ("tensorflow", "onnxruntime", "openvino", "numpy"))


if __name__ == "__main__":
    main()
