"""One-operator networks, at random, of the operators that compare, convert, move and resize."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from support.random_ops import Rng, _int, _scale, _zero
from support.tflite_builder import Op, T, build_tflite

PLAIN = ("int32", "float32")


def _shape(rng: Rng, low: int = 1, high: int = 4, size: int = 5) -> tuple[int, ...]:
    return tuple(_int(rng, 1, size) for _ in range(_int(rng, low, high)))


def _numbers(rng: Rng, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    if dtype == "float32":
        return rng.normal(0, 3, shape).astype(np.float32)
    if dtype == "int8":
        return rng.integers(-128, 128, shape).astype(np.int8)
    return rng.integers(-1000, 1000, shape).astype(dtype)


def _ints(*values: int) -> T:
    return T((len(values),), "int32", data=np.array(values, np.int32))


def _movable(rng: Rng) -> dict:
    """Type and quantization of a tensor that is only moved."""
    dtype = str(rng.choice(["int8", "int8", "int8", "uint8", "int32", "int64", "float32"]))
    if dtype not in ("int8", "uint8"):
        return {"dtype": dtype}
    return {"dtype": dtype, "scales": (_scale(rng),), "zero_points": (_zero(rng) + 128 * (dtype == "uint8"),)}


def _pair_shapes(rng: Rng) -> list[tuple[int, ...]]:
    shape = _shape(rng)
    shapes = [shape, shape]
    if rng.random() < 0.5:
        side = _int(rng, 0, 1)
        shapes[side] = tuple(1 if rng.random() < 0.5 else n for n in shape)[_int(rng, 0, len(shape) - 1) :]
    return shapes


def resize_bilinear(rng: Rng) -> bytes:
    return _resize(rng, "RESIZE_BILINEAR")


def resize_nearest(rng: Rng) -> bytes:
    return _resize(rng, "RESIZE_NEAREST_NEIGHBOR")


def _resize(rng: Rng, code: str) -> bytes:
    n, h, w, c = _int(rng, 1, 2), _int(rng, 1, 9), _int(rng, 1, 9), _int(rng, 1, 4)
    out_h, out_w = (int(rng.choice([_int(rng, 1, 20), 2 * side])) for side in (h, w))
    align, half = [(False, False), (True, False), (False, True)][_int(rng, 0, 2)]
    quantization = {"scales": (_scale(rng),), "zero_points": (_zero(rng),)}
    tensors = [T((n, h, w, c), **quantization), _ints(out_h, out_w), T((n, out_h, out_w, c), **quantization)]
    options = {"AlignCorners": align, "HalfPixelCenters": half}
    return build_tflite(tensors, [Op(code, [0, 1], [2], options, 3)], [0], [2])


def _arg(rng: Rng, code: str) -> bytes:
    dtype = str(rng.choice(["int8", "int8", "uint8", "float32"]))
    shape = _shape(rng)
    axis = _int(rng, 0, len(shape) - 1)
    wide = rng.random() < 0.4
    quantization = {"scales": (_scale(rng),), "zero_points": (0,)} if dtype != "float32" else {}
    out = T(shape[:axis] + shape[axis + 1 :], "int64" if wide else "int32")
    written = axis - len(shape) if rng.random() < 0.3 else axis
    where = T((), "int32", data=np.array(written, np.int32))
    op = Op(code, [0, 1], [2], {"OutputType": 4 if wide else 2})
    return build_tflite([T(shape, dtype, **quantization), where, out], [op], [0], [2])


def arg_max(rng: Rng) -> bytes:
    return _arg(rng, "ARG_MAX")


def arg_min(rng: Rng) -> bytes:
    return _arg(rng, "ARG_MIN")


def _extreme(rng: Rng, code: str) -> bytes:
    shapes = _pair_shapes(rng)
    dtype = str(rng.choice(["int8", "int8", "int8", *PLAIN]))
    quantization = {"scales": (_scale(rng),), "zero_points": (_zero(rng),)} if dtype == "int8" else {}
    inputs = [T(shape, dtype, **quantization) for shape in shapes]
    constant = _int(rng, 0, 3)
    if constant < 2:
        inputs[constant].data = _numbers(rng, dtype, shapes[constant])
    out = T(np.broadcast_shapes(*shapes), dtype, **quantization)
    read = [i for i, t in enumerate(inputs) if t.data is None]
    return build_tflite([*inputs, out], [Op(code, [0, 1], [2])], read, [2])


def maximum(rng: Rng) -> bytes:
    return _extreme(rng, "MAXIMUM")


def minimum(rng: Rng) -> bytes:
    return _extreme(rng, "MINIMUM")


def cast(rng: Rng) -> bytes:
    types = ["int8", "uint8", "int32", "int64", "float32"]
    source, target = str(rng.choice(types)), str(rng.choice(types))
    shape = _shape(rng)
    if source == "float32" and target != "float32":
        target = "int64"  # random floats fit; beyond the range of the target C++ defines nothing
    return build_tflite([T(shape, source), T(shape, target)], [Op("CAST", [0], [1], {}, 1)], [0], [1])


def _plain(rng: Rng, code: str, types: tuple[str, ...] = PLAIN, version: int = 1) -> bytes:
    """Two plain tensors; an integer divisor is a constant other than 0."""
    shapes, dtype = _pair_shapes(rng), str(rng.choice(types))
    inputs = [T(shape, dtype) for shape in shapes]
    if dtype == "int32" and code in ("DIV", "FLOOR_DIV"):
        inputs[1].data = rng.choice([-1, 1, 3, -7, 48, 1000], shapes[1]).astype(np.int32)
    elif rng.random() < 0.5:
        inputs[1].data = _numbers(rng, dtype, shapes[1])
    read = [i for i, t in enumerate(inputs) if t.data is None]
    options = {} if code == "FLOOR_DIV" else {"FusedActivationFunction": "NONE"}
    out = T(np.broadcast_shapes(*shapes), dtype)
    return build_tflite([*inputs, out], [Op(code, [0, 1], [2], options, version)], read, [2])


def div(rng: Rng) -> bytes:
    return _plain(rng, "DIV")


def floor_div(rng: Rng) -> bytes:
    return _plain(rng, "FLOOR_DIV", ("int32",))


def plain_add(rng: Rng) -> bytes:
    return _plain(rng, "ADD")


def plain_sub(rng: Rng) -> bytes:
    return _plain(rng, "SUB")


def plain_mul(rng: Rng) -> bytes:
    return _plain(rng, "MUL")


def leaky_relu(rng: Rng) -> bytes:
    x = T((1, 256), scales=(_scale(rng),), zero_points=(_zero(rng),))
    factor = 2.0 ** _int(rng, -2, 2) if rng.random() < 0.33 else float(np.exp(rng.uniform(-2, 2)))
    y = T((1, 256), scales=(x.scales[0] * factor,), zero_points=(_zero(rng),))
    alpha = float(rng.choice([0.0, 0.1, 0.2, 0.25, 1.5, rng.uniform(0, 1)]))
    return build_tflite([x, y], [Op("LEAKY_RELU", [0], [1], {"Alpha": alpha})], [0], [1])


def prelu(rng: Rng) -> bytes:
    shape = _shape(rng)
    slopes = tuple(1 if rng.random() < 0.5 else n for n in shape)[_int(rng, 0, len(shape) - 1) :]
    x = T(shape, scales=(_scale(rng),), zero_points=(_zero(rng),))
    alpha = T(
        slopes,
        scales=(_scale(rng, 1e-3, 0.02),),
        zero_points=(_zero(rng),),
        data=_numbers(rng, "int8", slopes),
    )
    y = T(shape, scales=(x.scales[0] * float(np.exp(rng.uniform(-2, 2))),), zero_points=(_zero(rng),))
    return build_tflite([x, alpha, y], [Op("PRELU", [0, 1], [2], {}, 1)], [0], [2])


def sub(rng: Rng) -> bytes:
    shapes = _pair_shapes(rng)
    scales = [_scale(rng), _scale(rng)]
    if rng.random() < 0.33:
        scales[1] = scales[0] * 2.0 ** _int(rng, -4, 4)
    inputs = [
        T(s, scales=(scale,), zero_points=(_zero(rng),)) for s, scale in zip(shapes, scales, strict=True)
    ]
    constant = _int(rng, 0, 3)
    if constant < 2:
        inputs[constant].data = _numbers(rng, "int8", shapes[constant])
    factor = 2.0 ** _int(rng, -3, 5) if rng.random() < 0.33 else float(np.exp(rng.uniform(-3, 5)))
    out = T(np.broadcast_shapes(*shapes), scales=(max(scales) * factor,), zero_points=(_zero(rng),))
    activation = str(rng.choice(["NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1"]))
    read = [i for i, t in enumerate(inputs) if t.data is None]
    op = Op("SUB", [0, 1], [2], {"FusedActivationFunction": activation})
    return build_tflite([*inputs, out], [op], read, [2])


def transpose(rng: Rng) -> bytes:
    shape, kind = _shape(rng, 1, 5), _movable(rng)
    order = rng.permutation(len(shape)).astype(np.int32)
    out = tuple(shape[i] for i in order)
    tensors = [T(shape, **kind), T((len(shape),), "int32", data=order), T(out, **kind)]
    return build_tflite(tensors, [Op("TRANSPOSE", [0, 1], [2])], [0], [2])


def cut(rng: Rng) -> bytes:
    """SLICE."""
    shape, kind = _shape(rng), _movable(rng)
    begin = [_int(rng, 0, n - 1) for n in shape]
    size = [_int(rng, 1, n - b) for n, b in zip(shape, begin, strict=True)]
    written = [
        -1 if b + s == n and rng.random() < 0.5 else s for b, s, n in zip(begin, size, shape, strict=True)
    ]
    tensors = [T(shape, **kind), _ints(*begin), _ints(*written), T(tuple(size), **kind)]
    return build_tflite(tensors, [Op("SLICE", [0, 1, 2], [3])], [0], [3])


def strided_slice(rng: Rng) -> bytes:
    shape, kind = _shape(rng, size=6), _movable(rng)
    begin, end, step, out = [], [], [], []
    masks = {"BeginMask": 0, "EndMask": 0, "ShrinkAxisMask": 0}
    for axis, n in enumerate(shape):
        while True:
            first, last, by = (
                _int(rng, -n - 1, n + 1),
                _int(rng, -n - 1, n + 1),
                int(rng.choice([1, 1, 2, 3, -1, -2])),
            )
            open_first, open_last = rng.random() < 0.3, rng.random() < 0.3
            picked = range(n)[(None if open_first else first) : (None if open_last else last) : by]
            if len(picked):
                break
        if rng.random() < 0.2:
            first, by, open_first, open_last = _int(rng, -n, n - 1), 1, False, False
            last = first + 1
            masks["ShrinkAxisMask"] |= 1 << axis
        else:
            out.append(len(picked))
        masks["BeginMask"] |= open_first << axis
        masks["EndMask"] |= open_last << axis
        begin, end, step = [*begin, first], [*end, last], [*step, by]
    tensors = [T(shape, **kind), _ints(*begin), _ints(*end), _ints(*step), T(tuple(out), **kind)]
    return build_tflite(tensors, [Op("STRIDED_SLICE", [0, 1, 2, 3], [4], masks)], [0], [4])


def pack(rng: Rng) -> bytes:
    shape, kind, count = _shape(rng, 1, 3), _movable(rng), _int(rng, 1, 4)
    axis = _int(rng, 0, len(shape))
    tensors = [T(shape, **kind) for _ in range(count)]
    if count > 1 and rng.random() < 0.5:
        tensors[-1].data = rng.integers(0, 100, shape).astype(kind["dtype"])
    out = (*shape[:axis], count, *shape[axis:])
    written = axis - len(out) if rng.random() < 0.3 else axis
    op = Op("PACK", list(range(count)), [count], {"ValuesCount": count, "Axis": written})
    return build_tflite(
        [*tensors, T(out, **kind)], [op], [i for i, t in enumerate(tensors) if t.data is None], [count]
    )


def unpack(rng: Rng) -> bytes:
    shape, kind = _shape(rng, 2, 4, 4), _movable(rng)
    if kind["dtype"] == "int64":
        kind = {"dtype": "int32"}  # TFLite does not unstack int64
    axis = _int(rng, 0, len(shape) - 1)
    count, part = shape[axis], shape[:axis] + shape[axis + 1 :]
    written = axis - len(shape) if rng.random() < 0.3 else axis
    outputs = list(range(1, count + 1))
    op = Op("UNPACK", [0], outputs, {"Num": count, "Axis": written})
    return build_tflite([T(shape, **kind), *[T(part, **kind) for _ in outputs]], [op], [0], outputs)


def gather_nd(rng: Rng) -> bytes:
    """Constant positions inside the tensor; others stop TFLite."""
    shape = _shape(rng)
    kind = _movable(rng)
    if kind["dtype"] == "uint8":
        kind = {"dtype": "float32"}
    rank, lead = _int(rng, 1, len(shape)), _shape(rng, 1, 2)
    positions = np.stack([rng.integers(0, shape[i], lead) for i in range(rank)], axis=-1).astype(np.int32)
    tensors = [
        T(shape, **kind),
        T(positions.shape, "int32", data=positions),
        T((*lead, *shape[rank:]), **kind),
    ]
    return build_tflite(tensors, [Op("GATHER_ND", [0, 1], [2], {}, 1)], [0], [2])


def sqrt(rng: Rng) -> bytes:
    """Roots of small and large magnitudes: x·x times a constant that spreads them. Below 2^-126 TFLite takes 0."""
    shape = (1, 64)
    spread = np.exp2(rng.uniform(-95, 115, shape)).astype(np.float32)
    tensors = [
        T(shape, "float32"),
        T(shape, "float32"),
        T(shape, "float32", data=spread),
        T(shape, "float32"),
    ]
    tensors.append(T(shape, "float32"))
    none = {"FusedActivationFunction": "NONE"}
    operators = [
        Op("MUL", [0, 0], [1], none, 1), Op("MUL", [1, 2], [3], none, 1), Op("SQRT", [3], [4], {}, 1),
    ]  # fmt: skip
    return build_tflite(tensors, operators, [0], [4])


RANDOM_SELECT: dict[str, Callable[[Rng], bytes]] = {
    f.__name__: f
    for f in (
        resize_bilinear, resize_nearest, arg_max, arg_min, maximum, minimum, cast, div, floor_div, plain_add, plain_sub,
        plain_mul, leaky_relu, prelu, sub, transpose, cut, strided_slice, gather_nd, sqrt, pack,
        unpack,
    )
}  # fmt: skip
"""By a name of its own, each operator that blocked networks of others."""
