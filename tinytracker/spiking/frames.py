"""Frames of prepared data as pixel codes, and a network's error on them. Importing this module imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec
from tinytracker.data.tensorflow_errors import names_damaged_shards
from tinytracker.progress import bar
from tinytracker.spiking.encoding import edge_codes
from tinytracker.spiking.network import SpikingNetwork
from tinytracker.spiking.simulator import simulate
from tinytracker.train.dataset import decoded

BATCH = 64
_PIXEL_ZERO = 128


@dataclass(frozen=True, eq=False)
class CodedFrames:
    """Frames of a split.

    Attributes:
        codes: (n, h, w, c) int8, p - 128.
        gaze_cm: (n, 2). unit: (n,) cm per unit of the network's output.
    """

    codes: NDArray[np.int8]
    gaze_cm: NDArray[np.float64]
    unit: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.codes)

    def batches(self) -> Iterator[NDArray[np.int8]]:
        """Yield the codes in pieces that are simulated together."""
        for i in range(0, len(self), BATCH):
            yield self.codes[i : i + BATCH]

    def edges(self) -> CodedFrames:
        """Return the same frames as edges, (n, h, w, 4 c)."""
        return replace(self, codes=edge_codes(self.codes))

    def error_cm(self, answers: NDArray[np.float64]) -> float:
        """Return the mean distance of answers (n, 2), in units of the network's output, from the gaze, cm."""
        return float(np.linalg.norm(answers * self.unit[:, None] - self.gaze_cm, axis=1).mean())


@names_damaged_shards
def coded_frames(
    index: PreparedIndex, split: str, spec: InputSpec, at_most: int | None = None
) -> CodedFrames:
    """Return frames of a split, evenly spread over it.

    Args:
        index: prepared data.
        split: "train", "val" or "test".
        spec: the network's input, a single image.
        at_most: number of frames; None for all.
    """
    total = index.split(split).frames
    stride = 1 if at_most is None else max(1, -(-total // at_most))
    rows = decoded(index, split, spec).shard(stride, 0) if stride > 1 else decoded(index, split, spec)
    codes, targets = [], []
    for inputs, target in rows.batch(256).as_numpy_iterator():
        (image,) = inputs.values()
        codes.append((image.astype(np.int16) - _PIXEL_ZERO).astype(np.int8))
        targets.append(target.astype(np.float64))
    target = np.concatenate(targets)
    return CodedFrames(np.concatenate(codes), target[:, :2], target[:, 2])


def run_frames(
    network: SpikingNetwork, frames: CodedFrames, steps: int, remark: str = ""
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Simulate frames batch by batch.

    Returns:
        Answers after each step (steps, n, 2), in units of the network's output; spikes (steps, layers - 1, n) and
        synaptic operations (steps, layers, n) up to each step.
    """
    answers, spikes, sops = [], [], []
    counts = np.arange(1, steps + 1)[:, None, None]
    with bar(" ".join(["spikes", remark]).strip(), len(frames), "frames") as advance:
        for codes in frames.batches():
            activity = simulate(network, codes, steps)
            answers.append(activity.readout / counts * network.unit_cm)
            spikes.append(activity.spikes)
            sops.append(activity.sops)
            advance(len(codes))
    return np.concatenate(answers, 1), np.concatenate(spikes, 2), np.concatenate(sops, 2)
