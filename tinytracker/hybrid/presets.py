"""Hybrid presets: K spiking layers, an accumulator, and M ordinary layers. Plain arithmetic, no TensorFlow.

Every preset has the same five layers with weights: three convolutions of 8, 16 and 32 filters (3 × 3, stride 2, one
row of zeros on each side), a hidden dense layer, and the output. The first K of them spike. The width of the hidden
layer is what remains of one budget of parameters, so presets differ in where the boundary is and not in their size.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.words import counted

STRIP = (32, 64)
"""Height and width of the eye strip, in cells of events."""

POLARITIES = 2
STEPS = 16
"""Time steps of a window, one bin of events each."""

BIN_US = 5_000
"""Length of a bin, µs: 200 answers per second."""

INTERVALS = (2, 4, 8)
"""Steps that the accumulator adds up before it starts the next map."""

FILTERS = (8, 16, 32)
KERNEL, STRIDE, PAD = 3, 2, 1
OUTPUTS = 2
"""Change of the gaze to the right and up, in the unit of `tinytracker.hybrid.streams`."""

LAYERS = len(FILTERS) + 2
BUDGET = 93_658
"""Parameters that each preset comes close to from below."""

VOLTAGE_DECAY = 400
"""Of the spiking neurons, in 4096ths a step: a time constant of 51 ms."""


@dataclass(frozen=True)
class HybridPreset:
    """Where the boundary between spikes and integers is.

    Attributes:
        name: `hybrid-sKaM`.
        spiking: K: 0 for an ordinary network on event counts, `LAYERS` for a network of spikes only.
        summary: in a phrase.
    """

    name: str
    spiking: int
    summary: str

    @property
    def is_snn(self) -> bool:
        """Whether nothing is left for an ordinary network."""
        return self.spiking == LAYERS

    @property
    def spiking_convs(self) -> int:
        """Number of convolutions that spike."""
        return min(self.spiking, len(FILTERS))

    @property
    def boundary(self) -> tuple[int, int, int]:
        """(height, width, channels) of the map of spikes that the accumulator adds up."""
        return map_after(self.spiking_convs)

    def slots(self, interval: int) -> int:
        """Return how many maps the accumulator fills in a window.

        Raises:
            UsageError: the interval does not divide the window.
        """
        return STEPS // require_interval(interval)

    def hidden(self, interval: int) -> int:
        """Return the width of the hidden layer, with which the preset keeps to the budget; raises like `slots`."""
        flat, before = self._before_hidden(interval)
        bias = 0 if self.is_snn else 1
        return (BUDGET - before - bias * OUTPUTS) // (flat + bias + OUTPUTS)

    def parameters(self, interval: int) -> int:
        """Return the number of weights and biases; raises like `slots`."""
        flat, before = self._before_hidden(interval)
        width, bias = self.hidden(interval), 0 if self.is_snn else 1
        return before + (flat + bias) * width + (width + bias) * OUTPUTS

    def head_macs(self, interval: int) -> int:
        """Return the multiply-accumulates of the ordinary layers, those with padding included; raises like `slots`."""
        if self.is_snn:
            return 0
        flat, _ = self._before_hidden(interval)
        convs = sum(
            h * w * filters * KERNEL**2 * self._conv_channels(i, interval)
            for i, (h, w, filters) in enumerate(map_after(k + 1) for k in range(len(FILTERS)))
            if i >= self.spiking_convs
        )
        return convs + (flat + OUTPUTS) * self.hidden(interval)

    def _conv_channels(self, i: int, interval: int) -> int:
        """Return the channels that convolution `i` reads."""
        channels = map_after(i)[2]
        return channels * self.slots(interval) if i == self.spiking and not self.is_snn else channels

    def _before_hidden(self, interval: int) -> tuple[int, int]:
        """Return the inputs of the hidden layer, and the parameters in front of it."""
        slots = self.slots(interval)
        parameters = 0
        for i, filters in enumerate(FILTERS):
            bias = 1 if i >= self.spiking_convs else 0  # spiking layers have none
            parameters += (KERNEL**2 * self._conv_channels(i, interval) + bias) * filters
        h, w, c = map_after(len(FILTERS))
        flat = h * w * c
        return (flat * slots if self.spiking == len(FILTERS) else flat), parameters


def map_after(convs: int) -> tuple[int, int, int]:
    """Return (height, width, channels) after a number of convolutions; that of the events after none."""
    h, w = (size // STRIDE**convs for size in STRIP)
    return h, w, FILTERS[convs - 1] if convs else POLARITIES


def require_interval(interval: int) -> int:
    """Return an interval of the accumulator.

    Raises:
        UsageError: it does not divide the steps of a window, or its count does not fit the code.
    """
    if interval not in INTERVALS:
        why = (
            f"does not divide the {STEPS} steps of a window"
            if interval < 1 or STEPS % interval
            else "is not one that the accumulator has"
        )
        raise UsageError(
            f"An interval of {counted(interval, 'step')} {why}.", f"Choose {', '.join(map(str, INTERVALS))}."
        )
    return interval


HYBRIDS = {
    preset.name: preset
    for preset in (
        HybridPreset("hybrid-s0a5", 0, "an ordinary network on event counts, the first yardstick"),
        HybridPreset("hybrid-s1a4", 1, "one spiking convolution"),
        HybridPreset("hybrid-s2a3", 2, "two spiking convolutions"),
        HybridPreset("hybrid-s3a2", 3, "three spiking convolutions"),
        HybridPreset("hybrid-s5a0", 5, "spikes only, with a readout that integrates, the second yardstick"),
    )
}


def find_hybrid(name: str) -> HybridPreset:
    """Return the hybrid preset with this name.

    Raises:
        UnknownNameError: there is none.

    Example:
        >>> from tinytracker.hybrid import find_hybrid
        >>> preset = find_hybrid("hybrid-s2a3")
        >>> preset.boundary, preset.slots(4), preset.parameters(4)
        ((8, 16, 16), 4, 92679)
    """
    try:
        return HYBRIDS[name]
    except KeyError:
        raise UnknownNameError("hybrid preset", name, HYBRIDS) from None
