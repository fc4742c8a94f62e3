"""Rules of neuromorphic chips over the layers of a preset, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator

from tinytracker.model.network import Network
from tinytracker.package.neuromorphic import TARGET
from tinytracker.package.neuromorphic.chips import LOIHI2_CORES, Size, loihi2, speck
from tinytracker.package.rules import Rule, rule
from tinytracker.spiking.lowering import unsupported

REMARK = (
    "Judged from the layers and the chips' public limits; the vendors' compilers decide. Cores of a Loihi 2 are an "
    "upper bound."
)


def sizes(network: Network) -> tuple[Size, ...]:
    """Return the sizes of the layers with weights; the first gets a current."""
    found: list[Size] = []
    for node in network.nodes.values():
        if node.op not in ("conv", "depthwise", "dense"):
            continue
        source = network.nodes[node.inputs[0]]
        if node.op == "dense":
            # A dense layer behind a map is a convolution whose kernel covers the map.
            seen = network.shape(source.inputs[0]) if source.op == "flatten" else source.shape
            h, w, c = seen if len(seen) == 3 else (1, 1, seen[0])
            kernel, height, width = (h, w, c, node.shape[0]), 1, 1
        else:
            height, width, filters = node.shape
            kernel = (*node.kernel, source.shape[2] // node.groups, filters)
        found.append(Size(node.name, kernel, height, width, node.macs if found else 0))
    return tuple(found)


def facts(network: Network) -> dict[str, int]:
    """Return neurons, synapses and cores at most, and what a Loihi 2 has."""
    layers = sizes(network)
    return {
        "neurons": sum(size.neurons for size in layers),
        "synapses": sum(size.synapses for size in layers),
        "loihi2_cores": loihi2(layers).cores or 0,
        "loihi2_available_cores": LOIHI2_CORES,
    }


@rule(TARGET)
def one_image(network: Network) -> str | None:
    """The network has one input, an image.

    Fix: Choose a preset that sees one image, such as `spikes-s`.
    Source: docs/neuromorphic.md.
    """
    if len(network.inputs) == 1:
        return None
    return f"it has {len(network.inputs)} inputs: {', '.join(network.inputs)}"


@rule(TARGET)
def spiking_operators(network: Network) -> Iterator[str]:
    """Every operator has a spiking form: convolutions with equal padding on both sides, means, and dense layers.

    Fix: Choose `spikes-s` or `spikes-s2`, or build a chain of convolutions with stride.
    Source: docs/neuromorphic.md.
    """
    for node in network.nodes.values():
        why = unsupported(network, node)
        if why is not None:
            yield f"{node.name} is {node.op}: {why[0]}"


@rule(TARGET)
def loihi2_cores(network: Network) -> str | None:
    """On a Loihi 2, the network takes at most 128 cores of 8,192 neurons and 192 KB, and 120 million synapses.

    Fix: Choose a smaller network.
    Source: Intel Labs, technology brief on Loihi 2, 2021; each synapse counted as one byte, no kernel shared.
    """
    return "; ".join(loihi2(sizes(network)).problems) or None


@rule(TARGET, level="warns")
def speck_cores(network: Network) -> str | None:
    """On a Speck, each layer that fires has one of nine cores, and fits its memories for weights and membranes.

    Fix: Choose a smaller network, and convert it with `--encode rate`.
    Source: sinabs 3.1.3, `sinabs.backend.dynapcnn`.
    """
    return "; ".join(speck(sizes(network)).problems) or None


RULES: tuple[Rule[Network], ...] = (one_image, spiking_operators, loihi2_cores, speck_cores)
