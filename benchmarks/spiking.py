"""Measure what turning a network into spikes costs in accuracy, after each number of steps.

python benchmarks/spiking.py RUN [RUN ...] --held PREPARED:SPLITS [...] [--steps N] [--encode current rate]
    [--simulated N] [--validation N] [--no-int8] [--float-only]

RUN is a finished run of a preset with a spiking form; PREPARED:SPLITS names frames of people unseen in training, for
example `held:train,val,test prepared:test`. The number of steps is chosen on the validation split of the run's own
data: the smallest whose integer network loses at most 5 % there (`chosen`).

`spiking.csv` gets, for each run and encoding, a line for each of some numbers of steps: the error of the float network
on all frames; by how much that of the INT8 network (PTQ, reference kernels) is larger; the loss of the spiking network
before rounding (on every eighth frame) and in integers, each relative to the float network on the same frames; spikes
and synaptic operations. With `--simulated` only some frames, evenly spread, are simulated; with
`--float-only` none, and the line has 0 steps. All frames are synthetic.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from common import append_csv
from numpy.typing import NDArray

from tinytracker.data.index import read_index
from tinytracker.model.keras_builder import load_trained
from tinytracker.model.presets import Preset, find_preset
from tinytracker.quant import quantize
from tinytracker.quant.contract import IoContract
from tinytracker.quant.runtimes import ReferenceRuntime
from tinytracker.runs import Run
from tinytracker.spiking.conversion import CALIBRATION_FRAMES, trained_layers
from tinytracker.spiking.frames import CodedFrames, coded_frames, run_frames
from tinytracker.spiking.lowering import activations, balanced_thresholds, sees_edges, spiking_network
from tinytracker.spiking.network import SpikingNetwork
from tinytracker.spiking.rounding import rounded

LOSS = 0.05
SHOWN = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
EVERY = 8
"""Frames of which one runs before rounding."""

VALIDATION_FRAMES = 960


def joined(parts: list[CodedFrames]) -> CodedFrames:
    """Return all frames in one."""
    return CodedFrames(
        np.concatenate([p.codes for p in parts]),
        np.concatenate([p.gaze_cm for p in parts]),
        np.concatenate([p.unit for p in parts]),
    )


def every(frames: CodedFrames, step: int) -> CodedFrames:
    """Return one of `step` frames."""
    return CodedFrames(frames.codes[::step], frames.gaze_cm[::step], frames.unit[::step])


def seen_by(network: SpikingNetwork, frames: CodedFrames) -> CodedFrames:
    """Return frames as a network sees them."""
    return frames.edges() if network.encode == "edges" else frames


def int8_error(run: Run, frames: CodedFrames) -> float:
    """Return the error of the run's PTQ network on reference kernels, cm."""
    path = run.quantized("ptq-int8") / "model.tflite"
    if not path.is_file():
        quantize(run.path)
    runtime = ReferenceRuntime(path.read_bytes())
    contract: IoContract = runtime.contract
    pixels = (frames.codes.astype(np.int16) + 128).astype(np.uint8)
    raw = runtime.run({contract.inputs[0].name: pixels})
    return frames.error_cm(contract.decode(raw))


def measure(
    run: Run, held: list[str], encode: str, steps: int, simulated: int, seen: int, with_int8: bool
) -> None:
    """Append the lines of one run and encoding.

    Args:
        run: a finished run.
        held: `PREPARED:SPLITS`.
        encode: how pixels enter.
        steps: number of steps.
        simulated: frames that are simulated; 0 for all.
        seen: frames of the validation split, at most.
        with_int8: whether to quantize and run the INT8 network as well.
    """
    about = run.describe()
    preset = find_preset(about.preset)
    own = read_index(Path(about.data.path))
    model = load_trained(run.trained_model())
    layers, learned = trained_layers(model, preset)
    if preset.levels is None:
        method = "balance p99.9"
        calibration = coded_frames(own, "train", preset.input, CALIBRATION_FRAMES)
        thresholds, known = balanced_thresholds(layers, calibration.codes, 99.9), None
    else:
        method, thresholds = "qcfs", learned
        known = (learned, preset.levels)
    real = spiking_network(layers, thresholds, encode, preset=preset.name, steps=steps)
    network = rounded(real)

    def network_error(frames: CodedFrames) -> float:
        answers = np.concatenate([activations(layers, codes, known)[-1] for codes in frames.batches()])
        return frames.error_cm(answers)

    val = seen_by(network, coded_frames(own, "val", preset.input, seen))
    answers, _, _ = run_frames(network, val, steps, "validation")
    before = network_error(val)
    losses = [val.error_cm(a) / before - 1 for a in answers]
    chosen = next((t + 1 for t, loss in enumerate(losses) if loss <= LOSS), 0)

    pixels = held_frames(held, preset)
    float_cm = keras_error(model, pixels)
    frames = seen_by(network, pixels)
    some = every(frames, max(1, -(-len(frames) // simulated))) if simulated else frames
    fewer = every(some, EVERY)
    float_some, float_fewer = network_error(some), network_error(fewer)
    has_int8 = with_int8 and not sees_edges(preset.network())
    added = round(int8_error(run, some) - float_some, 4) if has_int8 else ""
    answers, spikes, sops = run_frames(network, some, steps, "integers")
    real_answers, _, _ = run_frames(real, fewer, steps, "before rounding")
    constant = frames.error_cm(np.broadcast_to(_best_constant(frames), (len(frames), 2)))
    for t in range(steps):
        if t + 1 not in (*SHOWN, chosen, steps):
            continue
        error = some.error_cm(answers[t])
        mean_sops = float(sops[t].sum(0).mean())
        row = {
            "preset": preset.name, "seed": about.config.get("seed", 0), "epochs": about.config.get("epochs"),
            "method": method, "encode": encode, "steps": t + 1, "chosen": int(t + 1 == chosen),
            "frames": len(frames), "simulated": len(some), "constant_cm": round(constant, 3),
            "float_cm": round(float_cm, 4), "int8_minus_float_cm": added,
            "loss_before_rounding": round(fewer.error_cm(real_answers[t]) / float_fewer - 1, 4),
            "spiking_cm": round(error, 4), "loss": round(error / float_some - 1, 4),
            "val_loss": round(losses[t], 4), "spikes": round(float(spikes[t].sum(0).mean())),
            "sops": round(mean_sops), "sops_per_mac": round(mean_sops / network.macs, 3),
            "updates": network.neurons * (t + 1), "neurons": network.neurons, "synapses": network.synapses,
            "data": "synthetic",
        }  # fmt: skip
        append_csv("spiking", row, ["tensorflow", "numpy"])


def keras_error(model: Any, frames: CodedFrames) -> float:
    """Return the error of the float network on frames as pixels, cm."""
    (name,) = model.input_names
    answers = [
        model.predict_on_batch({name: codes.astype(np.float32) / 128}).astype(np.float64)
        for codes in frames.batches()
    ]
    return frames.error_cm(np.concatenate(answers))


def measure_float(run: Run, held: list[str]) -> None:
    """Append a line with the error of the float network alone, computed in Keras."""
    about = run.describe()
    preset = find_preset(about.preset)
    model = load_trained(run.trained_model())
    frames = held_frames(held, preset)
    constant = frames.error_cm(np.broadcast_to(_best_constant(frames), (len(frames), 2)))
    known = {
        "preset": preset.name, "seed": about.config.get("seed", 0), "epochs": about.config.get("epochs"), "steps": 0,
        "frames": len(frames), "constant_cm": round(constant, 3),
        "float_cm": round(keras_error(model, frames), 4), "data": "synthetic",
    }  # fmt: skip
    append_csv("spiking", {name: known.get(name, "") for name in COLUMNS}, ["tensorflow", "numpy"])


COLUMNS = (
    "preset", "seed", "epochs", "method", "encode", "steps", "chosen", "frames", "simulated", "constant_cm", "float_cm",
    "int8_minus_float_cm", "loss_before_rounding", "spiking_cm", "loss", "val_loss", "spikes", "sops", "sops_per_mac",
    "updates", "neurons", "synapses", "data",
)  # fmt: skip


def held_frames(held: list[str], preset: Preset) -> CodedFrames:
    """Return all frames of the splits that were named."""
    parts = []
    for part in held:
        folder, _, splits = part.rpartition(":")
        for split in splits.split(","):
            parts.append(coded_frames(read_index(Path(folder)), split, preset.input))
    return joined(parts)


def _best_constant(frames: CodedFrames) -> NDArray[np.float64]:
    """Return the best constant in units of the network's output."""
    return np.median(frames.gaze_cm / frames.unit[:, None], axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--held", nargs="+", required=True, help="PREPARED:split,split")
    parser.add_argument("--encode", nargs="+", default=["current"])
    parser.add_argument("--simulated", type=int, default=0, help="frames that are simulated; default: all")
    parser.add_argument("--steps", type=int, default=0, help="default: 12 for QCFS, 32 for ReLU")
    parser.add_argument(
        "--validation", type=int, default=VALIDATION_FRAMES, help="frames of the run's own split"
    )
    parser.add_argument("--no-int8", action="store_true", help="leave out the INT8 network")
    parser.add_argument("--float-only", action="store_true", help="only the float network")
    arguments = parser.parse_args()
    for folder in arguments.runs:
        run = Run.open(folder)
        if arguments.float_only:
            measure_float(run, arguments.held)
            continue
        steps = arguments.steps or (32 if find_preset(run.preset_name).levels is None else 12)
        own = ["edges"] if sees_edges(find_preset(run.preset_name).network()) else arguments.encode
        for encode in own:
            measure(
                run,
                arguments.held,
                encode,
                steps,
                arguments.simulated,
                arguments.validation,
                not arguments.no_int8,
            )


if __name__ == "__main__":
    main()
