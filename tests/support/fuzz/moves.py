"""Steps of random networks that move, resize, select and compare values, and what may stand at their outputs."""

from __future__ import annotations

import numpy as np
from support.fuzz.graphs import End, RandomGraph, Step
from support.random_ops import _activation, _int, _scale
from support.tflite_builder import T


def alike(source: T, shape: tuple[int, ...]) -> T:
    """A tensor of this shape that counts as the source does."""
    return T(shape, source.dtype, source.scales, source.zero_points)


def _numbers(graph: RandomGraph, *values: int) -> int:
    return graph.constant(np.array(values, np.int32))


def resize(graph: RandomGraph) -> None:
    """RESIZE_BILINEAR or RESIZE_NEAREST_NEIGHBOR."""
    rng, x = graph.rng, graph.pick(4)
    if x is None:
        return
    n, h, w, c = graph.tensors[x].shape
    size = [int(rng.choice([_int(rng, 1, 12), 2 * side])) for side in (h, w)]
    align, half = [(False, False), (True, False), (False, True)][_int(rng, 0, 2)]
    graph.emit(
        str(rng.choice(["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"])), [x, _numbers(graph, *size)],
        alike(graph.tensors[x], (n, *size, c)), version=3, AlignCorners=align, HalfPixelCenters=half,
    )  # fmt: skip


def transpose(graph: RandomGraph) -> None:
    """TRANSPOSE by any permutation."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    order = rng.permutation(len(source.shape)).tolist()
    output = alike(source, tuple(source.shape[i] for i in order))
    graph.emit("TRANSPOSE", [x, _numbers(graph, *order)], output)


def cut(graph: RandomGraph) -> None:
    """SLICE, or STRIDED_SLICE with steps in both directions."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    begin = [_int(rng, 0, n - 1) for n in source.shape]
    if rng.random() < 0.5:
        size = [_int(rng, 1, n - b) for n, b in zip(source.shape, begin, strict=True)]
        inputs = [x, _numbers(graph, *begin), _numbers(graph, *size)]
        graph.emit("SLICE", inputs, alike(source, tuple(size)))
        return
    step = [int(rng.choice([1, 1, 2, -1])) for _ in begin]
    picked = [range(n)[b::s] for n, b, s in zip(source.shape, begin, step, strict=True)]
    everything = (1 << len(begin)) - 1
    inputs = [x, _numbers(graph, *begin), _numbers(graph, *source.shape), _numbers(graph, *step)]
    graph.emit("STRIDED_SLICE", inputs, alike(source, tuple(map(len, picked))), EndMask=everything)


def stack(graph: RandomGraph) -> None:
    """PACK of tensors that count alike, or UNPACK."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    rank, shape = len(source.shape), source.shape
    if rng.random() < 0.5 and rank < 4:
        axis, count = _int(rng, 0, rank), _int(rng, 1, 3)
        output = alike(source, (*shape[:axis], count, *shape[axis:]))
        graph.emit("PACK", [x] * count, output, ValuesCount=count, Axis=axis)
    elif rank > 2:
        axis = _int(rng, 0, rank - 1)
        part = (*shape[:axis], *shape[axis + 1 :])
        outputs = [alike(source, part) for _ in range(shape[axis])]
        graph.emit_many("UNPACK", [x], outputs, Num=shape[axis], Axis=axis)


def split(graph: RandomGraph) -> None:
    """SPLIT into equal parts."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    axis = _int(rng, 0, len(source.shape) - 1)
    size = source.shape[axis]
    count = next(d for d in (int(rng.choice([1, 2, 3])), 2, 1) if size % d == 0)
    part = (*source.shape[:axis], size // count, *source.shape[axis + 1 :])
    outputs = [alike(source, part) for _ in range(count)]
    graph.emit_many("SPLIT", [_numbers(graph, axis), x], outputs, NumSplits=count)


def compare(graph: RandomGraph) -> None:
    """MAXIMUM, MINIMUM or SUB with a tensor or a constant that may broadcast."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    code = str(rng.choice(["MAXIMUM", "MINIMUM", "SUB"]))
    shape = tuple(1 if rng.random() < 0.4 else n for n in source.shape)
    constant = alike(source, shape) if code != "SUB" else graph.quantized(shape)
    constant.data = rng.integers(-128, 128, shape).astype(np.int8)
    y = graph.add(constant)
    if rng.random() < 0.5:
        y = int(rng.choice([i for i in graph.live if _fits(graph.tensors[i], source, code)]))
    pair = [x, y] if rng.random() < 0.5 else [y, x]
    if code != "SUB":
        graph.emit(code, pair, alike(source, source.shape))
        return
    scale = max(source.scales[0], graph.tensors[y].scales[0]) * float(np.exp(rng.uniform(-1, 2)))
    graph.emit(code, pair, graph.quantized(source.shape, scale), FusedActivationFunction=_activation(rng))


def _fits(other: T, source: T, code: str) -> bool:
    counts_alike = (other.scales, other.zero_points) == (source.scales, source.zero_points)
    return other.shape == source.shape and (code == "SUB" or counts_alike)


def leaky(graph: RandomGraph) -> None:
    """LEAKY_RELU or PRELU with a slope per channel."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    output = graph.quantized(source.shape, source.scales[0] * float(np.exp(rng.uniform(-1, 1))))
    if rng.random() < 0.5:
        graph.emit("LEAKY_RELU", [x], output, Alpha=float(rng.choice([0.1, 0.25, rng.uniform(0, 1)])))
        return
    shape = (*[1] * (len(source.shape) - 1), source.shape[-1])
    slopes = graph.quantized(shape, _scale(rng, 1e-3, 0.02))
    slopes.data = rng.integers(-128, 128, shape).astype(np.int8)
    graph.emit("PRELU", [x, graph.add(slopes)], output, version=1)


STEPS: tuple[Step, ...] = (
    resize, transpose, cut, stack, split, compare, compare, leaky,
)  # fmt: skip
"""What may come next beside the steps of `graphs`."""


def position(graph: RandomGraph, x: int) -> int:
    """ARG_MAX or ARG_MIN over the last dimension."""
    shape = graph.tensors[x].shape
    axis = graph.constant(np.array(len(shape) - 1, np.int32))
    code = str(graph.rng.choice(["ARG_MAX", "ARG_MIN"]))
    return graph.append(code, [x, axis], [T(shape[:-1], "int32")], OutputType=2)[0]


def real(graph: RandomGraph, x: int) -> int:
    """DEQUANTIZE, sometimes followed by arithmetic on floats or a CAST to positions."""
    rng, shape = graph.rng, graph.tensors[x].shape
    floats = graph.append("DEQUANTIZE", [x], [T(shape, "float32")])[0]
    kind = rng.random()
    if kind < 0.4:
        factor = graph.constant(rng.normal(0, 3, (1,) * len(shape)).astype(np.float32))
        code = str(rng.choice(["MUL", "ADD", "SUB", "DIV", "MAXIMUM", "MINIMUM"]))
        return graph.append(code, [floats, factor], [T(shape, "float32")], version=1)[0]
    if kind < 0.6:
        return graph.append("CAST", [floats], [T(shape, "int32")], version=1)[0]
    return floats


ENDS: tuple[End, ...] = (real, real, position)
"""What may stand behind an output."""
