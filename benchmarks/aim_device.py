"""A network that aims on the emulated board, on a rendered sequence: equal to Python bit for bit, and what it costs.

    tinytracker synth seq --sequences --subjects 1 --frames 60 --seed 31001
    python benchmarks/aim_device.py --model s2-aim.tflite --frames seq/00000/frames [--finder finder.tflite]

Frames are cut to 4 : 3 and scaled to 320 x 240, as a board's camera delivers them. Everything is emulated: counts of
instructions are exact, and no time on hardware was measured.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from common import write_csv

from tinytracker.aim.controller import State
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.emulate import aim_cost, emulate_aim
from tinytracker.measure.board import Board
from tinytracker.measure.whole_frames import follow, read_frames
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract

MOST = 70
"""Frames of 320 x 240 that fit into the emulator's 16 MB."""


def main() -> None:
    """Run the sequence and write one row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--finder", type=Path)
    options = parser.parse_args()
    model = options.model.read_bytes()
    finder = None if options.finder is None else options.finder.read_bytes()
    io = IoContract.of(read_tflite(model))
    board = Board("qemu", "", "0" * 64, 1.0, "emulated", "loaded", ("run",), io, frame_px=(320, 240))
    frames, _ = read_frames(options.frames, board, MOST)
    run = emulate_aim(model, frames, kernels=CortexM4(), finder=finder)
    expected = follow(model, frames, finder)
    cost = aim_cost(model, kernels=CortexM4(), finder=finder)
    equal = None if expected is None else sum(
        (a.region, a.state, a.has_eyes, a.output) == (b.region, b.state, b.has_eyes, b.output)
        for a, b in zip(run.frames, expected, strict=True)
    )  # fmt: skip
    row = {
        "model": options.model.name, "frames": len(run.frames), "equal_to_python": equal,
        "followed": sum(f.state == State.FOLLOWING for f in run.frames),
        "with_eyes": sum(f.has_eyes for f in run.frames),
        "network": round(float(np.mean([f.run for f in run.frames]))),
        "crop_mean": round(float(np.mean([f.cut for f in run.frames]))),
        "crop_80_px": cost["crop"], "crop_320_px": cost["crop_search"],
        "steering_max": max(f.update for f in run.frames), "finder_look": cost.get("finder", ""),
        "program_bytes": run.ram_bytes, "stack_bytes": run.stack_used_bytes,
    }  # fmt: skip
    write_csv("aim_device", [row])


if __name__ == "__main__":
    main()
