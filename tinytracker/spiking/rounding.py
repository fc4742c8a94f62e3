"""Rounds a spiking network to the integers of neuromorphic hardware. No TensorFlow.

The ranges are those of Intel's Loihi as Lava's fixed-point models state them (`lava.proc.lif`, `lava.proc.dense`):
weights of 8 bits with their sign, of which mixed-sign weights keep the even values; thresholds of 17 bits; biases with
a mantissa of 13 bits. Our integer 1 is Loihi's weight 2, so a threshold may be 65,535 and a bias 4,095.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinytracker.spiking.lowering import INPUT_NODE
from tinytracker.spiking.network import Layer, SpikingNetwork

MAX_WEIGHT = 127
"""Weights are -127 to 127. Loihi also has -128, of which the opposite is missing."""

MAX_THRESHOLD = (2**17 - 1) // 2
MAX_BIAS = 2**12 - 1
MEMBRANE_BITS = 24
"""Of a membrane, in Loihi's unit of 1/128 of ours."""


def rounded(network: SpikingNetwork) -> SpikingNetwork:
    """Return a network of integers.

    Each layer has a unit of its own, the smallest in which weights, threshold and bias are in range; the threshold is a
    whole number of units. The bias of a first layer whose sums are delivered as a current is part of that current and
    has no limit.
    """
    layers, unit = [], 1.0
    for i, layer in enumerate(network.layers):
        if layer.name == INPUT_NODE:
            layers.append(_in_units(layer, 1.0))
            continue
        unit = _unit(layer, is_current=i == 0)
        layers.append(_in_units(layer, unit))
    return replace(network, layers=tuple(layers), unit_cm=network.unit_cm * unit)


def _unit(layer: Layer, is_current: bool) -> float:
    needed = [float(np.abs(layer.weights).max()) / MAX_WEIGHT, 1e-12]
    if not is_current:
        needed.append(float(np.abs(layer.bias).max()) / MAX_BIAS)
    if layer.threshold is None:
        return max(needed)
    needed.append(layer.threshold / MAX_THRESHOLD)
    return layer.threshold / max(1, int(layer.threshold / max(needed)))


def _in_units(layer: Layer, unit: float) -> Layer:
    weights = np.clip(np.round(layer.weights / unit), -MAX_WEIGHT, MAX_WEIGHT).astype(np.int64)
    bias = np.round(layer.bias / unit).astype(np.int64)
    threshold = None if layer.threshold is None else round(layer.threshold / unit)
    return replace(layer, weights=weights, bias=bias, threshold=threshold)
