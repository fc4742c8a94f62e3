"""What a spiking network needs on a chip, by the chip's public limits. Plain arithmetic.

Loihi 2: Intel Labs, "Taking Neuromorphic Computing to the Next Level with Loihi 2", technology brief, 2021: 128
cores, 1 million neurons and 120 million synapses on a chip, 192 KB of memory in a core.

Speck: sinabs 3.1.3, `sinabs.backend.dynapcnn`: its module `chips.dynapcnn` for the memories of the nine cores, and
`DynapcnnLayer.memory_summary` for the rounding to powers of two.

Nothing was placed on a chip: the vendors' compilers decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import ceil, log2
from typing import Any

from tinytracker.spiking.network import EVENTS, SpikingNetwork

LOIHI2_CORES = 128
LOIHI2_NEURONS_PER_CORE = 2**20 // LOIHI2_CORES
LOIHI2_CORE_BYTES = 192 * 1024
LOIHI2_SYNAPSES = 120_000_000

KI = 1024
SPECK_KERNEL_WORDS = tuple(n * KI for n in (16, 16, 16, 32, 32, 64, 64, 16, 16))
SPECK_NEURON_WORDS = tuple(n * KI for n in (64, 64, 64, 32, 32, 16, 16, 16, 16))
SPECK_BIASES = KI
"""Of each of the nine cores: 8-bit weights, 16-bit membranes, biases."""


@dataclass(frozen=True)
class Size:
    """The size of one layer.

    Attributes:
        name: of the layer.
        kernel: (height, width, in, out); a dense layer is a convolution whose kernel covers its input.
        height, width: of its map of neurons.
        synapses: that receive spikes; 0 where the layer's sums are delivered as a current.
    """

    name: str
    kernel: tuple[int, int, int, int]
    height: int
    width: int
    synapses: int

    @property
    def neurons(self) -> int:
        """Return the number of neurons."""
        return self.height * self.width * self.kernel[3]


@dataclass(frozen=True)
class Need:
    """What a network needs on a chip.

    Attributes:
        chip: name. cores: needed, None when a layer fits none. available: cores of the chip.
        problems: why it does not fit; empty when it does.
        how: how the cores were counted.
    """

    chip: str
    cores: int | None
    available: int
    problems: tuple[str, ...]
    how: str

    @property
    def fits(self) -> bool:
        """Return whether the network fits."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the fields and whether it fits, JSON-able."""
        return {**asdict(self), "problems": list(self.problems), "fits": self.fits}


def sizes_of(network: SpikingNetwork) -> tuple[Size, ...]:
    """Return the sizes of a network's layers."""
    found = []
    for i, layer in enumerate(network.layers):
        receives_spikes = i > 0 or network.encode == EVENTS
        shape = layer.output_shape
        height, width = shape[:2] if len(shape) == 3 else (1, 1)
        if layer.is_conv:
            k = layer.weights.shape
            kernel = (k[0], k[1], k[2], k[3])
        else:
            h, w, c = layer.input_shape if len(layer.input_shape) == 3 else (1, 1, layer.input_shape[0])
            kernel = (h, w, c, shape[-1])
        found.append(Size(layer.name, kernel, height, width, layer.synapses if receives_spikes else 0))
    return tuple(found)


def needs_of(network: SpikingNetwork) -> tuple[Need, ...]:
    """Return what a network needs on each chip."""
    layers = sizes_of(network)
    return loihi2(layers), speck(layers, spikes_in=network.encode == "rate")


def loihi2(layers: Iterable[Size]) -> Need:
    """Return what a network needs on a Loihi 2: every layer in cores of its own, no kernel shared."""
    layers = tuple(layers)
    cores = sum(
        max(ceil(size.neurons / LOIHI2_NEURONS_PER_CORE), ceil(size.synapses / LOIHI2_CORE_BYTES))
        for size in layers
    )
    synapses = sum(size.synapses for size in layers)
    problems = []
    if cores > LOIHI2_CORES:
        problems.append(f"it needs {cores} cores, and a Loihi 2 has {LOIHI2_CORES}")
    if synapses > LOIHI2_SYNAPSES:
        problems.append(f"it has {synapses:,} synapses, and a Loihi 2 has {LOIHI2_SYNAPSES:,}")
    how = "an upper bound: 8,192 neurons and 192 KB in a core, one byte for each synapse, no kernel shared"
    return Need("loihi2", cores, LOIHI2_CORES, tuple(problems), how)


def speck(
    layers: Iterable[Size], spikes_in: bool = True, has_readout: bool = True, leaks: bool = False
) -> Need:
    """Return what a network needs on a Speck: one core for each layer with neurons that fire.

    Args:
        layers: all, in order.
        spikes_in: whether the input consists of spikes, the only input that the chip has.
        has_readout: whether the last layer is a readout, which the host adds up from the spikes of the layer before.
        leaks: whether membranes lose a share of what they hold, which those of the chip do not.
    """
    spiking = list(layers)[:-1] if has_readout else list(layers)
    free = list(range(len(SPECK_KERNEL_WORDS)))
    problems: list[str] = []
    if not spikes_in:
        problems.append("its first layer gets a current, and a Speck takes only spikes (--encode rate)")
    if leaks:
        problems.append("its membranes lose a share in each step, and those of a Speck do not")
    # The layers with the fewest cores to choose from first.
    order = sorted(spiking, key=lambda size: len(_fitting(size, free)))
    for size in order:
        choice = _fitting(size, free)
        if choice:
            # The smallest kernel memory that does, and of those the smallest neuron memory.
            free.remove(min(choice, key=lambda k: (SPECK_KERNEL_WORDS[k], SPECK_NEURON_WORDS[k])))
            continue
        words, membranes = speck_words(size)
        if not _fitting(size, range(len(SPECK_KERNEL_WORDS))):
            problems.append(
                f"{size.name} needs {words:,} words for weights and {membranes:,} for membranes in one core, and no "
                f"core has both (at most {max(SPECK_KERNEL_WORDS):,} and {max(SPECK_NEURON_WORDS):,})"
            )
        else:
            problems.append(f"no core is left for {size.name}, and a Speck has {len(SPECK_KERNEL_WORDS)}")
    how = "one core for each layer that fires; the host adds up the readout from the last spikes"
    return Need("speck", len(spiking), len(SPECK_KERNEL_WORDS), tuple(problems), how)


def speck_words(size: Size) -> tuple[int, int]:
    """Return the words of weights and membranes that a layer occupies, rounded to powers of two as the chip does."""
    height, width, channels, filters = size.kernel
    kernel = channels * 2 ** (_bits(height * width) + _bits(filters))
    return kernel, filters * 2 ** (_bits(size.height) + _bits(size.width))


def _fitting(size: Size, cores: Iterable[int]) -> list[int]:
    words, membranes = speck_words(size)
    return [
        k
        for k in cores
        if words <= SPECK_KERNEL_WORDS[k]
        and membranes <= SPECK_NEURON_WORDS[k]
        and size.kernel[3] <= SPECK_BIASES
    ]


def _bits(n: int) -> int:
    return ceil(log2(n)) if n > 1 else 0
