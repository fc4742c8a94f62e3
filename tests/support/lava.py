"""Runs spiking networks in Lava's own environment, where that is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinytracker.spiking import SpikingNetwork
from tinytracker.spiking.foreign.environments import SIMULATORS, find_simulator

# Where the environments are by default, before tests get a home of their own.
FOLDERS = {name: simulator.default_folder() for name, simulator in SIMULATORS.items()}


def run_lava(network: SpikingNetwork, events: np.ndarray, folder: Path, work: Path) -> dict[str, np.ndarray]:
    """Spikes and membranes of each layer after each step, for events (steps, h, w, c)."""
    values: dict[str, object] = {
        "events": events,
        "du": 4095,
        "dv": network.rule.voltage_decay,
        "bias_exp": 3,
    }
    for k, layer in enumerate(network.layers):
        threshold = -1 if layer.threshold is None else int(layer.threshold) >> 6
        values |= {f"weights_{k}": layer.weights, f"bias_{k}": layer.bias >> 3, f"threshold_{k}": threshold}
        values |= {f"stride_{k}": layer.stride, f"pad_{k}": layer.pad}
    np.savez(work / "in.npz", **values)
    find_simulator("lava").run(work / "in.npz", work / "out.npz", folder=folder)
    return dict(np.load(work / "out.npz"))
