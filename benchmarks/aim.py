"""Measure where networks with an aim place their own crop, on frames of people they have not seen.

python benchmarks/aim.py HELD_OUT RUN [RUN ...]

HELD_OUT is data prepared with --aim from another seed than the training data; all of its splits are used. RUN is a
finished run of a preset with an aim. Each network is INT8 (PTQ) and runs on TensorFlow Lite's default kernels, ten
times as fast as the reference kernels; the first frames run on both, `codes_off` is the share of output codes that
differ there, and `largest_off` by how much. The yardstick is the gaze of the bundled network without an aim, quantized
with the training data of the run, on the same true strips. All frames are synthetic.

`aim.csv` gets a line per run: the numbers of `tinytracker.evaluate.aim`, the limits of which README and docs speak, and
the paired difference of the gaze error with its 95 % interval over subjects.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import append_csv
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.data.area import area_strip
from tinytracker.data.index import PreparedIndex, read_index
from tinytracker.evaluate.aim import frames_of, summarize_aim, trace_aim
from tinytracker.evaluate.metrics import subject_bootstrap
from tinytracker.interpreters.tflite import DefaultInterpreter
from tinytracker.model.keras_builder import build_keras, with_output
from tinytracker.model.presets import find_preset
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.weight_file import packaged_weights
from tinytracker.progress import bar
from tinytracker.quant import quantize
from tinytracker.quant.calibration import calibration_set
from tinytracker.quant.contract import IoContract
from tinytracker.quant.ptq import convert
from tinytracker.quant.runtimes import ReferenceRuntime
from tinytracker.runs import Run
from tinytracker.train.initial import load_initial

SPLITS = ("train", "val", "test")
CALIBRATION_FRAMES = 500
YARDSTICK_FRAMES = 64
CHECKED_FRAMES = 64


def held_out(index: PreparedIndex) -> Iterator[Any]:
    """Yield the frames of all splits."""
    for split in SPLITS:
        if index.splits[split].frames:
            yield from frames_of(index, split)


class Fast:
    """A model on TensorFlow Lite's default kernels, with codes as input."""

    def __init__(self, content: bytes) -> None:
        self.contract = IoContract.of(read_tflite(content))
        self._interpreter = DefaultInterpreter(content)

    def run(self, codes: NDArray[np.uint8]) -> NDArray[Any]:
        """Return raw outputs (N, elements) of codes (N, H, W, C)."""
        raw = self._interpreter.run(self.contract.encode_all({self.contract.inputs[0].name: codes}))[0]
        return raw.reshape(len(raw), -1)

    def answer(self, codes: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Return gaze (N, 2) and aim (N, 5)."""
        raw, aim = self.run(codes), self.contract.aim
        assert aim is not None
        return self.contract.decode(raw), aim.decode(raw)


def against_reference(content: bytes, fast: Fast, codes: NDArray[np.uint8]) -> tuple[float, int]:
    """Return the share of output codes that differ from the reference kernels, and the largest difference."""
    raw = ReferenceRuntime(content).run({fast.contract.inputs[0].name: codes})
    off = np.abs(raw.astype(int) - fast.run(codes).astype(int))
    return float((off > 0).mean()), int(off.max())


def without_aim(preset: str, training: PreparedIndex) -> Fast:
    """Return the bundled network without an aim, as INT8."""
    chosen = find_preset(preset)
    model = build_keras(chosen.network())
    load_initial(model, packaged_weights(preset))
    calibration = calibration_set(training, chosen.input, CALIBRATION_FRAMES)
    return Fast(convert(with_output(model, chosen.output), calibration, "int8"))


def yardstick(runtime: Fast, index: PreparedIndex, preset: str) -> Floats:
    """Return the gaze error in cm of each frame at the true strip, (N,)."""
    spec = find_preset(preset).input
    errors: list[Floats] = []
    chunk: list[Any] = []

    def flush() -> None:
        codes: NDArray[np.uint8] = np.stack([area_strip(f.image, f.strip, spec) for f in chunk])
        gaze = runtime.contract.decode(runtime.run(codes))
        unit = np.array([f.unit_px / f.strip[2] for f in chunk])
        errors.append(np.linalg.norm(gaze * unit[:, None] - np.stack([f.gaze for f in chunk]), axis=1))
        chunk.clear()

    for frame in held_out(index):
        chunk.append(frame)
        if len(chunk) == YARDSTICK_FRAMES:
            flush()
    if chunk:
        flush()
    return np.concatenate(errors)


def measure(run: Run, index: PreparedIndex) -> dict[str, Any]:
    """Return the line of one run."""
    description = run.describe()
    preset, base = find_preset(description.preset), description.preset.removesuffix("-aim")
    if "ptq-int8" not in run.quantized_names():
        quantize(run.path, "ptq", calibration_frames=CALIBRATION_FRAMES)
    content = (run.quantized("ptq-int8") / "model.tflite").read_bytes()
    network = Fast(content)
    first = [f for f, _ in zip(held_out(index), range(CHECKED_FRAMES), strict=False)]
    codes = np.stack([area_strip(f.image, f.strip, preset.input) for f in first])
    share, largest = against_reference(content, network, codes)
    with bar(f"aim of {run.path.name}", index.frames, "frames") as advance:
        trace = trace_aim(held_out(index), preset.input, network.answer, advance)
    found = summarize_aim(trace)
    own = trace.error_cm(trace.true_gaze, trace.strip)
    plain = yardstick(without_aim(base, read_index(Path(description.data.path))), index, base)
    low, high = subject_bootstrap(own - plain, trace.subject)
    return {
        "preset": preset.name, "seed": description.config["seed"], "data": "synthetic",
        "frames": found.frames, "subjects": found.subjects, "rooms": found.rooms,
        "dx": round(found.dx, 4), "dy": round(found.dy, 4), "distance": round(found.distance, 4),
        "ln_scale": round(found.ln_scale, 4), "roll_rad": round(found.roll, 4),
        "mid_on_it_1_2_3": " ".join(f"{s:.4f}" for s in found.mid_on_it),
        "far_on_it_1_to_6": " ".join(f"{s:.4f}" for s in found.far_on_it),
        "gaze_true_cm": round(found.gaze_true_cm, 3), "gaze_own_cm": round(found.gaze_own_cm, 3),
        "gaze_own_change": round(found.gaze_own_cm / found.gaze_true_cm - 1, 4),
        "presence_logit": round(found.presence_threshold, 2), "false_eyes": round(found.false_eyes, 4),
        "gaze_without_aim_cm": round(float(plain.mean()), 3),
        "gaze_change": round(float(own.mean() / plain.mean() - 1), 4),
        "gaze_minus_without_cm_low": round(low, 3), "gaze_minus_without_cm_high": round(high, 3),
        "codes_off": round(share, 4), "largest_off": largest,
    }  # fmt: skip


def main() -> None:
    """Measure each run and append its line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("held_out", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    arguments = parser.parse_args()
    index = read_index(arguments.held_out)
    for path in arguments.runs:
        print(append_csv("aim", measure(Run.open(path), index), ("tensorflow",)))


if __name__ == "__main__":
    main()
