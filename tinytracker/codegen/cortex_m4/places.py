"""Constant input channels of a convolution, computed at generation time.

A convolution that reads a concatenation with constants (the position of each pixel, say) sums two parts: one over
the channels known at run time, and one that is the same for every image. A table of the second over all outputs
would be large. But when each constant changes along one direction only, as positions do, that sum is a term of the
column plus a term of the row, as long as the same part of the window lies inside the image. So there is one row of
column terms for each part of the window that may be cut off above or below (the "kind" of a row), and one column of
row terms for each part that may be cut off at the sides (the "kind" of a column).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen.graph import Concat, Conv, Graph, Int8s, Int32s, Node, Window
from tinytracker.codegen.kernel import LayerCode

MAX_KINDS = 4
"""Largest number of kinds of rows, or of columns; with more, the tables are not worth their bytes."""


@dataclass(frozen=True, eq=False)
class Places:
    """What constants add to the sum at output (y, x): column_terms[row_kinds[y], x] + row_terms[column_kinds[x], y].

    Attributes:
        column_terms: (kinds of rows, out_w, out_c).
        row_terms: (kinds of columns, out_h, out_c).
        row_kinds: (out_h,).
        column_kinds: (out_w,).
    """

    column_terms: Int32s
    row_terms: Int32s
    row_kinds: Int8s
    column_kinds: Int8s


@dataclass(frozen=True, eq=False)
class PlacedConv(Node):
    """A convolution over the run-time channels (`conv`), plus terms that depend on the position alone."""

    conv: Conv
    places: Places


def fold_constant_channels(graph: Graph) -> Graph:
    """Replace every convolution that reads a concatenation with constants by a `PlacedConv`, where that is exact."""
    readers = Counter(tensor.index for node in graph.nodes for tensor in node.inputs)
    readers.update(tensor.index for tensor in graph.outputs)
    concats = {
        n.output.index: n for n in graph.nodes if isinstance(n, Concat) and readers[n.output.index] == 1
    }
    placed: dict[int, PlacedConv] = {}
    for node in graph.nodes:
        if isinstance(node, Conv) and node.inputs[0].index in concats:
            folded = _fold(concats[node.inputs[0].index], node)
            if folded is not None:
                placed[node.inputs[0].index] = folded
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.output.index in placed:
            continue
        nodes.append(placed.get(node.inputs[0].index, node) if isinstance(node, Conv) else node)
    return replace(graph, nodes=tuple(nodes))


def _fold(concat: Concat, conv: Conv) -> PlacedConv | None:
    runtime = [i for i, tensor in enumerate(concat.inputs) if not tensor.is_constant]
    along_channels = all(
        len(t.shape) == 4 and t.shape[3] == chunk
        for t, chunk in zip(concat.inputs, concat.chunks, strict=True)
    )
    if len(runtime) != 1 or len(concat.inputs) == 1 or not along_channels or conv.groups != 1:
        return None
    window = conv.window
    if window.batches != 1:
        return None
    starts = np.cumsum([0, *concat.chunks])
    total = np.zeros((window.out_h, window.out_w, window.out_c), np.int64)
    for i, tensor in enumerate(concat.inputs):
        if tensor.is_constant:
            values = np.asarray(tensor.data).reshape(tensor.shape)[0].astype(np.int64) - conv.input_zero_point
            total += _products(conv, values, conv.weights[..., starts[i] : starts[i + 1]])
    places = _separate(total, window)
    if places is None:
        return None
    source = concat.inputs[runtime[0]]
    kept = slice(starts[runtime[0]], starts[runtime[0] + 1])
    rest = replace(
        conv,
        inputs=(source,),
        window=replace(window, in_c=source.shape[3]),
        weights=np.ascontiguousarray(conv.weights[..., kept]),
    )
    return PlacedConv(conv.operator, (source,), conv.output, rest, places)


def _products(conv: Conv, values: NDArray[np.int64], weights: Int8s) -> NDArray[np.int64]:
    """Return Σ w·v over the window at every output, borders skipped: (out_h, out_w, out_c)."""
    w = conv.window
    reach_h = (w.out_h - 1) * w.stride_h + (w.kernel_h - 1) * w.dilation_h + 1
    reach_w = (w.out_w - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1
    padded = np.zeros(
        (max(reach_h, w.in_h + w.pad_top), max(reach_w, w.in_w + w.pad_left), values.shape[2]), np.int64
    )
    padded[w.pad_top : w.pad_top + w.in_h, w.pad_left : w.pad_left + w.in_w] = values
    total = np.zeros((w.out_h, w.out_w, w.out_c), np.int64)
    for ky in range(w.kernel_h):
        for kx in range(w.kernel_w):
            rows = ky * w.dilation_h + np.arange(w.out_h) * w.stride_h
            columns = kx * w.dilation_w + np.arange(w.out_w) * w.stride_w
            total += padded[np.ix_(rows, columns)] @ weights[:, ky, kx].astype(np.int64).T
    return total


def _separate(total: NDArray[np.int64], w: Window) -> Places | None:
    """Split the table into terms of columns and rows; None when it is not their sum or has too many kinds."""
    row_kinds = _kinds(w.out_h, w.in_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top)
    column_kinds = _kinds(w.out_w, w.in_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left)
    if max(row_kinds.max(), column_kinds.max()) >= MAX_KINDS:
        return None
    first_rows = np.unique(row_kinds, return_index=True)[1]
    first_columns = np.unique(column_kinds, return_index=True)[1]
    column_terms = total[first_rows]
    row_terms = np.stack([total[:, x] - total[first_rows][row_kinds, x] for x in first_columns])
    rebuilt = column_terms[row_kinds] + row_terms[column_kinds].transpose(1, 0, 2)
    if not np.array_equal(rebuilt, total):
        return None
    return Places(column_terms.astype(np.int32), row_terms.astype(np.int32), row_kinds, column_kinds)


def _kinds(outputs: int, inputs: int, kernel: int, stride: int, dilation: int, pad: int) -> Int8s:
    """Return, for each output along one axis, a number that identifies which part of its window lies inside."""
    seen: dict[tuple[bool, ...], int] = {}
    kinds = []
    for i in range(outputs):
        inside = tuple(0 <= i * stride - pad + k * dilation < inputs for k in range(kernel))
        kinds.append(seen.setdefault(inside, len(seen)))
    return np.array(kinds, np.int32).astype(np.int8)


def declare_places(places: Places, code: LayerCode) -> str:
    """Declare the tables; return the initializer of `tt_m4_places_t`."""
    spare = np.zeros(1, np.int32)  # channels are read in pairs, even the last odd one
    arrays = {
        "column_terms": np.concatenate([places.column_terms.reshape(-1), spare]),
        "row_terms": np.concatenate([places.row_terms.reshape(-1), spare]),
        "row_kinds": places.row_kinds,
        "column_kinds": places.column_kinds,
    }
    members = (f".{name} = {code.array(name, values)}" for name, values in arrays.items())
    return "{" + ", ".join(members) + "}"
