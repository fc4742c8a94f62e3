"""Rewrites of the graph that do not change any output bit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tinytracker.codegen.graph import Conv, DepthwiseConv, Graph, Node, Pad


def fuse(graph: Graph) -> Graph:
    """Apply all rewrites."""
    return _fuse_padding(graph)


def _fuse_padding(graph: Graph) -> Graph:
    """Let a convolution skip the border instead of reading a padded copy of its input.

    A border value equal to the zero point adds w·(z - z) = 0 to every sum, the same as skipping it. So this is
    exact whenever the fill is the zero point, only height and width grow, and nothing else reads the copy.
    """
    readers = Counter(tensor.index for node in graph.nodes for tensor in node.inputs)
    readers.update(tensor.index for tensor in graph.outputs)
    convolved = {node.inputs[0].index for node in graph.nodes if isinstance(node, Conv | DepthwiseConv)}
    pads = {
        node.output.index: node
        for node in graph.nodes
        if isinstance(node, Pad) and _is_border(node) and readers[node.output.index] == 1
    }
    pads = {index: pad for index, pad in pads.items() if index in convolved}
    nodes: list[Node] = []
    for node in graph.nodes:
        if isinstance(node, Conv | DepthwiseConv) and node.inputs[0].index in pads:
            nodes.append(_with_border(node, pads[node.inputs[0].index]))
        elif node.output.index not in pads:
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def _is_border(pad: Pad) -> bool:
    """Return True when only height and width grow and the border holds the zero point."""
    same_batch, same_channels = pad.in_shape[0] == pad.out_shape[0], pad.in_shape[3] == pad.out_shape[3]
    zero_filled = pad.fill == pad.inputs[0].zero_point
    return len(pad.inputs[0].shape) == 4 and same_batch and same_channels and zero_filled


def _with_border(node: Conv | DepthwiseConv, pad: Pad) -> Conv | DepthwiseConv:
    """Return the convolution on the unpadded input; the border moves the first position of the window outwards."""
    window = replace(
        node.window,
        in_h=pad.in_shape[1],
        in_w=pad.in_shape[2],
        pad_top=node.window.pad_top + pad.before[1],
        pad_left=node.window.pad_left + pad.before[2],
    )
    return replace(node, inputs=pad.inputs, window=window)
