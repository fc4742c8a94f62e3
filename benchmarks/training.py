"""Measure how fast the presets train, and whether the input pipeline keeps up with them.

For each preset: frames/s of the optimizer's step alone (one batch, repeated), and frames/s of the input pipeline
alone, in the first epoch (decode and resize) and in later ones (from the cache), augmentation included. The input is
the bottleneck when its later epochs are slower than the step.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import SUPPORT, write_csv

sys.path.insert(0, str(SUPPORT))
from prepare import make_source

from tinytracker.data.index import PreparedIndex
from tinytracker.data.preparation import prepare
from tinytracker.model.presets import PRESETS, Preset
from tinytracker.progress import set_quiet
from tinytracker.train import TrainConfig

# iTracker needs a hundred times the work of the others.
BATCH = {"itracker": 16}
STEPS = {"itracker": 3}
CACHED_EPOCHS = 2


def step_rate(preset: Preset, batch: int, steps: int) -> float:
    """Return frames/s of forward pass, backward pass and update."""
    import tensorflow as tf

    from tinytracker.model.keras_builder import build_keras
    from tinytracker.train.muon import Muon

    network = preset.network()
    model = build_keras(network)
    model.compile(Muon(1e-3), "mse")
    inputs = {name: tf.random.uniform((batch, *shape), -1, 1) for name, shape in network.inputs.items()}
    data = tf.data.Dataset.from_tensors((inputs, tf.random.normal((batch, 2)))).repeat()
    model.fit(data, steps_per_epoch=2, verbose=0)
    start = time.perf_counter()
    model.fit(data, steps_per_epoch=steps, verbose=0)
    return batch * steps / (time.perf_counter() - start)


def input_rates(preset: Preset, index: PreparedIndex, batch: int) -> tuple[float, float]:
    """Return frames/s of the first epoch, which decodes, and of later ones, which read the cache."""
    from tinytracker.train.dataset import training_batches, training_spec
    from tinytracker.train.frames import Frames

    config = TrainConfig(batch_size=batch)
    data = Frames(index, "train", training_spec(preset.input, config.augment), "memory")

    def epoch(number: int) -> float:
        start = time.perf_counter()
        seen = sum(batch for _ in training_batches(data, preset.input, config, number))
        return seen / (time.perf_counter() - start)

    first = epoch(1)
    return first, sum(epoch(2 + i) for i in range(CACHED_EPOCHS)) / CACHED_EPOCHS


def measure(preset: Preset, index: PreparedIndex) -> dict[str, Any]:
    """Return one line of the table."""
    batch, steps = BATCH.get(preset.name, 64), STEPS.get(preset.name, 30)
    step = step_rate(preset, batch, steps)
    first, cached = input_rates(preset, index, batch)
    return {
        "preset": preset.name,
        "batch": batch,
        "step_frames_per_s": f"{step:.1f}",
        "input_first_epoch_frames_per_s": f"{first:.1f}",
        "input_cached_frames_per_s": f"{cached:.1f}",
        "input_over_step": f"{cached / step:.2f}",
    }


def main() -> None:
    """Measure and write results/training.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=8)
    parser.add_argument("--frames", type=int, default=100, help="frames per subject")
    options = parser.parse_args()
    set_quiet(True)
    with tempfile.TemporaryDirectory() as folder:
        source, prepared = Path(folder) / "source", Path(folder) / "prepared"
        make_source(source, options.subjects, options.frames)
        index = prepare(source, prepared, jobs=1).index
        rows = [measure(preset, index) for preset in PRESETS.values()]
    write_csv("training", rows, ("tensorflow", "numpy"))


if __name__ == "__main__":
    main()
