"""Where the codes of an output come from, for operators that only move them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen.graph import Slice
from tinytracker.codegen.graph_moves import ResizeNearest, StridedCopy

Places = NDArray[np.int64]


def strided_places(node: StridedCopy) -> Places:
    """Elements of the input, in the order of the output, (elements)."""
    places = np.array([node.start], np.int64)
    for size, stride in zip(node.shape, node.strides, strict=True):
        places = (places[:, None] + stride * np.arange(size)).reshape(-1)
    found: Places = (places[:, None] + np.arange(node.run)).reshape(-1)
    return found


def slice_places(node: Slice) -> Places:
    """Elements of the input that an output of SPLIT or UNPACK consists of, (elements).

    The node counts bytes; a tensor of wider elements is counted in elements here.
    """
    width = node.output.nbytes // node.output.elements
    rows = np.arange(node.outer) * (node.row // width) + node.start // width
    places: Places = (rows[:, None] + np.arange(node.chunk // width)).reshape(-1)
    return places


def nearest_places(node: ResizeNearest) -> Places:
    """Elements of the input image that an enlarged or reduced one repeats, (elements)."""
    grid = np.arange(node.inputs[0].elements).reshape(node.inputs[0].shape)
    places: Places = grid[:, list(node.rows)][:, :, list(node.columns)].reshape(-1)
    return places
