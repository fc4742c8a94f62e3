"""Folds batch normalization into weights, as a device computes the network. Importing this imports TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tinytracker.arrays import Floats32
from tinytracker.model.network import Network, Node


@dataclass(frozen=True)
class Weights:
    """Weights of an operator: bias, and kernel in Keras' layout ((k, k, c / groups, filters) if grouped)."""

    kernel: Floats32
    bias: Floats32


def fold(model: tf.keras.Model, network: Network) -> dict[str, Weights]:
    """Return the weights of each operator that has its own, with batch normalization folded in.

    Args:
        model: trained model from `build_keras`; its layers have the names of the nodes.
        network: its graph.
    """
    return {
        node.name: _folded(model, node)
        for node in network.nodes.values()
        if node.weights and not node.weights_of
    }


def _folded(model: tf.keras.Model, node: Node) -> Weights:
    kernel, bias = _plain(model.get_layer(node.name), node)
    if not node.norm:
        return Weights(kernel, bias)
    norm = model.get_layer(f"{node.name}_bn")
    gamma, beta, mean, variance = (w.astype(np.float64) for w in norm.get_weights())
    gain = gamma / np.sqrt(variance + norm.epsilon)
    # Output channels are the last axis, or the one before it for a depthwise kernel.
    scaled = kernel * (gain[:, None] if node.op == "depthwise" else gain)
    return Weights(scaled.astype(np.float32), (beta + (bias - mean) * gain).astype(np.float32))


def _plain(layer: Any, node: Node) -> tuple[Floats32, Floats32]:
    """Return kernel and bias as trained; the bias is zero where batch normalization replaces it."""
    arrays = layer.get_weights()
    if node.groups > 1:
        kernel = np.concatenate(arrays, axis=-1)
        return kernel, np.zeros(kernel.shape[-1], np.float32)
    if len(arrays) == 2:
        return arrays[0], arrays[1]
    channels = arrays[0].shape[-2 if node.op == "depthwise" else -1]
    return arrays[0], np.zeros(channels, np.float32)
