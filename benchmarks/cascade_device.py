r"""A network behind a gate on the emulated board, on a rendered sequence: equal to Python, and what each frame costs.

    tinytracker synth seq --sequences --subjects 1 --frames 70 --seed 52601
    python benchmarks/cascade_device.py --model s2-aim.tflite --model v2-aim.tflite --little s2-aim.tflite \\
        --frames seq/00000/frames

Frames are cut to 4 : 3 and scaled to 320 x 240, as a board's camera delivers them. Everything is emulated: counts of
instructions are exact, and no time on hardware was measured.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from common import write_csv

from tinytracker.aim.controller import State
from tinytracker.cascade.reference import Step, follow
from tinytracker.cascade.simulation import BY_BIG, BY_LITTLE, REUSED
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
    parser.add_argument("--little", type=Path, help="also the last --model with this network looking first")
    options = parser.parse_args()
    rows = [_row(path, None, options.frames) for path in options.model]
    if options.little is not None:
        rows.append(_row(options.model[-1], options.little, options.frames))
    write_csv("cascade_device", rows)


def _row(path: Path, little: Path | None, folder: Path) -> dict[str, Any]:
    """Run one configuration on the board and in Python."""
    model, second = path.read_bytes(), None if little is None else little.read_bytes()
    io = IoContract.of(read_tflite(model))
    board = Board("qemu", "", "0" * 64, 1.0, "emulated", "loaded", ("run",), io, frame_px=(320, 240))
    frames, _ = read_frames(folder, board, MOST)
    run = emulate_cascade(model, frames, FLOW.gate, kernels=CortexM4(), little=second)
    expected = follow(model, frames, FLOW.gate, second)
    equal = sum(
        Step(f.region, f.state, f.has_eyes, f.path, f.output) == step
        for f, step in zip(run.frames, expected, strict=True)
    )
    big = [f for f in run.frames if f.path == BY_BIG and f.state == State.FOLLOWING]
    kept = [f for f in run.frames if f.path == REUSED]
    return {
        "model": path.name, "little": "" if little is None else little.name, "frames": len(frames),
        "equal_to_python": equal, "followed": sum(f.state == State.FOLLOWING for f in run.frames),
        "big_ran": sum(f.path == BY_BIG for f in run.frames),
        "little_alone": sum(f.path == BY_LITTLE for f in run.frames),
        "strip": _mean([f.strip for f in kept]), "gate": _mean([f.gate for f in kept]),
        "gate_max": max(f.gate for f in run.frames), "steer_max": max(f.steer for f in run.frames),
        "cut": _mean([f.cut for f in big]), "network": _mean([f.big for f in big]),
        "little_network": max(f.little for f in run.frames),
        "kept_frame": _mean([f.instructions for f in kept]),
        "mean_frame": _mean([f.instructions for f in run.frames]),
        "program_bytes": run.ram_bytes, "stack_bytes": run.stack_used_bytes, "evidence": "emulated",
    }  # fmt: skip


def _mean(values: list[int]) -> int:
    return round(float(np.mean(values))) if values else 0


if __name__ == "__main__":
    main()
