"""A spiking network as plain data: layers of synapses, each with the neurons behind it. No TensorFlow.

All maps are (height, width, channels). One spike counts 1: what it stands for is part of the weights behind it. Arrays
are integers for hardware, or float64 for the same network before its weights are rounded; one simulator runs both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from tinytracker.spiking.neuron import NeuronRule

Shape = tuple[int, ...]
Numbers = NDArray[np.int64] | NDArray[np.float64]

ENCODINGS = ("current", "edges", "rate")
"""How pixels enter: as a constant current into the first layer, as a current of their edges, or as spikes of one ON and
one OFF neuron each. A network for an event camera has no pixels, and its encoding is `EVENTS`."""

EVENTS = "events"
"""Spikes enter, others in every step: (steps, n, h, w, polarities)."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Synapses, and the neurons that they lead to.

    Attributes:
        name: of the network's node.
        weights: (k, k, in, out) of a convolution, or (in, out) of a dense layer, which flattens its input row by row,
            channels last.
        bias: (out,), added in every step.
        input_shape: (h, w, in), or (in,).
        threshold: of the neurons; None for the readout, which only integrates.
        stride, pad: of a convolution; `pad` rows and columns of zeros on each of the four sides.
    """

    name: str
    weights: Numbers
    bias: Numbers
    input_shape: Shape
    threshold: float | None
    stride: int = 1
    pad: int = 0

    @property
    def is_conv(self) -> bool:
        """Return whether this is a convolution."""
        return self.weights.ndim == 4

    @cached_property
    def output_shape(self) -> Shape:
        """Return (h, w, out), or (out,)."""
        if not self.is_conv:
            return (self.weights.shape[1],)
        k = self.weights.shape[0]
        h, w, _ = self.input_shape
        size = tuple((n + 2 * self.pad - k) // self.stride + 1 for n in (h, w))
        return (*size, self.weights.shape[3])

    @property
    def neurons(self) -> int:
        """Return the number of neurons, those of a readout included."""
        return prod(self.output_shape)

    @cached_property
    def largest_sum(self) -> float:
        """Return the largest sum of absolute weights of a neuron."""
        return float(np.abs(self.weights).sum(axis=tuple(range(self.weights.ndim - 1))).max())

    @property
    def fan_in(self) -> int:
        """Return the number of synapses of a neuron away from the border."""
        return prod(self.weights.shape[:-1])

    @cached_property
    def fan_out(self) -> NDArray[np.int64]:
        """Return the number of synapses behind each input, of `input_shape`; less at the border of a map."""
        if not self.is_conv:
            return np.full(self.input_shape, self.weights.shape[1], np.int64)
        h, w, _ = self.input_shape
        out_h, out_w, filters = self.output_shape
        windows = np.outer(self._windows(h, out_h), self._windows(w, out_w)) * filters
        return np.broadcast_to(windows[..., None], self.input_shape).astype(np.int64)

    def _windows(self, size: int, count: int) -> NDArray[np.int64]:
        """Return in how many of the windows along one axis each position lies."""
        places = np.arange(count)[:, None] * self.stride - self.pad + np.arange(self.weights.shape[0])
        inside = places[(places >= 0) & (places < size)]
        return np.bincount(inside, minlength=size)

    @cached_property
    def synapses(self) -> int:
        """Return the number of synapses; those that would begin in the padding do not exist."""
        return int(self.fan_out.sum())


@dataclass(frozen=True, eq=False)
class SpikingNetwork:
    """A network of spiking layers and a readout.

    Attributes:
        layers: in order; the last is the readout, or the layer whose spikes leave the network.
        rule: what its neurons do.
        encode: one of `ENCODINGS`, or `EVENTS`. With "rate" the first layer holds the input's ON and OFF neurons.
        unit_cm: gaze, in units of the network's output, of one unit of the readout's mean over the steps.
        preset: from which it was converted; "" when unknown.
        steps: time steps for which it was made.
    """

    layers: tuple[Layer, ...]
    rule: NeuronRule
    encode: str = "current"
    unit_cm: float = 1.0
    preset: str = ""
    steps: int = 0

    @property
    def is_integer(self) -> bool:
        """Return whether all its numbers are integers."""
        return all(layer.weights.dtype.kind == "i" for layer in self.layers)

    @property
    def spiking(self) -> tuple[Layer, ...]:
        """Return the layers with neurons that fire."""
        return tuple(layer for layer in self.layers if layer.threshold is not None)

    @property
    def on_chip(self) -> tuple[Layer, ...]:
        """Return the layers whose synapses receive spikes: all but the first, unless the input consists of spikes."""
        return self.layers if self.encode == EVENTS else self.layers[1:]

    @property
    def neurons(self) -> int:
        """Return the number of neurons, readout included."""
        return sum(layer.neurons for layer in self.layers)

    @property
    def synapses(self) -> int:
        """Return the number of synapses that receive spikes."""
        return sum(layer.synapses for layer in self.on_chip)

    @property
    def host_macs(self) -> int:
        """Return the multiply-accumulates of the first layer, once per frame, in whatever delivers the current."""
        return 0 if self.encode in ("rate", EVENTS) else self.layers[0].synapses

    @property
    def macs(self) -> int:
        """Return the multiply-accumulates of the ordinary network for one frame, products with padding left out."""
        return self.synapses + self.host_macs

    def with_rule(self, rule: NeuronRule) -> SpikingNetwork:
        """Return the same network with other neurons."""
        return replace(self, rule=rule)

    def gaze(self, readout: NDArray[np.generic], steps: int) -> NDArray[np.float64]:
        """Return the network's answer, (n, 2), from the readout's membranes after a number of steps."""
        return np.asarray(readout, np.float64) / steps * self.unit_cm
