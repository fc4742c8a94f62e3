"""One-operator networks with random shapes, strides, paddings, scales and zero points, extremes included."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from support.tflite_builder import Op, T, build_tflite, conv_options

Rng = np.random.Generator
ACTIVATIONS = ("NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1")


def _int(rng: Rng, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _zero(rng: Rng) -> int:
    """A zero point; the ends of the range come often."""
    return int(rng.choice([-128, 127, 0, _int(rng, -128, 127), _int(rng, -128, 127)]))


def _scale(rng: Rng, low: float = 1e-3, high: float = 0.2) -> float:
    return float(np.float32(np.exp(rng.uniform(np.log(low), np.log(high)))))


def _activation(rng: Rng) -> str:
    return str(rng.choice(ACTIVATIONS))


def _weights(rng: Rng, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice([rng.integers(-127, 128, shape), rng.choice([-128, -127, 127], shape)]).astype(np.int8)


def _bias(rng: Rng, channels: int) -> np.ndarray:
    """Biases of ordinary size; one in ten sits at the ends of 32 bits, so that sums wrap."""
    if rng.random() < 0.1:
        inwards = rng.integers(0, 5000, channels)
        return np.where(rng.random(channels) < 0.5, -(2**31) + inwards, 2**31 - 1 - inwards).astype(np.int32)
    return rng.integers(-20_000, 20_000, channels).astype(np.int32)


def _out_scale(rng: Rng, source: float, weights: float, terms: int) -> float:
    """A scale near the one that fills the output range, sometimes far from it in both directions.

    One in three makes the factor a power of two as float32 products have it, so that sums lie on ties, where the
    direction of rounding and the precision of the factor show.
    """
    if rng.random() < 0.4:
        exponent = round(float(np.log2(75 * 75 * np.sqrt(terms) / 64))) + _int(rng, -1, 1)
        return float(np.float32(source) * np.float32(weights) * np.float32(2.0**exponent))
    fitting = source * weights * np.sqrt(terms) * 75 * 75 / 64
    return float(np.float32(fitting * float(np.exp(rng.choice([rng.normal(0, 0.5), rng.uniform(-9, 9)])))))


def _window(rng: Rng) -> tuple[int, int, int, int, int, int, int, str]:
    """batches, height, width, kernel height and width, stride height and width, padding."""
    padding = str(rng.choice(["SAME", "VALID"]))
    kh, kw = _int(rng, 1, 4), _int(rng, 1, 4)
    h, w = (_int(rng, 1, 9), _int(rng, 1, 9)) if padding == "SAME" else (_int(rng, kh, 9), _int(rng, kw, 9))
    return int(rng.choice([1, 1, 1, 2])), h, w, kh, kw, _int(rng, 1, 3), _int(rng, 1, 3), padding


def _span(size: int, kernel: int, stride: int, padding: str, dilation: int = 1) -> int:
    return -(-size // stride) if padding == "SAME" else (size - (kernel - 1) * dilation - 1) // stride + 1


def _dilations(rng: Rng, h: int, w: int, kh: int, kw: int, sh: int, sw: int, padding: str) -> tuple[int, int]:
    """Dilation factors; TFLite wants 1 where the stride is not."""
    if rng.random() < 0.7 or (sh, sw) != (1, 1):
        return 1, 1
    dh, dw = _int(rng, 1, 3), _int(rng, 1, 3)
    fits = padding == "SAME" or (h > (kh - 1) * dh and w > (kw - 1) * dw)
    return (dh, dw) if fits else (1, 1)


def _channel_scales(rng: Rng, channels: int) -> tuple[float, ...]:
    if rng.random() < 0.3:
        return (_scale(rng, 1e-4, 0.05),)
    return tuple(_scale(rng, 1e-4, 0.05) for _ in range(channels))


def _weighted(rng: Rng, x: T, w: T, out_shape: tuple[int, ...], channels: int, terms: int, op: Op) -> bytes:
    bias_scales = tuple(float(np.float32(x.scales[0]) * np.float32(s)) for s in w.scales)
    out = T(out_shape, scales=(_out_scale(rng, x.scales[0], w.scales[0], terms),), zero_points=(_zero(rng),))
    tensors, inputs = [x, w, out], [0, 1]
    if op.code == "CONV_2D" or rng.random() < 0.9:  # TFLite's int8 CONV_2D insists on a bias
        tensors.append(T((channels,), "int32", bias_scales, data=_bias(rng, channels)))
        inputs.append(3)
    elif op.code == "FULLY_CONNECTED":
        inputs.append(-1)  # the others just have two inputs
    op.inputs, op.outputs = inputs, [2]
    return build_tflite(tensors, [op], [0], [2])


def conv(rng: Rng) -> bytes:
    n, h, w, kh, kw, sh, sw, padding = _window(rng)
    groups = int(rng.choice([1, 1, 1, 1, 2, 3]))
    depth, channels = _int(rng, 1, 7), groups * _int(rng, 1, 6)
    dh, dw = _dilations(rng, h, w, kh, kw, sh, sw, padding)
    x = T((n, h, w, depth * groups), scales=(_scale(rng),), zero_points=(_zero(rng),))
    shape = (channels, kh, kw, depth)
    weights = T(shape, scales=_channel_scales(rng, channels), axis=0, data=_weights(rng, shape))
    options = conv_options((sh, sw), padding, _activation(rng), DilationHFactor=dh, DilationWFactor=dw)
    out = (n, _span(h, kh, sh, padding, dh), _span(w, kw, sw, padding, dw), channels)
    return _weighted(rng, x, weights, out, channels, kh * kw * depth, Op("CONV_2D", [], [], options))


def depthwise(rng: Rng) -> bytes:
    n, h, w, kh, kw, sh, sw, padding = _window(rng)
    c, multiplier = _int(rng, 1, 9), int(rng.choice([1, 1, 1, 2, 3]))
    channels = c * multiplier
    dh, dw = _dilations(rng, h, w, kh, kw, sh, sw, padding)
    x = T((n, h, w, c), scales=(_scale(rng),), zero_points=(_zero(rng),))
    shape = (1, kh, kw, channels)
    weights = T(shape, scales=_channel_scales(rng, channels), axis=3, data=_weights(rng, shape))
    options = conv_options(
        (sh, sw),
        padding,
        _activation(rng),
        DilationHFactor=dh,
        DilationWFactor=dw,
        DepthMultiplier=multiplier,
    )
    out = (n, _span(h, kh, sh, padding, dh), _span(w, kw, sw, padding, dw), channels)
    return _weighted(rng, x, weights, out, channels, kh * kw, Op("DEPTHWISE_CONV_2D", [], [], options))


def dense(rng: Rng) -> bytes:
    batches, features, units = _int(rng, 1, 3), _int(rng, 1, 40), _int(rng, 1, 12)
    x = T((batches, features), scales=(_scale(rng),), zero_points=(_zero(rng),))
    scales = (_scale(rng, 1e-4, 0.05),) if rng.random() < 0.6 else _channel_scales(rng, units)
    weights = T((units, features), scales=scales, data=_weights(rng, (units, features)))
    op = Op("FULLY_CONNECTED", [], [], {"FusedActivationFunction": _activation(rng)})
    return _weighted(rng, x, weights, (batches, units), units, features, op)


def rows_dense(rng: Rng) -> bytes:
    """Fully connected over the last of one to four dimensions, which are kept; weights per tensor or channel."""
    shape = tuple(_int(rng, 1, 4) for _ in range(_int(rng, 0, 3)))
    features, units = _int(rng, 1, 20), _int(rng, 1, 9)
    x = T((*shape, features), scales=(_scale(rng),), zero_points=(_zero(rng),))
    weights = T((units, features), scales=_channel_scales(rng, units), data=_weights(rng, (units, features)))
    op = Op("FULLY_CONNECTED", [], [], {"FusedActivationFunction": _activation(rng), "KeepNumDims": True})
    return _weighted(rng, x, weights, (*shape, units), units, features, op)


def _binary(rng: Rng, code: str) -> bytes:
    shape = tuple(_int(rng, 1, 5) for _ in range(_int(rng, 1, 4)))
    shapes = [shape, shape]
    if rng.random() < 0.5:
        side = _int(rng, 0, 1)
        shapes[side] = tuple(1 if rng.random() < 0.5 else n for n in shape)[_int(rng, 0, len(shape) - 1) :]
    scales = [_scale(rng), _scale(rng)]
    if rng.random() < 0.33:
        scales[1] = scales[0] * 2.0 ** _int(rng, -4, 4)
    inputs = [
        T(s, scales=(scale,), zero_points=(_zero(rng),)) for s, scale in zip(shapes, scales, strict=True)
    ]
    constant = _int(rng, 0, 3)
    if constant < 2:
        inputs[constant].data = rng.integers(-128, 128, shapes[constant]).astype(np.int8)
    out_shape = np.broadcast_shapes(*shapes)
    base = max(inputs[0].scales[0], inputs[1].scales[0])
    if code == "MUL":
        base = float(np.float32(inputs[0].scales[0]) * np.float32(inputs[1].scales[0]) * np.float32(64))
    # A power of two puts results on ties.
    factor = 2.0 ** _int(rng, -3, 5) if rng.random() < 0.33 else float(np.exp(rng.uniform(-3, 5)))
    out = T(out_shape, scales=(base * factor,), zero_points=(_zero(rng),))
    op = Op(code, [0, 1], [2], {"FusedActivationFunction": _activation(rng)})
    return build_tflite([*inputs, out], [op], [i for i in (0, 1) if inputs[i].data is None], [2])


def add(rng: Rng) -> bytes:
    return _binary(rng, "ADD")


def mul(rng: Rng) -> bytes:
    return _binary(rng, "MUL")


def _pool(rng: Rng, code: str) -> bytes:
    n, h, w, kh, kw, sh, sw, padding = _window(rng)
    c = _int(rng, 1, 6)
    quantization = {"scales": (_scale(rng),), "zero_points": (_zero(rng),)}
    options = {
        "Padding": padding, "StrideH": sh, "StrideW": sw, "FilterHeight": kh, "FilterWidth": kw,
        "FusedActivationFunction": _activation(rng),
    }  # fmt: skip
    out = (n, _span(h, kh, sh, padding), _span(w, kw, sw, padding), c)
    return build_tflite(
        [T((n, h, w, c), **quantization), T(out, **quantization)], [Op(code, [0], [1], options)], [0], [1]
    )


def average_pool(rng: Rng) -> bytes:
    return _pool(rng, "AVERAGE_POOL_2D")


def max_pool(rng: Rng) -> bytes:
    return _pool(rng, "MAX_POOL_2D")


def mean(rng: Rng) -> bytes:
    rank = _int(rng, 1, 4)
    shape = tuple(_int(rng, 1, 8) for _ in range(rank))
    axes = sorted(rng.choice(rank, _int(rng, 1, rank), replace=False).tolist())
    keep = bool(rng.integers(2)) or len(axes) == rank
    out = tuple(1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes)
    written = [a - rank if rng.random() < 0.3 else a for a in axes]
    x = T(shape, scales=(_scale(rng),), zero_points=(_zero(rng),))
    same = rng.random() < 0.3
    factor = 2.0 ** _int(rng, -3, 3) if rng.random() < 0.33 else float(np.exp(rng.uniform(-3, 3)))
    y = T(
        out,
        scales=x.scales if same else (x.scales[0] * factor,),
        zero_points=x.zero_points if same else (_zero(rng),),
    )
    axis = T((len(axes),), "int32", data=np.array(written, np.int32))
    return build_tflite([x, axis, y], [Op("MEAN", [0, 1], [2], {"KeepDims": keep})], [0], [2])


def pad(rng: Rng) -> bytes:
    rank = _int(rng, 1, 4)
    shape = tuple(_int(rng, 1, 5) for _ in range(rank))
    amounts = rng.integers(0, 4, (rank, 2)).astype(np.int32)
    out = tuple(int(n + a.sum()) for n, a in zip(shape, amounts, strict=True))
    quantization = {"scales": (_scale(rng),), "zero_points": (_zero(rng),)}
    tensors = [T(shape, **quantization), T((rank, 2), "int32", data=amounts), T(out, **quantization)]
    if rng.random() < 0.7:
        return build_tflite(tensors, [Op("PAD", [0, 1], [2])], [0], [2])
    fill = T((1,), data=np.array([_int(rng, -128, 127)], np.int8), **quantization)
    return build_tflite([*tensors, fill], [Op("PADV2", [0, 1, 3], [2])], [0], [2])


def concat(rng: Rng) -> bytes:
    rank, count = _int(rng, 1, 4), _int(rng, 2, 4)
    shape = [_int(rng, 1, 5) for _ in range(rank)]
    axis = _int(rng, 0, rank - 1)
    quantization = {"scales": (_scale(rng),), "zero_points": (_zero(rng),)}
    tensors = []
    for i in range(count):
        part = [_int(rng, 1, 4) if d == axis else n for d, n in enumerate(shape)]
        constant = i > 0 and rng.random() < 0.4
        data = rng.integers(-128, 128, part).astype(np.int8) if constant else None
        tensors.append(T(tuple(part), data=data, **quantization))
    total = [sum(t.shape[axis] for t in tensors) if d == axis else n for d, n in enumerate(shape)]
    op = Op(
        "CONCATENATION", list(range(count)), [count], {"Axis": axis - rank if rng.random() < 0.5 else axis}
    )
    inputs = [i for i, t in enumerate(tensors) if t.data is None]
    return build_tflite([*tensors, T(tuple(total), **quantization)], [op], inputs, [count])


def split(rng: Rng) -> bytes:
    """SPLIT or SPLIT_V; every part is an output of the network."""
    rank, parts = _int(rng, 1, 4), _int(rng, 1, 3)
    axis = _int(rng, 0, rank - 1)
    shape = [_int(rng, 1, 5) for _ in range(rank)]
    equal = rng.random() < 0.5
    sizes = [_int(rng, 1, 4)] * parts if equal else [_int(rng, 1, 4) for _ in range(parts)]
    quantization = {"scales": (_scale(rng),), "zero_points": (_zero(rng),)}
    shapes = [tuple(size if d == axis else n for d, n in enumerate(shape)) for size in (sum(sizes), *sizes)]
    whole, *pieces = [T(s, **quantization) for s in shapes]
    written = axis - rank if rng.random() < 0.5 else axis
    where = T((), "int32", data=np.array(written, np.int32))
    outputs = list(range(2, 2 + parts))
    if equal:
        op = Op("SPLIT", [1, 0], outputs, {"NumSplits": parts}, 2, "SplitOptions")
        return build_tflite([whole, where, *pieces], [op], [0], outputs)
    lengths = T((parts,), "int32", data=np.array(sizes, np.int32))
    op = Op("SPLIT_V", [0, 2 + parts, 1], outputs, {"NumSplits": parts}, 2, "SplitVOptions")
    return build_tflite([whole, where, *pieces, lengths], [op], [0], outputs)


def _unary(
    rng: Rng, code: str, scale: float, zero: int, x_scale: float | None = None, **options: object
) -> bytes:
    """All 256 values of one input, so that a table is checked completely."""
    x = T((1, 256), scales=(x_scale or _scale(rng),), zero_points=(_zero(rng),))
    y = T((1, 256), scales=(scale,), zero_points=(zero,))
    return build_tflite([x, y], [Op(code, [0], [1], dict(options))], [0], [1])


def _activation_scale(rng: Rng) -> float:
    """Input scales of TANH and LOGISTIC; powers of two hit ties exactly."""
    return 2.0 ** -_int(rng, 2, 10) if rng.random() < 0.5 else _scale(rng, 5e-4, 0.3)


def tanh(rng: Rng) -> bytes:
    return _unary(rng, "TANH", 1 / 128, 0, _activation_scale(rng))


def logistic(rng: Rng) -> bytes:
    return _unary(rng, "LOGISTIC", 1 / 256, -128, _activation_scale(rng))


def relu(rng: Rng) -> bytes:
    return _unary(rng, str(rng.choice(["RELU", "RELU6"])), _scale(rng), _zero(rng))


def softmax(rng: Rng) -> bytes:
    rows, depth = _int(rng, 1, 3), _int(rng, 1, 40)
    x = T((rows, depth), scales=(_scale(rng, 1e-3, 1.0),), zero_points=(_zero(rng),))
    y = T((rows, depth), scales=(1 / 256,), zero_points=(-128,))
    beta = float(rng.choice([1.0, 1.0, 0.5, 2.0]))
    return build_tflite([x, y], [Op("SOFTMAX", [0], [1], {"Beta": beta})], [0], [1])


def wide_softmax(rng: Rng) -> bytes:
    """Softmax over 512 classes and more, where flat rows reach sums that the integer arithmetic cannot hold."""
    depth = int(rng.choice([512, 513, 600, 1024, 4095, 4096, _int(rng, 512, 9000)]))
    x = T((2, depth), scales=(_scale(rng, 1e-4, 1.0),), zero_points=(_zero(rng),))
    y = T((2, depth), scales=(1 / 256,), zero_points=(-128,))
    return build_tflite([x, y], [Op("SOFTMAX", [0], [1], {"Beta": 1.0})], [0], [1])


def requantize(rng: Rng) -> bytes:
    """QUANTIZE between 8-bit types, through all 256 values."""
    types = [("int8", "int8"), ("uint8", "int8"), ("int8", "uint8"), ("uint8", "uint8")][_int(rng, 0, 3)]
    scale = _scale(rng)
    out_scale = scale if rng.random() < 0.3 else scale * float(np.exp(rng.uniform(-3, 3)))
    zeros = [_zero(rng) + (128 if t == "uint8" else 0) for t in types]
    if rng.random() < 0.3 and types == ("int8", "uint8"):
        zeros[1] = zeros[0] + 128
    x = T((1, 256), types[0], (scale,), (zeros[0],))
    y = T((1, 256), types[1], (out_scale,), (zeros[1],))
    return build_tflite([x, y], [Op("QUANTIZE", [0], [1])], [0], [1])


def quantize(rng: Rng) -> bytes:
    dtype = str(rng.choice(["int8", "uint8"]))
    y = T((4, 8), dtype, (_scale(rng),), (_zero(rng) + (128 if dtype == "uint8" else 0),))
    return build_tflite([T((4, 8), "float32"), y], [Op("QUANTIZE", [0], [1])], [0], [1])


def dequantize(rng: Rng) -> bytes:
    dtype = str(rng.choice(["int8", "uint8"]))
    x = T((1, 256), dtype, (_scale(rng),), (_zero(rng) + (128 if dtype == "uint8" else 0),))
    return build_tflite([x, T((1, 256), "float32")], [Op("DEQUANTIZE", [0], [1])], [0], [1])


def padded_conv(rng: Rng) -> bytes:
    """PAD, then a convolution: the pair that is fused."""
    h, w, c, k = _int(rng, 2, 7), _int(rng, 2, 7), _int(rng, 1, 5), _int(rng, 1, 3)
    amounts = np.array([[0, 0], [_int(rng, 0, 2), 2], [_int(rng, 0, 2), 2], [0, 0]], np.int32)
    ph, pw = h + int(amounts[1].sum()), w + int(amounts[2].sum())
    x = T((1, h, w, c), scales=(_scale(rng),), zero_points=(_zero(rng),))
    padded = T((1, ph, pw, c), scales=x.scales, zero_points=x.zero_points)
    stride, padding = _int(rng, 1, 2), str(rng.choice(["SAME", "VALID"]))
    is_depthwise = rng.random() < 0.5
    shape = (1, k, k, c) if is_depthwise else (3, k, k, c)
    channels = c if is_depthwise else 3
    weights = T(shape, scales=(0.01,), data=_weights(rng, shape))
    options = conv_options(
        (stride, stride), padding, "RELU", **({"DepthMultiplier": 1} if is_depthwise else {})
    )
    y = T(
        (1, _span(ph, k, stride, padding), _span(pw, k, stride, padding), channels),
        scales=(0.05,),
        zero_points=(_zero(rng),),
    )
    operators = [
        Op("PAD", [0, 1], [2]),
        Op("DEPTHWISE_CONV_2D" if is_depthwise else "CONV_2D", [2, 3, 5], [4], options),
    ]
    bias = T((channels,), "int32", (x.scales[0] * 0.01,), data=_bias(rng, channels))
    return build_tflite([x, T((4, 2), "int32", data=amounts), padded, weights, y, bias], operators, [0], [4])


def reshape(rng: Rng) -> bytes:
    """RESHAPE between two tables, which the planner may run in place."""
    a, b = _int(rng, 1, 6), _int(rng, 1, 6)
    quantization = {"scales": (1 / 32,), "zero_points": (3,)}
    tensors = [T((1, a, b), **quantization), T((1, a, b), **quantization), T((b, a), **quantization)]
    tensors.append(T((b, a), scales=(1 / 128,), zero_points=(0,)))
    operators = [Op("RELU", [0], [1]), Op("RESHAPE", [1], [2], {"NewShape": [b, a]}), Op("TANH", [2], [3])]
    return build_tflite(tensors, operators, [0], [3])


RANDOM_OPS: dict[str, Callable[[Rng], bytes]] = {
    f.__name__: f
    for f in (
        conv, depthwise, dense, add, mul, average_pool, max_pool, mean, pad, concat, tanh, logistic, relu,
        softmax, split, requantize, quantize, dequantize, padded_conv, reshape,
    )
}  # fmt: skip
"""Every supported operator by a name of its own."""

SPECIFIED_OPS: dict[str, Callable[[Rng], bytes]] = {f.__name__: f for f in (rows_dense, wide_softmax)}
"""Cases in which TFLite's reference kernels are wrong for some: the specification is the oracle."""


def many_channels(rng: Rng) -> bytes:
    """1x1 convolution: long and short sums, odd and even channels, single pixels, several images."""
    n, h, w = int(rng.choice([1, 1, 2])), _int(rng, 1, 5), _int(rng, 1, 5)
    depth = int(rng.choice([_int(rng, 1, 9), _int(rng, 10, 60), 4 * _int(rng, 12, 40)]))
    channels = int(rng.choice([1, 2, 3, _int(rng, 4, 24)]))
    x = T((n, h, w, depth), scales=(_scale(rng),), zero_points=(_zero(rng),))
    shape = (channels, 1, 1, depth)
    weights = T(shape, scales=_channel_scales(rng, channels), axis=0, data=_weights(rng, shape))
    options = conv_options((1, 1), "SAME", _activation(rng))
    return _weighted(rng, x, weights, (n, h, w, channels), channels, depth, Op("CONV_2D", [], [], options))


def image_window(rng: Rng) -> bytes:
    """3x3 convolution of 1 to 5 channels at stride 1 or 2, as at the start of a network."""
    stride, padding = _int(rng, 1, 2), str(rng.choice(["SAME", "VALID"]))
    h, w, depth, channels = _int(rng, 3, 9), _int(rng, 3, 9), _int(rng, 1, 5), _int(rng, 1, 9)
    x = T((1, h, w, depth), scales=(_scale(rng),), zero_points=(_zero(rng),))
    shape = (channels, 3, 3, depth)
    weights = T(shape, scales=_channel_scales(rng, channels), axis=0, data=_weights(rng, shape))
    options = conv_options((stride, stride), padding, _activation(rng))
    out = (1, _span(h, 3, stride, padding), _span(w, 3, stride, padding), channels)
    return _weighted(rng, x, weights, out, channels, 9 * depth, Op("CONV_2D", [], [], options))


def depthwise_3x3(rng: Rng) -> bytes:
    """3x3 depthwise at stride 1 or 2, down to single pixels, any number of channels."""
    stride, padding = _int(rng, 1, 2), str(rng.choice(["SAME", "SAME", "VALID"]))
    least = 1 if padding == "SAME" else 3
    n, h, w, c = int(rng.choice([1, 1, 2])), _int(rng, least, 9), _int(rng, least, 9), _int(rng, 1, 14)
    x = T((n, h, w, c), scales=(_scale(rng),), zero_points=(_zero(rng),))
    weights = T((1, 3, 3, c), scales=_channel_scales(rng, c), axis=3, data=_weights(rng, (1, 3, 3, c)))
    options = conv_options((stride, stride), padding, _activation(rng), DepthMultiplier=1)
    out = (n, _span(h, 3, stride, padding), _span(w, 3, stride, padding), c)
    return _weighted(rng, x, weights, out, c, 9, Op("DEPTHWISE_CONV_2D", [], [], options))


def long_dense(rng: Rng) -> bytes:
    """Fully connected with up to 200 features."""
    batches, features, units = _int(rng, 1, 3), _int(rng, 1, 200), _int(rng, 1, 20)
    x = T((batches, features), scales=(_scale(rng),), zero_points=(_zero(rng),))
    weights = T((units, features), scales=(_scale(rng, 1e-4, 0.05),), data=_weights(rng, (units, features)))
    op = Op("FULLY_CONNECTED", [], [], {"FusedActivationFunction": _activation(rng)})
    return _weighted(rng, x, weights, (batches, units), units, features, op)


def longest_dense(rng: Rng) -> bytes:
    """Fully connected with more features than are widened at once."""
    batches, features, units = _int(rng, 1, 2), _int(rng, 513, 700), _int(rng, 1, 7)
    x = T((batches, features), scales=(_scale(rng),), zero_points=(_zero(rng),))
    scales = (_scale(rng, 1e-4, 0.05),) if rng.random() < 0.5 else _channel_scales(rng, units)
    weights = T((units, features), scales=scales, data=_weights(rng, (units, features)))
    op = Op("FULLY_CONNECTED", [], [], {"FusedActivationFunction": _activation(rng)})
    return _weighted(rng, x, weights, (batches, units), units, features, op)


def equal_add(rng: Rng) -> bytes:
    """ADD of two tensors of one shape, without an activation."""
    shape = (1, _int(rng, 1, 5), _int(rng, 1, 5), _int(rng, 1, 9))
    inputs = [T(shape, scales=(_scale(rng),), zero_points=(_zero(rng),)) for _ in range(2)]
    factor = 2.0 ** _int(rng, -3, 5) if rng.random() < 0.33 else float(np.exp(rng.uniform(-3, 5)))
    out = T(shape, scales=(max(t.scales[0] for t in inputs) * factor,), zero_points=(_zero(rng),))
    options = {"FusedActivationFunction": "NONE"}
    return build_tflite([*inputs, out], [Op("ADD", [0, 1], [2], options)], [0, 1], [2])


def image_mean(rng: Rng) -> bytes:
    """MEAN over height and width of up to 1,600 pixels."""
    side = int(rng.choice([8, 40]))
    shape = (_int(rng, 1, 2), _int(rng, 1, side), _int(rng, 1, side), 4 * _int(rng, 1, 4))
    x = T(shape, scales=(_scale(rng),), zero_points=(_zero(rng),))
    y = T(
        (shape[0], shape[3]),
        scales=(x.scales[0] * float(np.exp(rng.uniform(-3, 1))),),
        zero_points=(_zero(rng),),
    )
    axis = T((2,), "int32", data=np.array([1, 2], np.int32))
    return build_tflite([x, axis, y], [Op("MEAN", [0, 1], [2], {"KeepDims": False})], [0], [2])


def placed_image(rng: Rng) -> bytes:
    """A convolution over an image and constant planes, most of which change along one direction only."""
    stride, padding, k = _int(rng, 1, 2), str(rng.choice(["SAME", "VALID"])), int(rng.choice([1, 3, 3, 5]))
    h, w, channels = _int(rng, k, 11), _int(rng, k, 11), _int(rng, 1, 9)
    quantization = {"scales": (_scale(rng),), "zero_points": (_zero(rng),)}
    sizes = [(h, w), (h, 1), (1, w), (1, 1)]
    planes = [
        rng.integers(-128, 128, (1, *sizes[_int(rng, int(rng.random() < 0.75), 3)], 1))
        for _ in range(_int(rng, 1, 3))
    ]
    constant = np.concatenate([np.broadcast_to(p, (1, h, w, 1)) for p in planes], axis=3).astype(np.int8)
    runtime, front = _int(rng, 1, 2), rng.random() < 0.5
    x = T((1, h, w, runtime), **quantization)
    baked = T(constant.shape, **quantization, data=constant)
    depth = runtime + len(planes)
    joined = T((1, h, w, depth), **quantization)
    shape = (channels, k, k, depth)
    weights = T(shape, scales=_channel_scales(rng, channels), axis=0, data=_weights(rng, shape))
    out_shape = (1, _span(h, k, stride, padding), _span(w, k, stride, padding), channels)
    scale = _out_scale(rng, x.scales[0], weights.scales[0], k * k * depth)
    out = T(out_shape, scales=(scale,), zero_points=(_zero(rng),))
    bias_scales = tuple(float(np.float32(x.scales[0]) * np.float32(s)) for s in weights.scales)
    bias = T((channels,), "int32", bias_scales, data=_bias(rng, channels))
    operators = [
        Op("CONCATENATION", [1, 0] if front else [0, 1], [2], {"Axis": 3}),
        Op("CONV_2D", [2, 3, 5], [4], conv_options((stride, stride), padding, _activation(rng))),
    ]
    return build_tflite([x, baked, joined, weights, out, bias], operators, [0], [4])


def ties(rng: Rng) -> bytes:
    """Small sums times a power of two in every channel: half of the outputs lie on ties, negative ones included."""
    side, channels, depth = _int(rng, 1, 4), _int(rng, 1, 8), _int(rng, 1, 6)
    factor = 2.0 ** _int(rng, 2, 6)
    is_depthwise = rng.random() < 0.5
    shape = (1, 3, 3, channels) if is_depthwise else (channels, 1, 1, depth)
    x = T(
        (1, side, side, channels if is_depthwise else depth),
        scales=(1 / 64,),
        zero_points=(_int(rng, -9, 9),),
    )
    weights = T(
        shape,
        scales=(1 / 32,),
        axis=3 if is_depthwise else 0,
        data=rng.integers(-2, 3, shape).astype(np.int8),
    )
    y = T((1, side, side, channels), scales=(factor / 2048,), zero_points=(_int(rng, -20, 20),))
    bias = T((channels,), "int32", (1 / 2048,), data=rng.integers(-40, 40, channels).astype(np.int32))
    options = conv_options((1, 1), "SAME", str(rng.choice(["NONE", "NONE", "RELU"])))
    if is_depthwise:
        options["DepthMultiplier"] = 1
    op = Op("DEPTHWISE_CONV_2D" if is_depthwise else "CONV_2D", [0, 1, 3], [2], options)
    return build_tflite([x, weights, y, bias], [op], [0], [2])


CORTEX_M4_OPS: dict[str, Callable[[Rng], bytes]] = {
    "depthwise_3x3": depthwise_3x3,
    "equal_add": equal_add,
    "image_mean": image_mean,
    "image_window": image_window,
    "long_dense": long_dense,
    "longest_dense": longest_dense,
    "many_channels": many_channels,
    "placed_image": placed_image,
    "ties": ties,
}
"""Shapes that the Cortex-M4 kernels are made for."""
