"""The hybrid in floating point, for training. Importing this module imports TensorFlow.

Spiking neurons are those of Loihi before their numbers are integers:

    v = v * (1 - decay) + sum of weights        spike = v > threshold        v = 0 where it fired

The derivative of the step is replaced by that of a scaled arctangent, 1 / (1 + (2 x)^2), a surrogate gradient (Neftci,
Mostafa and Zenke, *Surrogate Gradient Learning in Spiking Neural Networks*, 2019). Weights and thresholds are rounded
as `tinytracker.hybrid.integers` rounds them, and the gradient passes through the rounding unchanged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinytracker.hybrid.accumulator import LEVELS, code_step
from tinytracker.hybrid.integers import MOST_THRESHOLD, THRESHOLD, TOP_WEIGHT
from tinytracker.hybrid.presets import (
    FILTERS,
    KERNEL,
    OUTPUTS,
    PAD,
    STEPS,
    STRIDE,
    VOLTAGE_DECAY,
    HybridPreset,
    map_after,
)
from tinytracker.spiking.neuron import DECAY_ONE

HEAD_INPUT = "counts"
_KEEP = 1 - VOLTAGE_DECAY / DECAY_ONE
_SPIKING_GAIN, _GAIN = 6.0, 2.0
"""Of the initial weights: spiking layers without biases start silent with less."""


class HybridNet(tf.Module):  # type: ignore[misc]
    """The network of a preset.

    Attributes:
        preset, interval: what it is.
        kernels: of the spiking layers, in order.
        readout: (hidden, 2) of a network of spikes only, else None.
        head: the ordinary layers as a Keras network, counts / 256 to the answer; None for a network of spikes only.
    """

    def __init__(self, preset: HybridPreset, interval: int, seed: int) -> None:
        super().__init__(name="hybrid")
        self.preset, self.interval = preset, interval
        shapes = [(KERNEL, KERNEL, map_after(i)[2], FILTERS[i]) for i in range(preset.spiking_convs)]
        hidden = preset.hidden(interval)
        wide: list[tuple[int, ...]] = [*shapes]
        if preset.is_snn:
            wide.append((int(np.prod(map_after(len(FILTERS)))), hidden))
        rng = np.random.default_rng([seed, 1])
        self.kernels = [_variable(rng, shape, _SPIKING_GAIN, f"spiking{i}") for i, shape in enumerate(wide)]
        self.readout = _variable(rng, (hidden, OUTPUTS), 0.2, "readout") if preset.is_snn else None
        self.head = None if preset.is_snn else _head(preset, interval, hidden, seed)

    @property
    def parts(self) -> tuple[Any, ...]:
        """All variables that are trained, in a fixed order."""
        own = (*self.kernels, *(() if self.readout is None else (self.readout,)))
        return (*own, *(() if self.head is None else self.head.trainable_variables))

    def __call__(self, events: Any, length: Any) -> tuple[Any, Any]:
        """Return answers (n, 2) and the mean number of spikes of a window.

        Args:
            events: (n, STEPS, h, w, 2) of 0 and 1.
            length: (n,) steps that have happened.
        """
        seen = tf.sequence_mask(length, STEPS, tf.float32)
        spikes, total = self.front(tf.cast(events, tf.float32), seen)
        if self.readout is not None:
            weights, _ = quantized(self.readout)
            return tf.reduce_sum(spikes * seen[:, :, None], 1) @ weights, total
        counts = accumulated(spikes * seen[:, :, None, None, None], self.interval)
        assert self.head is not None
        return self.head(counts), total

    def front(self, spikes: Any, seen: Any) -> tuple[Any, Any]:
        """Return the last layer's spikes (n, STEPS, ...), and the mean number in all layers of a window."""
        total = tf.zeros(())
        for kernel in self.kernels:
            weights, threshold = quantized(kernel)
            flat = tf.reshape(spikes, [-1, *spikes.shape[2:]])
            if len(kernel.shape) == 4:
                current = _conv(flat, weights)
            else:
                current = tf.reshape(flat, [-1, kernel.shape[0]]) @ weights
            spikes = fired(tf.reshape(current, [-1, STEPS, *current.shape[1:]]), threshold)
            over_neurons = tf.reduce_sum(spikes, list(range(2, len(spikes.shape))))
            total += tf.reduce_mean(tf.reduce_sum(over_neurons * seen, 1))
        return spikes, total


def _variable(rng: np.random.Generator, shape: tuple[int, ...], gain: float, name: str) -> Any:
    deviation = np.sqrt(gain / np.prod(shape[:-1]))
    return tf.Variable(rng.normal(0, deviation, shape).astype(np.float32), name=name)


def quantized(weights: Any) -> tuple[Any, Any]:
    """Return weights and threshold as the integers will be, in units of before; gradients pass unchanged."""
    scale = tf.minimum(
        TOP_WEIGHT / tf.maximum(tf.reduce_max(tf.abs(weights)), 1e-9), MOST_THRESHOLD / THRESHOLD
    )
    whole = 2 * tf.round(weights * scale / 2) / scale
    threshold = tf.round(THRESHOLD * scale) / scale
    return weights + tf.stop_gradient(whole - weights), tf.stop_gradient(threshold)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def fired(current: Any, threshold: Any) -> Any:
    """Return the spikes (n, STEPS, ...) of neurons that get these currents, all at zero before.

    The gradient goes back through all steps, the reset included, and none goes to the threshold. It is written out:
    taken from the tape, it needs four times as long.
    """
    v = tf.zeros_like(current[:, 0])
    membranes, spikes = [], []
    for now in tf.unstack(current, axis=1):
        membrane = v * _KEEP + now
        spike = tf.cast(membrane > threshold, tf.float32)
        v = membrane * (1 - spike)  # hard reset
        membranes.append(membrane)
        spikes.append(spike)

    def gradient(of_spikes: Any) -> tuple[Any, None]:
        of_v, found = tf.zeros_like(v), []
        steps = zip(tf.unstack(of_spikes, axis=1), membranes, spikes, strict=True)
        for of_spike, membrane, spike in reversed(list(steps)):
            surrogate = 1 / (1 + tf.square(2 * (membrane - threshold)))
            of_membrane = of_v * (1 - spike) + (of_spike - of_v * membrane) * surrogate
            found.append(of_membrane)
            of_v = of_membrane * _KEEP
        return tf.stack(found[::-1], 1), None

    return tf.stack(spikes, 1), gradient


def _conv(x: Any, weights: Any) -> Any:
    padded = tf.pad(x, [[0, 0], [PAD, PAD], [PAD, PAD], [0, 0]])
    return tf.nn.conv2d(padded, weights, STRIDE, "VALID")


def accumulated(spikes: Any, interval: int) -> Any:
    """Return the accumulator's codes of spikes (n, STEPS, h, w, c) as the head reads them, 0 to 255/256."""
    n, slots = tf.shape(spikes)[0], STEPS // interval
    h, w, c = spikes.shape[2:]
    counts = tf.reduce_sum(tf.reshape(spikes, [n, slots, interval, h, w, c]), 2)
    codes = tf.minimum(counts * code_step(interval), LEVELS - 1.0) / LEVELS
    return tf.reshape(tf.transpose(codes, [0, 2, 3, 1, 4]), [n, h, w, slots * c])


def _head(preset: HybridPreset, interval: int, hidden: int, seed: int) -> tf.keras.Model:
    """Return the ordinary layers as a network from counts / 256 to the answer."""
    layers = tf.keras.layers
    h, w, c = preset.boundary
    counts = tf.keras.Input((h, w, c * preset.slots(interval)), name=HEAD_INPUT)

    def start(i: int, gain: float = _GAIN) -> tf.keras.initializers.Initializer:
        return tf.keras.initializers.VarianceScaling(gain, seed=seed * 16 + i)

    x = counts
    for i in range(preset.spiking_convs, len(FILTERS)):
        x = layers.ZeroPadding2D(PAD, name=f"pad{i + 1}")(x)
        x = layers.Conv2D(
            FILTERS[i], KERNEL, STRIDE, "valid", activation="relu", kernel_initializer=start(i), name=f"conv{i + 1}"
        )(x)  # fmt: skip
    x = layers.Dense(hidden, "relu", kernel_initializer=start(8), name="hidden")(layers.Flatten()(x))
    gaze = layers.Dense(OUTPUTS, kernel_initializer=start(9, 1.0), name="gaze")(x)
    return tf.keras.Model(counts, gaze, name="head")


def weights_of(net: HybridNet) -> dict[str, NDArray[np.float32]]:
    """Return all weights, for a file."""
    return {f"{i:02d}": part.numpy() for i, part in enumerate(net.parts)}


def set_weights(net: HybridNet, weights: dict[str, NDArray[np.float32]]) -> None:
    """Give a network the weights that `weights_of` returned."""
    for i, part in enumerate(net.parts):
        part.assign(weights[f"{i:02d}"])


@tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
def _answer(net: HybridNet, events: Any, length: Any) -> tuple[Any, Any]:
    found: tuple[Any, Any] = net(events, length)
    return found


def answers(net: HybridNet, events: NDArray[np.uint8], length: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the answers (n, 2) of the float network for a batch of windows, in its unit."""
    found, _ = _answer(net, tf.constant(events), tf.constant(length))
    result: NDArray[np.float64] = found.numpy().astype(np.float64)
    return result
