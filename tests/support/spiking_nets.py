"""Small spiking networks with random numbers, and a simulator that is slow and plain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinytracker.model.network import Network
from tinytracker.model.presets import find_preset
from tinytracker.spiking import CONVERTED, Layer, NeuronRule, SpikingNetwork, rounded
from tinytracker.spiking.lowering import Folded, balanced_thresholds, plain_layers, spiking_network


def random_weights(network: Network, seed: int = 0) -> dict[str, Folded]:
    """Weights with which activations neither vanish nor grow from layer to layer."""
    rng = np.random.default_rng(seed)
    weights = {}
    for node in network.nodes.values():
        if node.weights:
            before = network.shape(node.inputs[0])
            shape = (
                (*node.kernel, before[-1], node.shape[-1])
                if node.op == "conv"
                else (before[0], node.shape[-1])
            )
            scale = 1.6 / np.sqrt(np.prod(shape[:-1]))
            weights[node.name] = Folded(
                rng.normal(0, scale, shape).astype(np.float32),
                rng.normal(0, 0.1, shape[-1]).astype(np.float32),
            )
    return weights


def random_codes(count: int, preset: str = "spikes-s", seed: int = 1) -> np.ndarray:
    """Pixel codes -128 to 127."""
    (shape,) = find_preset(preset).input.shapes.values()
    return np.random.default_rng(seed).integers(-128, 128, (count, *shape)).astype(np.int8)


def random_converted(
    preset: str = "spikes-s", encode: str = "current", rule: NeuronRule = CONVERTED, steps: int = 8
) -> SpikingNetwork:
    """The integer network of a preset with random weights and balanced thresholds."""
    network = find_preset(preset).network()
    layers = plain_layers(network, random_weights(network), preset)
    thresholds = balanced_thresholds(layers, random_codes(8, preset), 99.9)
    return rounded(spiking_network(layers, thresholds, encode, rule, preset, steps))


def small_network(rule: NeuronRule, seed: int = 3) -> SpikingNetwork:
    """Two convolutions, a dense layer and a readout on 5x7x2, in integers."""
    rng = np.random.default_rng(seed)

    def layer(name, shape, out, threshold, **more):
        weights = rng.integers(-9, 12, (*shape, out))
        return Layer(name, weights, rng.integers(-3, 6, out), more.pop("reads"), threshold, **more)

    a = layer("a", (3, 3, 2), 3, 20, reads=(5, 7, 2), stride=2, pad=1)
    b = layer("b", (3, 3, 3), 4, 31, reads=a.output_shape, stride=1, pad=0)
    c = layer("c", (int(np.prod(b.output_shape)),), 5, 17, reads=b.output_shape)
    d = layer("d", (5,), 2, None, reads=(5,))
    return SpikingNetwork((a, b, c, d), rule)


def plain_simulation(network: SpikingNetwork, frame: np.ndarray, steps: int) -> tuple[list, list, int]:
    """One frame, neuron by neuron and synapse by synapse: readout and spikes of each step, and operations in all."""
    rule = network.rule
    state = [dict.fromkeys(np.ndindex(layer.output_shape), 0) for layer in network.layers]
    late = [dict.fromkeys(np.ndindex(layer.output_shape), 0) for layer in network.layers]
    for layer, v in zip(network.layers, state, strict=True):
        if rule.start == "half" and layer.threshold is not None:
            v.update(dict.fromkeys(v, layer.threshold // 2))
    readouts, trains, operations = [], [], 0
    for _ in range(steps):
        spikes = {place: int(frame[place]) for place in np.ndindex(network.layers[0].input_shape)}
        fired_now = []
        for k, layer in enumerate(network.layers):
            sums = dict.fromkeys(state[k], 0)
            for source, neuron, weight in synapses(layer):
                if spikes[source]:
                    sums[neuron] += weight * spikes[source]
                    operations += abs(spikes[source]) if k else 0
            if rule.delay and k:
                sums, late[k] = late[k], sums
            spikes = {}
            for neuron, total in sums.items():
                v = state[k][neuron] + total + int(layer.bias[neuron[-1]])
                if layer.threshold is not None:
                    fires = v >= layer.threshold if rule.compare == ">=" else v > layer.threshold
                    count = (v // layer.threshold if rule.several else 1) if fires else 0
                    v = 0 if fires and rule.reset == "zero" else v - count * layer.threshold
                    v = max(v, -layer.threshold) if rule.floor == "threshold" else v
                    spikes[neuron] = count
                state[k][neuron] = v
            if layer.threshold is not None:
                fired_now.append([spikes[n] for n in np.ndindex(layer.output_shape)])
            if (
                len(layer.output_shape) == 3
                and k + 1 < len(network.layers)
                and not network.layers[k + 1].is_conv
            ):
                spikes = dict(
                    zip(np.ndindex(network.layers[k + 1].input_shape), spikes.values(), strict=True)
                )
        readouts.append([state[-1][n] for n in np.ndindex(network.layers[-1].output_shape)])
        trains.append(fired_now)
    return readouts, trains, operations


def synapses(layer: Layer):
    """Yield (input, neuron, weight) of each synapse."""
    if not layer.is_conv:
        for i, source in enumerate(np.ndindex(layer.input_shape)):
            for o in range(layer.weights.shape[1]):
                yield source, (o,), int(layer.weights[i, o])
        return
    h, w, c = layer.input_shape
    for y, x, o in np.ndindex(layer.output_shape):
        for i, j, channel in np.ndindex(*layer.weights.shape[:2], c):
            row, column = y * layer.stride + i - layer.pad, x * layer.stride + j - layer.pad
            if 0 <= row < h and 0 <= column < w:
                yield (row, column, channel), (y, x, o), int(layer.weights[i, j, channel, o])


def lava_network(voltage_decay: int = 400, seed: int = 1) -> SpikingNetwork:
    """Leaky neurons with hard reset in Loihi's units: three strided convolutions, a dense layer, a readout."""
    from tinytracker.spiking import LAVA_LIF

    rng = np.random.default_rng(seed)

    def even(shape, mean, deviation):
        return 2 * np.clip(np.round(rng.normal(mean, deviation, shape)), -127, 127).astype(np.int64)

    layers, shape = [], (32, 64, 2)
    for k, (filters, mean, deviation, threshold) in enumerate(
        ((8, 4, 60, 150), (16, 1, 30, 220), (32, 1, 22, 260))
    ):
        weights = even((3, 3, shape[-1], filters), mean, deviation)
        bias = rng.integers(-20, 40, filters).astype(np.int64) << 3
        layers.append(Layer(f"conv{k}", weights, bias, shape, threshold << 6, 2, 1))
        shape = layers[-1].output_shape
    n = int(np.prod(shape))
    bias = rng.integers(-20, 40, 48).astype(np.int64) << 3
    layers.append(Layer("hidden", even((n, 48), 0.5, 15), bias, shape, 400 << 6))
    layers.append(Layer("readout", even((48, 2), 0, 60), np.zeros(2, np.int64), (48,), None))
    return SpikingNetwork(tuple(layers), replace(LAVA_LIF, voltage_decay=voltage_decay))
