"""The tensors of a network that must share a scale, and their ranges. Plain numbers, no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping

from tinytracker.model.network import Network
from tinytracker.model.output import FULL_SCALE, last_layers

Range = tuple[float, float]

PIXELS: Range = (-1.0, 127 / 128)
"""Range of every input: scale 1/128 and zero point 0."""

SAME_SCALE = ("concat", "flatten", "max_pool", "pad", "position_planes")
"""Operators that move codes without computing: their inputs and outputs share a scale."""

_NARROWEST = 1e-4


def scale_groups(network: Network) -> dict[str, str]:
    """Return for each node the name of the first node that must have the same scale.

    Inputs and output of an operator that only moves codes belong together; so do nodes that share weights, because
    they are one layer.
    """
    leader = {name: name for name in network.nodes}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    order = {name: i for i, name in enumerate(network.nodes)}
    for node in network.nodes.values():
        together = [*node.inputs] if node.op in SAME_SCALE else []
        if node.weights_of:
            together.append(node.weights_of)
        for other in together:
            first, second = sorted((find(node.name), find(other)), key=order.__getitem__)
            leader[second] = first
    return {name: find(name) for name in network.nodes}


def group_ranges(network: Network, seen: Mapping[str, Range]) -> dict[str, Range]:
    """Return the range of each node's output: the widest in its group, extended to include zero.

    Inputs, and all nodes that share their scale, have the range of pixels, whatever was observed; the last node has
    the range of segments.

    Args:
        network: as it runs on a device.
        seen: smallest and largest value of each node in calibration.
    """
    groups = scale_groups(network)
    widest: dict[str, Range] = {}
    for name, leader in groups.items():
        low, high = seen[name]
        before = widest.get(leader, (0.0, _NARROWEST))
        widest[leader] = (min(before[0], low), max(before[1], high))
    for name in network.inputs:
        widest[groups[name]] = PIXELS
    if all(network.nodes[name].activation == "relu6" for name in last_layers(network)):
        widest[groups[network.output.name]] = (0.0, FULL_SCALE)
    return {name: widest[leader] for name, leader in groups.items()}
