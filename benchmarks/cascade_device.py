"""A network behind a gate on the emulated board, on a rendered sequence: equal to Python, and what each frame costs.

    tinytracker synth seq --sequences --subjects 1 --frames 70 --seed 52601
    python benchmarks/cascade_device.py --model s2-aim.tflite --frames seq/00000/frames

Frames are cut to 4 : 3 and scaled to 320 x 240, as a board's camera delivers them. Everything is emulated: counts of
instructions are exact, and no time on hardware was measured.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from common import write_csv

from tinytracker.aim.controller import State
from tinytracker.cascade.reference import follow
from tinytracker.cascade.strategies import FLOW
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.emulate import emulate_cascade
from tinytracker.measure.board import Board
from tinytracker.measure.whole_frames import read_frames
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract

MOST = 70
"""Frames of 320 x 240 that fit into the emulator's 16 MB."""


def main() -> None:
    """Run the sequence with each network and write one row for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, action="append")
    parser.add_argument("--frames", type=Path, required=True)
    options = parser.parse_args()
    rows = []
    for path in options.model:
        model = path.read_bytes()
        io = IoContract.of(read_tflite(model))
        board = Board("qemu", "", "0" * 64, 1.0, "emulated", "loaded", ("run",), io, frame_px=(320, 240))
        frames, _ = read_frames(options.frames, board, MOST)
        run = emulate_cascade(model, frames, FLOW.gate, kernels=CortexM4())
        expected = follow(model, frames, FLOW.gate)
        equal = sum(
            (a.region, a.state, a.has_eyes, a.ran, a.output)
            == (b.region, b.state, b.has_eyes, b.ran, b.output)
            for a, b in zip(run.frames, expected, strict=True)
        )
        ran = [f for f in run.frames if f.ran and f.gate > 100_000]
        kept = [f for f in run.frames if not f.ran]
        rows.append(
            {
                "model": path.name, "frames": len(frames), "equal_to_python": equal,
                "followed": sum(f.state == State.FOLLOWING for f in run.frames),
                "ran": sum(f.ran for f in run.frames),
                "strip": _mean([f.strip for f in kept]), "gate": _mean([f.gate for f in kept]),
                "gate_max": max(f.gate for f in run.frames), "steer_max": max(f.steer for f in run.frames),
                "cut": _mean([f.cut for f in ran]), "network": _mean([f.run for f in ran]),
                "kept_frame": _mean([f.instructions for f in kept]),
                "mean_frame": _mean([f.instructions for f in run.frames]),
                "program_bytes": run.ram_bytes, "stack_bytes": run.stack_used_bytes, "evidence": "emulated",
            }
        )  # fmt: skip
    write_csv("cascade_device", rows)


def _mean(values: list[int]) -> int:
    return round(float(np.mean(values))) if values else 0


if __name__ == "__main__":
    main()
