"""Random networks of several operators, with branches, several inputs and several outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from support.random_ops import (
    _activation,
    _bias,
    _channel_scales,
    _int,
    _out_scale,
    _scale,
    _span,
    _weights,
    _zero,
)
from support.tflite_builder import Op, T, build_tflite, conv_options

Rng = np.random.Generator
MAX_ELEMENTS = 4000


Step = Callable[["RandomGraph"], None]
End = Callable[["RandomGraph", int], int]


class RandomGraph:
    """A network that grows by random steps on its tensors."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.tensors: list[T] = []
        self.operators: list[Op] = []
        self.inputs: list[int] = []
        self.live: list[int] = []  # int8 tensors that a step may read

    def build(self, steps: Sequence[Step], ends: Sequence[End]) -> bytes:
        """The bytes of the file; outputs are the last tensor and perhaps others.

        Args:
            steps: what may come next.
            ends: what may stand behind an output; each appends operators to a tensor and returns what is read.
        """
        for _ in range(1 + int(self.rng.random() < 0.2)):
            self._input()
        count = _int(self.rng, 1, 8)
        while len(self.operators) < count:
            steps[_int(self.rng, 0, len(steps) - 1)](self)
        computed = [i for i in self.live if i not in self.inputs]
        outputs = {computed[-1], *(i for i in computed if self.rng.random() < 0.15)}
        if self.rng.random() < 0.3:
            outputs = {ends[_int(self.rng, 0, len(ends) - 1)](self, i) for i in sorted(outputs)}
        return build_tflite(self.tensors, self.operators, self.inputs, sorted(outputs))

    def pick(self, rank: int = 0) -> int | None:
        """A tensor to read, late ones more often; None when none has this rank."""
        fitting = [i for i in self.live if rank in (0, len(self.tensors[i].shape))]
        if not fitting:
            return None
        return fitting[-1] if self.rng.random() < 0.7 else int(self.rng.choice(fitting))

    def constant(self, data: np.ndarray, scales: tuple[float, ...] = (), axis: int = 0) -> int:
        """Add a constant; returns its index."""
        return self.add(T(data.shape, str(data.dtype), scales, (0,) * len(scales), axis, data))

    def quantized(self, shape: tuple[int, ...], scale: float | None = None) -> T:
        """An int8 tensor of this shape with a zero point of its own."""
        return T(shape, scales=(scale or _scale(self.rng),), zero_points=(_zero(self.rng),))

    def emit(self, code: str, inputs: list[int], output: T, version: int = 0, **options: object) -> None:
        """Append an operator, unless its output is empty or large."""
        self.emit_many(code, inputs, [output], version, **options)

    def emit_many(
        self, code: str, inputs: list[int], outputs: list[T], version: int = 0, **options: object
    ) -> None:
        """Append an operator with several outputs, unless they are empty or large."""
        if 0 < sum(math.prod(output.shape) for output in outputs) <= MAX_ELEMENTS:
            self.live += self.append(code, inputs, outputs, version, **options)

    def append(
        self, code: str, inputs: list[int], outputs: list[T], version: int = 0, **options: object
    ) -> list[int]:
        """Append an operator whatever its size; returns the indices of its outputs."""
        indices = [self.add(output) for output in outputs]
        self.operators.append(Op(code, inputs, indices, dict(options), version))
        return indices

    def add(self, tensor: T) -> int:
        """Append a tensor; returns its index."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def _input(self) -> None:
        shape = (int(self.rng.choice([1, 1, 1, 2])), *(_int(self.rng, 1, 9) for _ in range(3)))
        if self.rng.random() < 0.2:
            shape = (1, _int(self.rng, 1, 40))
        kind = str(self.rng.choice(["int8", "int8", "int8", "float32", "uint8"]))
        first = self.quantized(shape)
        if kind == "int8":
            index = self.add(first)
            self.live.append(index)
        else:
            outer = T(shape, kind)
            if kind == "uint8":
                outer.scales, outer.zero_points = first.scales, (first.zero_points[0] + 128,)
            index = self.add(outer)
            self.live += self.append("QUANTIZE", [index], [first])
        self.inputs.append(index)


def _weighted(
    graph: RandomGraph, code: str, weights: T, x: int, shape: tuple[int, ...], **options: object
) -> None:
    """A weighted operator on tensor `x`; the filters hold the channels along their axis."""
    rng, source = graph.rng, graph.tensors[x]
    channels = weights.shape[weights.axis]
    terms = math.prod(weights.shape) // channels
    filters = graph.add(weights)
    scales = tuple(float(np.float32(source.scales[0]) * np.float32(s)) for s in weights.scales)
    bias = graph.constant(_bias(rng, channels), scales)
    output = graph.quantized(shape, _out_scale(rng, source.scales[0], weights.scales[0], terms))
    graph.emit(code, [x, filters, bias], output, **options)


def convolution(graph: RandomGraph) -> None:
    """CONV_2D or DEPTHWISE_CONV_2D."""
    rng, x = graph.rng, graph.pick(4)
    if x is None:
        return
    n, h, w, c = graph.tensors[x].shape
    padding, stride = str(rng.choice(["SAME", "VALID"])), (_int(rng, 1, 2), _int(rng, 1, 2))
    kernel = (_int(rng, 1, 3), _int(rng, 1, 3))
    if padding == "VALID":
        kernel = (min(kernel[0], h), min(kernel[1], w))
    is_depthwise = rng.random() < 0.4
    multiplier = int(rng.choice([1, 1, 1, 2]))
    channels = c * multiplier if is_depthwise else _int(rng, 1, 9)
    shape = (1, *kernel, channels) if is_depthwise else (channels, *kernel, c)
    axis = 3 if is_depthwise else 0
    weights = T(shape, scales=_channel_scales(rng, channels), axis=axis, data=_weights(rng, shape))
    options = conv_options(stride, padding, _activation(rng))
    if is_depthwise:
        options["DepthMultiplier"] = multiplier
    sizes = (_span(size, k, s, padding) for size, k, s in zip((h, w), kernel, stride, strict=True))
    code = "DEPTHWISE_CONV_2D" if is_depthwise else "CONV_2D"
    _weighted(graph, code, weights, x, (n, *sizes, channels), **options)


def dense(graph: RandomGraph) -> None:
    """FULLY_CONNECTED over the last dimension, which keeps the others, or over everything behind the batch."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    shape, units = graph.tensors[x].shape, _int(rng, 1, 9)
    keep = rng.random() < 0.3
    features = shape[-1] if keep else math.prod(shape[1:])
    scales = (_scale(rng, 1e-4, 0.05),) if rng.random() < 0.7 else _channel_scales(rng, units)
    weights = T((units, features), scales=scales, data=_weights(rng, (units, features)))
    output = (*shape[:-1], units) if keep else (shape[0], units)
    options = {"FusedActivationFunction": _activation(rng), "KeepNumDims": keep}
    _weighted(graph, "FULLY_CONNECTED", weights, x, output, **options)


def pool(graph: RandomGraph) -> None:
    """MAX_POOL_2D or AVERAGE_POOL_2D."""
    rng, x = graph.rng, graph.pick(4)
    if x is None:
        return
    source = graph.tensors[x]
    n, h, w, c = source.shape
    kernel, stride = (_int(rng, 1, min(3, h)), _int(rng, 1, min(3, w))), (_int(rng, 1, 2), _int(rng, 1, 2))
    padding = str(rng.choice(["SAME", "VALID"]))
    out_h, out_w = (_span(s, k, t, padding) for s, k, t in zip((h, w), kernel, stride, strict=True))
    output = T((n, out_h, out_w, c), scales=source.scales, zero_points=source.zero_points)
    graph.emit(
        str(rng.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"])), [x], output, Padding=padding, StrideH=stride[0],
        StrideW=stride[1], FilterHeight=kernel[0], FilterWidth=kernel[1], FusedActivationFunction=_activation(rng),
    )  # fmt: skip


def mean(graph: RandomGraph) -> None:
    """MEAN over some axes."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    rank = len(source.shape)
    axes = [1, 2] if rank == 4 and rng.random() < 0.5 else [_int(rng, 0, rank - 1)]
    keep = rng.random() < 0.5 or rank == 1
    shape = tuple(1 if i in axes else n for i, n in enumerate(source.shape) if keep or i not in axes)
    output = graph.quantized(shape, source.scales[0] * float(np.exp(rng.uniform(-2, 1))))
    graph.emit("MEAN", [x, graph.constant(np.array(axes, np.int32))], output, KeepDims=keep)


def arithmetic(graph: RandomGraph) -> None:
    """ADD or MUL of two tensors, of a tensor with itself, or with a constant that may broadcast."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    same = [i for i in graph.live if graph.tensors[i].shape == source.shape]
    if rng.random() < 0.6:
        y = int(rng.choice(same))
    else:
        shape = tuple(1 if rng.random() < 0.5 else n for n in source.shape)
        constant = graph.quantized(shape)
        constant.data = rng.integers(-128, 128, shape).astype(np.int8)
        y = graph.add(constant)
    other = graph.tensors[y]
    code = str(rng.choice(["ADD", "MUL"]))
    scale = max(source.scales[0], other.scales[0])
    if code == "MUL":
        scale = source.scales[0] * other.scales[0] * 64
    output = graph.quantized(source.shape, scale * float(np.exp(rng.uniform(-1, 2))))
    pair = [x, y] if rng.random() < 0.5 else [y, x]
    graph.emit(code, pair, output, FusedActivationFunction=_activation(rng))


def function(graph: RandomGraph) -> None:
    """An operator on single values, or SOFTMAX over the last dimension."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    code = str(rng.choice(["RELU", "RELU6", "TANH", "LOGISTIC", "QUANTIZE", "SOFTMAX"]))
    fixed = {"TANH": (1 / 128, 0), "LOGISTIC": (1 / 256, -128), "SOFTMAX": (1 / 256, -128)}
    output = graph.quantized(source.shape, source.scales[0] * float(np.exp(rng.uniform(-1, 1))))
    if code in fixed:
        output.scales, output.zero_points = (fixed[code][0],), (fixed[code][1],)
    graph.emit(code, [x], output, **({"Beta": 1.0} if code == "SOFTMAX" else {}))


def pad(graph: RandomGraph) -> None:
    """PAD, often of height and width alone, which a convolution may take over."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    rank = len(source.shape)
    amounts = rng.integers(0, 3, (rank, 2)).astype(np.int32)
    if rank == 4 and rng.random() < 0.7:
        amounts[[0, 3]] = 0
    shape = tuple(int(n + a.sum()) for n, a in zip(source.shape, amounts, strict=True))
    output = T(shape, scales=source.scales, zero_points=source.zero_points)
    graph.emit("PAD", [x, graph.constant(amounts)], output)


def concatenation(graph: RandomGraph) -> None:
    """CONCATENATION of a tensor with itself, with others that count alike, and with constants."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    axis = _int(rng, 0, len(source.shape) - 1)
    alike = [
        i
        for i in graph.live
        if (graph.tensors[i].scales, graph.tensors[i].zero_points) == (source.scales, source.zero_points)
        and _other_sizes(graph.tensors[i].shape, axis) == _other_sizes(source.shape, axis)
    ]
    parts = [x, *(int(rng.choice(alike)) for _ in range(_int(rng, 0, 2)))]
    if rng.random() < 0.4:
        data = rng.integers(-128, 128, source.shape).astype(np.int8)
        parts.append(
            graph.add(T(source.shape, scales=source.scales, zero_points=source.zero_points, data=data))
        )
    shape = list(source.shape)
    shape[axis] = sum(graph.tensors[i].shape[axis] for i in parts)
    output = T(tuple(shape), scales=source.scales, zero_points=source.zero_points)
    graph.emit("CONCATENATION", parts, output, Axis=axis)


def _other_sizes(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], -1, *shape[axis + 1 :])


def reshape(graph: RandomGraph) -> None:
    """RESHAPE to a flat row, to pixels of one channel, or to a volume."""
    rng, x = graph.rng, graph.pick()
    if x is None:
        return
    source = graph.tensors[x]
    count = math.prod(source.shape)
    divisor = next((d for d in (4, 3, 2) if count % d == 0), 1)
    shapes = [
        (1, count),
        (1, 1, divisor, count // divisor),
        (divisor, count // divisor),
        (1, divisor, count // divisor),
    ]
    shape = shapes[_int(rng, 0, len(shapes) - 1)]
    output = T(shape, scales=source.scales, zero_points=source.zero_points)
    graph.emit("RESHAPE", [x, graph.constant(np.array(shape, np.int32))], output, NewShape=list(shape))


STEPS: tuple[Step, ...] = (
    convolution, convolution, convolution, dense, pool, mean, arithmetic, arithmetic, function, function, pad,
    concatenation, reshape,
)  # fmt: skip
"""What may come next; the frequent ones are the interesting ones."""
