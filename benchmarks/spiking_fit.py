"""Try to make few time steps cheaper without training again: fit the readout, and the biases, to the spikes themselves.

python benchmarks/spiking_fit.py RUN [RUN ...] [--steps 4 5 6 8] [--frames 2048] [--judged 960]

RUN is a finished run of a QCFS preset. Two corrections of its converted network, each computed on frames of the
training split and judged on the test split of the same data:

- `readout`: the weights of the readout, from the spike counts of the hidden layer to the answers of the float network
  (ridge regression of the difference);
- `biases`: of every layer in turn, one number for each channel, so that its mean activity over the steps is that of the
  float network (after Li et al., "A Free Lunch From ANN: Towards Efficient, Accurate Spiking Neural Networks
  Calibration", ICML 2021).

`spiking_fit.csv` gets a line for each run, number of steps and correction: the loss relative to the float network.
Nothing of this is built in. All frames are synthetic.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import append_csv
from numpy.typing import NDArray

from tinytracker.data.index import read_index
from tinytracker.model.keras_builder import load_trained
from tinytracker.model.presets import find_preset
from tinytracker.runs import Run
from tinytracker.spiking.conversion import trained_layers
from tinytracker.spiking.frames import CodedFrames, coded_frames
from tinytracker.spiking.lowering import activations, spiking_network
from tinytracker.spiking.network import SpikingNetwork
from tinytracker.spiking.rounding import rounded
from tinytracker.spiking.simulator import simulate

RIDGE = 0.1
CALIBRATION = 256
"""Frames for the biases: every layer is simulated again."""

Array = NDArray[np.float64]


def counts(network: SpikingNetwork, frames: CodedFrames, steps: int) -> tuple[Array, Array]:
    """Return the hidden layer's spikes per step, (steps, n, units), and the answers, (steps, n, 2)."""
    spikes, answers = [], []
    passed = np.arange(1, steps + 1)[:, None, None]
    for codes in frames.batches():
        activity = simulate(network, codes, steps, record=True)
        spikes.append(activity.trains[-1].cumsum(0) / passed)
        answers.append(activity.readout / passed * network.unit_cm)
    return np.concatenate(spikes, 1), np.concatenate(answers, 1)


def ridge(x: Array, y: Array) -> Array:
    """Return weights and bias, (units + 1, 2)."""
    a = np.c_[x, np.ones(len(x))]
    penalty = np.eye(a.shape[1]) * RIDGE * len(x)
    penalty[-1, -1] = 0
    found: Array = np.linalg.solve(a.T @ a + penalty, a.T @ y)
    return found


def with_biases(
    network: SpikingNetwork, codes: NDArray[np.int8], steps: int, wanted: list[Array]
) -> SpikingNetwork:
    """Return the network in real numbers with corrected biases.

    Args:
        network: in real numbers.
        codes: (n, h, w, c).
        steps: for which the biases are made.
        wanted: activations of the float network in each layer, (n, ...).
    """
    layers = list(network.layers)
    for k, layer in enumerate(layers[:-1]):
        assert layer.threshold is not None
        for _ in range(2):
            now = replace(network, layers=tuple(layers))
            fired = simulate(now, codes, steps, record=True).trains[k].mean(0) * layer.threshold
            axes = tuple(range(fired.ndim - 1))
            missing = (wanted[k] - fired).mean(axes)
            layers[k] = replace(layers[k], bias=layers[k].bias + missing)
    return replace(network, layers=tuple(layers))


def measure(run: Run, steps: list[int], fitted: int, judged: int) -> None:
    """Append the lines of one run."""
    about = run.describe()
    preset = find_preset(about.preset)
    data = read_index(Path(about.data.path))
    train, test = (
        coded_frames(data, split, preset.input, n) for split, n in (("train", fitted), ("test", judged))
    )
    layers, thresholds = trained_layers(load_trained(run.trained_model()), preset)
    assert preset.levels is not None
    known = (thresholds, preset.levels)

    def float_answers(frames: CodedFrames) -> Array:
        return np.concatenate([activations(layers, codes, known)[-1] for codes in frames.batches()])

    wanted, expected = float_answers(train), float_answers(test)
    base = test.error_cm(expected)
    real = spiking_network(layers, thresholds, preset=preset.name)
    few = train.codes[:: max(1, len(train) // CALIBRATION)]
    targets = activations(layers, few, known)

    def line(corrected: str, t: int, answers: Array) -> None:
        row = {
            "preset": preset.name, "seed": about.config.get("seed", 0), "corrected": corrected, "steps": t,
            "fitted_frames": len(train), "frames": len(test), "float_cm": round(base, 4),
            "spiking_cm": round(test.error_cm(answers), 4), "loss": round(test.error_cm(answers) / base - 1, 4),
            "data": "synthetic",
        }  # fmt: skip
        append_csv("spiking_fit", row, ["tensorflow", "numpy"])

    plain = rounded(real)
    x, ours = counts(plain, train, max(steps))
    x_test, ours_test = counts(plain, test, max(steps))
    for t in steps:
        line("", t, ours_test[t - 1])
        gain = ridge(x[t - 1], wanted - ours[t - 1])
        line("readout", t, ours_test[t - 1] + np.c_[x_test[t - 1], np.ones(len(test))] @ gain)
    for t in steps:
        if t > min(steps):  # the biases hold for one number of steps; the fewest need them most
            break
        network = rounded(with_biases(real, few, t, targets))
        x, ours = counts(network, train, t)
        x_test, ours_test = counts(network, test, t)
        line("biases", t, ours_test[-1])
        gain = ridge(x[-1], wanted - ours[-1])
        line("biases, readout", t, ours_test[-1] + np.c_[x_test[-1], np.ones(len(test))] @ gain)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--steps", type=int, nargs="+", default=[4, 5, 6, 8])
    parser.add_argument("--frames", type=int, default=2048, help="of the training split")
    parser.add_argument("--judged", type=int, default=960, help="of the test split")
    arguments = parser.parse_args()
    for folder in arguments.runs:
        measure(Run.open(folder), sorted(arguments.steps), arguments.frames, arguments.judged)


if __name__ == "__main__":
    main()
