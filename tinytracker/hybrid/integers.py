"""The spiking layers of a hybrid in the integers of Loihi, as a network of `tinytracker.spiking`. No TensorFlow.

Weights are even numbers of 8 bits with their sign, -254 to 254, thresholds have 17 bits, decays 12: what Lava's
fixed-point models take. Training computes with the same rounded weights (`tinytracker.hybrid.network`).

The layers have no biases. Neurons without spikes at their inputs therefore stay at zero, silence costs no operations,
and the step that each connection takes on the chip only shifts what happens: the spikes of layer k come k + 1 steps
later, and are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.hybrid.presets import (
    OUTPUTS,
    PAD,
    POLARITIES,
    STEPS,
    STRIDE,
    STRIP,
    VOLTAGE_DECAY,
    HybridPreset,
)
from tinytracker.spiking.network import EVENTS, Layer, SpikingNetwork
from tinytracker.spiking.neuron import LAVA_LIF

TOP_WEIGHT = 254
MOST_THRESHOLD = 2**17 - 1
THRESHOLD = 1.0
"""Of all neurons, before rounding."""

RULE = replace(LAVA_LIF, voltage_decay=VOLTAGE_DECAY, delay=0)
"""Of the reference: all layers take part in the same step."""

ON_CHIP = replace(RULE, delay=1)
"""The same neurons where each connection takes a step."""

UNIT = 1 << RULE.weight_shift
"""One unit of a weight, in units of a threshold."""


def scale_of(largest: float) -> float:
    """Return integer units of a weight per unit before rounding, for the largest absolute weight of a layer."""
    return min(TOP_WEIGHT / max(largest, 1e-9), MOST_THRESHOLD / THRESHOLD)


def rounded_weights(weights: NDArray[np.floating[Any]]) -> tuple[NDArray[np.int64], int]:
    """Return a layer's weights as even integers, and the threshold of its neurons in units of a weight."""
    scale = scale_of(float(np.abs(weights).max(initial=0)))
    whole = 2 * np.rint(weights.astype(np.float64) * scale / 2)
    return whole.astype(np.int64), round(THRESHOLD * scale)


def spiking_part(
    preset: HybridPreset,
    kernels: Sequence[NDArray[np.floating[Any]]],
    readout: NDArray[np.floating[Any]] | None = None,
) -> SpikingNetwork:
    """Return the spiking layers of a hybrid in integers.

    Args:
        preset: with at least one spiking layer.
        kernels: (3, 3, in, out) of each spiking convolution, and (in, out) of the hidden layer of a network of spikes.
        readout: (hidden, 2) of a network of spikes; None for a hybrid, whose last layer fires.

    Returns:
        The network with neurons of `RULE`; one unit of a readout's sum is `unit_cm` units of an answer.
    """
    layers: list[Layer] = []
    shape: tuple[int, ...] = (*STRIP, POLARITIES)
    for i, kernel in enumerate(kernels):
        whole, threshold = rounded_weights(kernel)
        name = f"conv{i + 1}" if whole.ndim == 4 else "hidden"
        stride, pad = (STRIDE, PAD) if whole.ndim == 4 else (1, 0)
        silent = np.zeros(whole.shape[-1], np.int64)
        layers.append(Layer(name, whole, silent, shape, threshold * UNIT, stride, pad))
        shape = layers[-1].output_shape
    unit = 1.0
    if readout is not None:
        whole, _ = rounded_weights(readout)
        unit = 1.0 / (scale_of(float(np.abs(readout).max(initial=0))) * UNIT)
        layers.append(Layer("gaze", whole, np.zeros(OUTPUTS, np.int64), shape, None))
    return SpikingNetwork(tuple(layers), RULE, EVENTS, unit, preset.name, STEPS)
