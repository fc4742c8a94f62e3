"""Nodes that move values without changing them, and the two resizings of an image."""

from __future__ import annotations

from dataclasses import dataclass

from tinytracker.codegen.graph import Node


@dataclass(frozen=True, eq=False)
class StridedCopy(Node):
    """TRANSPOSE, SLICE, STRIDED_SLICE: output position (i, j, ...) is read at start + i·strides[0] + j·strides[1] + ...

    Attributes:
        shape: positions along each dimension of the output. strides: elements of the input between them, signed.
        start: element of the input that becomes the first of the output.
        run: neighbouring elements that are copied at each position.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    start: int
    run: int


@dataclass(frozen=True, eq=False)
class GatherNd(Node):
    """GATHER_ND: `count` slices of `run` elements, each at the place given by `len(sizes)` coordinates.

    Attributes:
        sizes: sizes of the dimensions that the coordinates index. strides: elements between neighbours along these.
    """

    count: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    run: int


@dataclass(frozen=True, eq=False)
class ResizeNearest(Node):
    """RESIZE_NEAREST_NEIGHBOR: the input row of each output row, and the input column of each output column."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Sampling:
    """Where output positions lie along one axis of the input, in 1/1024 of its step: position·scale + offset.

    Attributes:
        size: positions of the input. out_size: of the output.
        scale: input step per output step. offset: of output position 0.
    """

    size: int
    out_size: int
    scale: int
    offset: int


@dataclass(frozen=True, eq=False)
class ResizeBilinear(Node):
    """RESIZE_BILINEAR on int8, in integers."""

    batches: int
    height: Sampling
    width: Sampling
    channels: int
