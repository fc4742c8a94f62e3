"""Predicts the gaze of a split with a run's spiking network. Importing this module imports TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec
from tinytracker.spiking.document import SpikingNumbers, StepRow
from tinytracker.spiking.frames import coded_frames, run_frames
from tinytracker.spiking.nir_file import read_nir


def predict_spiking(
    path: Path, index: PreparedIndex, split: str, spec: InputSpec
) -> tuple[NDArray[np.float64], SpikingNumbers]:
    """Predict (N, 2) cm in the integer arithmetic of the file, and count.

    Raises:
        InputFileError: the file is damaged or was written by another program.
    """
    network = read_nir(path)
    frames = coded_frames(index, split, spec)
    if network.encode == "edges":
        frames = frames.edges()
    answers, spikes, sops = run_frames(network, frames, network.steps)
    totals = spikes.sum(1).mean(1), sops.sum(1).mean(1)
    rows = tuple(
        StepRow(
            steps=t + 1,
            error_cm=frames.error_cm(answers[t]),
            spikes=float(totals[0][t]),
            sops=float(totals[1][t]),
        )
        for t in range(network.steps)
    )
    numbers = SpikingNumbers(
        spikes=rows[-1].spikes, sops=rows[-1].sops, updates=network.neurons * network.steps, steps=rows
    )
    return answers[-1] * frames.unit[:, None], numbers
