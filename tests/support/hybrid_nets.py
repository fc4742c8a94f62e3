"""Hybrids with random weights, and random events for them."""

from __future__ import annotations

import numpy as np

from tinytracker.hybrid.integers import spiking_part
from tinytracker.hybrid.presets import STEPS, STRIP, find_hybrid, map_after
from tinytracker.spiking import SpikingNetwork


def random_kernels(name: str, seed: int = 3) -> tuple[list[np.ndarray], np.ndarray | None]:
    """Float weights of the spiking layers and of a readout, with which every layer fires, but not always."""
    preset = find_hybrid(name)
    rng = np.random.default_rng(seed)
    shapes = [(3, 3, map_after(i)[2], map_after(i + 1)[2]) for i in range(preset.spiking_convs)]
    moments = ((0.1, 0.5), (0.01, 0.2), (0.005, 0.14))
    found = [rng.normal(*moment, shape) for moment, shape in zip(moments, shapes, strict=False)]
    if not preset.is_snn:
        return found, None
    flat = int(np.prod(map_after(3)))
    return [*found, rng.normal(0.002, 0.06, (flat, 85))], rng.normal(0, 0.3, (85, 2))


def random_spiking(name: str, seed: int = 3) -> SpikingNetwork:
    """The spiking layers of a preset in integers."""
    return spiking_part(find_hybrid(name), *random_kernels(name, seed))


def event_spikes(n: int = 1, steps: int = STEPS, share: float = 0.04, seed: int = 4) -> np.ndarray:
    """Spikes of the input over time, (steps, n, h, w, 2)."""
    return (np.random.default_rng(seed).random((steps, n, *STRIP, 2)) < share).astype(np.uint8)
