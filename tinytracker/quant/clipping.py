"""Weights of the INT8 twin of a network whose activations have levels. Importing this imports TensorFlow.

A QCFS activation (`tinytracker.model.qcfs`) clips its input to 0 to `threshold` and rounds it to a few levels, because
as many time steps of spikes can say no more. INT8 has 256 levels of its own, so the twin only clips. As

    clip(x, 0, threshold) = threshold / 6 * relu6(6 / threshold * x),

the first factor moves into the weights of the next layer and the second into those of the layer itself. What remains
are ReLU6, which every converter fuses into the layer in front.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tinytracker.model.network import Network
from tinytracker.model.presets import Preset
from tinytracker.model.qcfs import qcfs_name
from tinytracker.quant.folding import Weights, fold

LIMIT = 6.0
"""Of a ReLU6."""


def device_weights(model: tf.keras.Model, preset: Preset) -> dict[str, Weights]:
    """Return the weights of `preset.device_network()`, its last node's as trained: linear, without segments.

    Args:
        model: the trained network, from `build_keras` with the preset's levels.
        preset: of the network.
    """
    network = preset.network()
    weights = fold(model, network)
    if preset.levels is None:
        return weights
    thresholds = {
        node.name: float(model.get_layer(qcfs_name(node.name)).threshold.numpy())
        for node in network.nodes.values()
        if node.activation == "relu"
    }
    return clipped_weights(network, weights, thresholds)


def clipped_weights(
    network: Network, weights: Mapping[str, Weights], thresholds: Mapping[str, float]
) -> dict[str, Weights]:
    """Return the weights with which ReLU6 in place of clipped ReLUs compute the same.

    Args:
        network: a chain of nodes, each with one input.
        weights: by node, batch normalization folded in.
        thresholds: upper limit of each node with a ReLU.
    """
    scaled: dict[str, Weights] = {}
    height = 1.0  # what an output of 1 of the scaled network stands for
    for node in network.nodes.values():
        if len(node.inputs) > 1:
            raise ValueError(f"{node.name}: only a chain can be scaled from layer to layer")
        if node.name not in weights:
            continue
        before, height = height, thresholds[node.name] / LIMIT if node.name in thresholds else 1.0
        kernel, bias = weights[node.name].kernel, weights[node.name].bias
        scaled[node.name] = Weights(
            (kernel * (before / height)).astype(np.float32), (bias / height).astype(np.float32)
        )
    return scaled
