"""From a trained network to a spiking one in real numbers: which operators have a spiking form. No TensorFlow.

Weights come folded (`tinytracker.quant.folding`). A spike counts 1, so the weights behind a layer of neurons are
multiplied by its threshold: in T steps of constant input an integrate-and-fire neuron passes on threshold * spikes / T,
its ReLU rounded to T levels and clipped at the threshold (Diehl et al., "Fast-classifying, high-accuracy spiking deep
networks through weight and threshold balancing", IJCNN 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import ModelError
from tinytracker.model.network import Network, Node
from tinytracker.spiking.network import Layer, SpikingNetwork
from tinytracker.spiking.neuron import CONVERTED, NeuronRule
from tinytracker.spiking.simulator import apply

PIXEL_UNIT = 128
"""A pixel code q = p - 128 stands for q / 128."""

INPUT_NODE = "input_spikes"
"""Name of the layer that turns pixels into spikes."""


class Folded(NamedTuple):
    """Kernel in Keras' layout and bias, with batch normalization folded in."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


_INSTEAD = {
    "max_pool": (
        "the largest of several spike trains is not known before the last step",
        "Use a stride of 2.",
    ),
    "concat": ("it joins maps that a chain of layers does not have", "Use one chain of layers."),
    "position_planes": ("constant planes are concatenated to the image", "Use a preset without a position."),
    "add": ("a residual needs a second path that arrives in the same step", "Use one chain of layers."),
    "depthwise": ("its few synapses per neuron are not converted", "Use ordinary convolutions."),
}
"""By operator: why it is refused, and what to use instead."""


def sees_edges(network: Network) -> bool:
    """Return whether a network sees edges instead of pixels."""
    return any(node.op == "edges" for node in network.nodes.values())


def unsupported(network: Network, node: Node) -> tuple[str, str] | None:
    """Return why a node has no spiking form and what to use instead; None when it has one."""
    if node.op in _INSTEAD:
        return _INSTEAD[node.op]
    if node.op == "edges" and network.nodes[node.inputs[0]].op != "input":
        return "edges are made of the image, before the first layer", "Put it behind the input."
    if node.op == "conv":
        if node.groups > 1:
            return f"its channels are split into {node.groups} groups", "Use ordinary convolutions."
        if node.weights_of:
            return "it shares its weights with another layer", "Use one chain of layers."
        if node.padding == "same" and (node.stride > 1 or node.kernel[0] % 2 == 0):
            return (
                f'with stride {node.stride}, "same" padding of a {node.kernel[0]}x{node.kernel[0]} window is one-sided',
                'Put a `pad` in front and use "valid" padding.',
            )
    return None


def refuse_unsupported(network: Network, name: str) -> None:
    """Check that every operator of a network has a spiking form.

    Raises:
        ModelError: names the first that has none, and what to use instead.
    """
    if len(network.inputs) != 1:
        raise ModelError(
            f"{name} has {len(network.inputs)} inputs: {', '.join(network.inputs)}. A spiking network has one.",
            "Convert a preset that sees one image, such as spikes-s.",
        )
    for node in network.nodes.values():
        why = unsupported(network, node)
        if why is not None:
            raise ModelError(
                f"{name} cannot become a spiking network: {node.name} is {node.op}, and {why[0]}.",
                f"{why[1]} The presets spikes-s and spikes-s2 can be converted.",
            )


def plain_layers(network: Network, weights: Mapping[str, Folded], name: str) -> tuple[Layer, ...]:
    """Return the layers of an ordinary network on pixel codes, float64, without thresholds.

    A pad becomes part of the convolution behind it, and a mean over a map part of the dense layer behind it. A network
    that sees edges gets them as codes.

    Args:
        network: a chain of pads, convolutions, means, flattens and dense layers.
        weights: by node.
        name: of the network, for messages.

    Raises:
        ModelError: an operator has no spiking form.
    """
    refuse_unsupported(network, name)
    layers: list[Layer] = []
    pad, averaged, seen = 0, 1, next(iter(network.inputs.values()))
    for node in network.nodes.values():
        before = network.shape(node.inputs[0]) if node.inputs else ()
        if node.op == "pad":
            pad += node.kernel[0]
        elif node.op == "edges":
            seen = node.shape
        elif node.op == "global_average":
            averaged = before[0] * before[1]
        elif node.op in ("conv", "dense"):
            kernel, bias = (np.asarray(a, np.float64) for a in weights[node.name])
            if averaged > 1:
                kernel, averaged = np.tile(kernel, (averaged, 1)) / averaged, 1
            border = pad if node.padding == "valid" or node.op == "dense" else node.kernel[0] // 2
            shape = layers[-1].output_shape if layers else seen
            layers.append(Layer(node.name, kernel, bias, shape, None, node.stride, border))
            pad = 0
    first = layers[0]
    return (replace(first, weights=first.weights / PIXEL_UNIT), *layers[1:])


def activations(
    layers: tuple[Layer, ...],
    codes: NDArray[np.generic],
    qcfs: tuple[tuple[float, ...], int] | None = None,
) -> list[NDArray[np.float64]]:
    """Return the activations of each layer of an ordinary network, and the last layer's sums.

    Args:
        layers: from `plain_layers`.
        codes: (n, h, w, c) pixel codes -128 to 127.
        qcfs: thresholds and levels of rounded activations (`tinytracker.model.qcfs`); None for ReLUs.
    """
    values: list[NDArray[np.float64]] = []
    x: NDArray[np.generic] = codes
    for i, layer in enumerate(layers):
        sums = np.asarray(apply(layer, x), np.float64) + layer.bias
        if i == len(layers) - 1:
            x = sums
        elif qcfs is None:
            x = np.maximum(sums, 0)
        else:
            top, levels = qcfs[0][i], qcfs[1]
            x = top * np.clip(np.floor(sums / top * levels + 0.5) / levels, 0, 1)
        values.append(np.asarray(x, np.float64))
    return values


def balanced_thresholds(
    layers: tuple[Layer, ...], codes: NDArray[np.generic], percentile: float
) -> tuple[float, ...]:
    """Return thresholds that a share of the activations do not exceed.

    Args:
        layers: from `plain_layers`.
        codes: (n, h, w, c) calibration frames.
        percentile: of the activations above zero, in percent; 100 for the largest.

    Raises:
        ModelError: a layer is zero on all frames.
    """
    found = []
    for layer, values in zip(layers, activations(layers, codes)[:-1], strict=False):
        alive = values[values > 0]
        if not len(alive):
            raise ModelError(
                f"{layer.name} is zero on all {len(codes)} calibration frames.",
                "Use more frames, or train longer.",
            )
        found.append(float(np.percentile(alive, percentile)))
    return tuple(found)


def spiking_network(
    layers: tuple[Layer, ...],
    thresholds: tuple[float, ...],
    encode: str = "current",
    rule: NeuronRule = CONVERTED,
    preset: str = "",
    steps: int = 0,
) -> SpikingNetwork:
    """Return the spiking network in real numbers.

    Args:
        layers: from `plain_layers`.
        thresholds: of all layers but the last.
        encode: one of `tinytracker.spiking.network.ENCODINGS`.
        rule: of the neurons.
        preset: name of the ordinary network.
        steps: for which it is made.
    """
    made = []
    height = 1.0
    for layer, threshold in zip(layers, (*thresholds, None), strict=True):
        made.append(replace(layer, weights=layer.weights * height, threshold=threshold))
        height = 1.0 if threshold is None else threshold
    if encode == "rate":
        made = [_input_neurons(layers[0].input_shape), _signed(made[0]), *made[1:]]
    return SpikingNetwork(tuple(made), rule, encode, 1.0, preset, steps)


def _input_neurons(shape: tuple[int, ...]) -> Layer:
    """Return an ON and an OFF neuron for each value of the input: current q and -q, threshold 128."""
    channels = shape[-1]
    weights = np.zeros((1, 1, channels, 2 * channels))
    for c in range(channels):
        weights[0, 0, c, c], weights[0, 0, c, channels + c] = 1.0, -1.0
    return Layer(INPUT_NODE, weights, np.zeros(2 * channels), shape, float(PIXEL_UNIT))


def _signed(first: Layer) -> Layer:
    """Return the first layer behind the input's neurons: OFF spikes have the opposite weights."""
    weights = first.weights * PIXEL_UNIT
    shape = (*first.input_shape[:2], 2 * first.input_shape[2])
    return replace(first, weights=np.concatenate([weights, -weights], axis=2), input_shape=shape)
