"""Small networks that have brought a runtime down, or let a comparison overlook something."""

from __future__ import annotations

import numpy as np
from support.tflite_builder import Op, T, build_tflite, conv_options

PROBABILITY = {"scales": (1 / 256,), "zero_points": (-128,)}


def one_operator(code: str, given: T, answer: T, version: int = 0, **options: object) -> bytes:
    """A network of one operator with one input and one output."""
    return build_tflite([given, answer], [Op(code, [0], [1], options, version)], [0], [1])


def softmax(classes: int = 8, scale: float = 0.1, beta: float = 1.0) -> bytes:
    """SOFTMAX; TFLM aborts from 512 equal classes on, and every TensorFlow Lite when the scale is nearly 0."""
    return one_operator(
        "SOFTMAX", T((1, classes), scales=(scale,)), T((1, classes), **PROBABILITY), Beta=beta
    )


def logistic(scale: float = 1 / 256, zero_point: int = -128) -> bytes:
    """LOGISTIC; TensorFlow Lite refuses any other output scale and zero point."""
    return one_operator(
        "LOGISTIC", T((1, 8), scales=(0.1,)), T((1, 8), scales=(scale,), zero_points=(zero_point,))
    )


def added(scales: tuple[float, float], out: float, names: tuple[str, str] = ("", "")) -> bytes:
    """ADD of two inputs of these scales."""
    tensors = [
        T((1, 8), scales=(s,), name=name) for s, name in zip((*scales, out), (*names, ""), strict=True)
    ]
    return build_tflite(tensors, [Op("ADD", [0, 1], [2])], [0, 1], [2])


def dense(units: int = 16, per_channel: bool = True, shape: tuple[int, ...] = (1, 16)) -> bytes:
    """FULLY_CONNECTED with one weight scale per channel, as newer converters write it, or with one."""
    rng = np.random.default_rng(3)
    scales = tuple(rng.uniform(0.001, 0.01, units if per_channel else 1).astype(np.float32).tolist())
    weights = rng.integers(-127, 128, (units, shape[-1])).astype(np.int8)
    bias = rng.integers(-500, 500, units).astype(np.int32)
    tensors = [
        T(shape, scales=(0.05,)),
        T(weights.shape, scales=scales, data=weights),
        T(bias.shape, "int32", tuple(0.05 * s for s in scales), data=bias),
        T((*shape[:-1], units), scales=(0.1,)),
    ]
    options = {"KeepNumDims": len(shape) > 2}
    return build_tflite(tensors, [Op("FULLY_CONNECTED", [0, 1, 2], [3], options)], [0], [3])


def convolution(stride: int, side: int = 4) -> bytes:
    """CONV_2D with a large stride: one output position."""
    weights = np.arange(-9, 9, dtype=np.int8).reshape(2, 3, 3, 1)
    tensors = [
        T((1, side, side, 1), scales=(0.05,)),
        T(weights.shape, scales=(0.02, 0.03), data=weights),
        T((2,), "int32", (0.001, 0.0015), data=np.array([5, -5], np.int32)),
        T((1, 1, 1, 2), scales=(0.1,)),
    ]
    return build_tflite(tensors, [Op("CONV_2D", [0, 1, 2], [3], conv_options((stride, stride)))], [0], [3])


def two_outputs(logistic_at: int, code: str = "LOGISTIC") -> bytes:
    """A QUANTIZE that every runtime computes alike, and a LOGISTIC that TFLM rounds otherwise than TensorFlow Lite.

    Args:
        logistic_at: position of the LOGISTIC among the two outputs.
        code: an operator that is there instead of it.
    """
    tensors = [T((1, 64), scales=(1 / 128,)), T((1, 64), scales=(0.1,)), T((1, 64), **PROBABILITY)]
    operators = [Op("QUANTIZE", [0], [1]), Op(code, [0], [2])]
    return build_tflite(tensors, operators, [0], [1, 2] if logistic_at == 1 else [2, 1])


def wide_activations(side: int = 96, channels: int = 16) -> bytes:
    """A file of less than a kilobyte whose activations take a hundred times that."""
    weights = np.ones((channels, 1, 1, 1), np.int8)
    tensors = [
        T((1, side, side, 1), scales=(0.05,)),
        T(weights.shape, scales=(0.02,) * channels, data=weights),
        T((channels,), "int32", (0.001,) * channels, data=np.zeros(channels, np.int32)),
        T((1, side, side, channels), scales=(0.1,)),
    ]
    return build_tflite(tensors, [Op("CONV_2D", [0, 1, 2], [3], conv_options())], [0], [3])


def batch(frames: int) -> bytes:
    """A network whose file fixes a batch of several frames."""
    weights = np.arange(-8, 8, dtype=np.int8).reshape(4, 4)
    tensors = [
        T((frames, 4), scales=(1 / 128,)),
        T(weights.shape, scales=(0.02,), data=weights),
        T((4,), "int32", (0.02 / 128,), data=np.zeros(4, np.int32)),
        T((frames, 4), scales=(0.01,)),
    ]
    return build_tflite(tensors, [Op("FULLY_CONNECTED", [0, 1, 2], [3])], [0], [3])


def running_sum() -> bytes:
    """SVDF of rank 1 over 4 time steps: each output depends on the frames before it."""
    rng = np.random.default_rng(1)
    tensors = [
        T((1, 3), scales=(0.05,)),
        T((2, 3), scales=(0.02,), data=rng.integers(-100, 100, (2, 3)).astype(np.int8)),
        T((2, 4), "int16", (0.001,), data=rng.integers(-9000, 9000, (2, 4)).astype(np.int16)),
        T((2,), "int32", (1e-5,), data=np.zeros(2, np.int32)),
        T((1, 8), "int16", (0.01,), is_variable=True),
        T((1, 2), scales=(0.05,)),
    ]
    options = {"Rank": 1, "FusedActivationFunction": "RELU"}
    svdf = Op("SVDF", [0, 1, 2, 3, 4], [5], options, version=3, options_class="SVDFOptions")
    return build_tflite(tensors, [svdf], [0], [5])


def packed() -> bytes:
    """PACK and EXPAND_DIMS, whose operators an application has to register too."""
    where = T((1,), "int32", data=np.array([1], np.int32))
    tensors = [T((1, 8), scales=(0.1,)), where, T((1, 1, 8), scales=(0.1,)), T((2, 1, 1, 8), scales=(0.1,))]
    pack = Op("PACK", [2, 2], [3], {"ValuesCount": 2, "Axis": 0}, version=1)
    return build_tflite(tensors, [Op("EXPAND_DIMS", [0, 1], [2], version=1), pack], [0], [3])
