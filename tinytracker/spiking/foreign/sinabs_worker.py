"""Runs a NIR file in sinabs. A program for sinabs' own environment: it imports nothing of tinytracker.

    python sinabs_worker.py FILE.nir FRAMES.npy STEPS single|multi START_HALF OUT.npz

FRAMES: (n, channels, height, width) current in every step. OUT: `readout` (steps, n, outputs), each step's answer of
the last layer, and `spikes_K`, (steps, n, ...) of the K-th spiking layer, channels first.
"""

from __future__ import annotations

import sys
from typing import Any

import nir
import numpy as np
import torch
from sinabs.activation import MultiSpike, SingleSpike
from sinabs.layers import IAFSqueeze
from sinabs.nir import from_nir


def main(path: str, frames: str, steps: str, spikes: str, start_half: str, out: str) -> None:
    """Run and write what came out."""
    x = torch.tensor(np.load(frames), dtype=torch.float32)
    n, count = len(x), int(steps)
    network = from_nir(nir.read(path), batch_size=n)
    trains: list[Any] = []

    def start(module: IAFSqueeze, inputs: tuple[torch.Tensor]) -> None:
        module.init_state_with_shape((n, *inputs[0].shape[1:]))
        if start_half == "1":
            half = torch.floor(module.spike_threshold / 2)
            module.v_mem.data = half.expand_as(module.v_mem).clone()

    def keep(module: IAFSqueeze, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        trains.append(_by_step(output, n, count))

    for module in network.modules():
        if isinstance(module, IAFSqueeze):
            module.spike_fn = SingleSpike if spikes == "single" else MultiSpike
            module.register_forward_pre_hook(start)
            module.register_forward_hook(keep)
    # A batch entry is a sequence: (n * steps, ...) with the steps of a frame one after another.
    sequence = x[:, None].repeat(1, count, *([1] * (x.ndim - 1))).reshape(n * count, *x.shape[1:])
    with torch.no_grad():
        answer = network(sequence)
    answer = answer[0] if isinstance(answer, tuple) else answer
    named = {f"spikes_{k}": train for k, train in enumerate(trains)}
    np.savez(out, readout=_by_step(answer, n, count), **named)


def _by_step(values: torch.Tensor, n: int, steps: int) -> Any:
    return values.reshape(n, steps, *values.shape[1:]).transpose(0, 1).numpy().astype(np.int64)


if __name__ == "__main__":
    main(*sys.argv[1:])
