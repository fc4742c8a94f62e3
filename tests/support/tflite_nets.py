"""Whole quantised networks with random weights, written without TensorFlow."""

from __future__ import annotations

import numpy as np
from support.tflite_builder import Op, T, build_tflite, conv_options


class NetBuilder:
    """Grows a sequential int8 graph; scales are chosen so that activations fill about the int8 range."""

    def __init__(self, shape: tuple[int, ...], scale: float = 1 / 128, zero_point: int = 0, seed: int = 1):
        self.rng = np.random.default_rng(seed)
        self.tensors: list[T] = [T(shape, scales=(scale,), zero_points=(zero_point,), name="image")]
        self.operators: list[Op] = []
        self.last = 0

    def _add(self, tensor: T) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def emit(self, code: str, inputs: list[int], output: T, **options: object) -> int:
        """Append an operator; returns the index of its output, which becomes `last`."""
        index = self._add(output)
        self.operators.append(Op(code, inputs, [index], dict(options)))
        self.last = index
        return index

    def constant(self, data: np.ndarray, scales: tuple[float, ...] = (), axis: int = 0) -> int:
        """Append a constant tensor."""
        return self._add(T(data.shape, str(data.dtype), scales, (0,) * len(scales), axis, data))

    def _weights(self, shape: tuple[int, ...], axis: int, fan_in: int) -> tuple[int, tuple[float, ...]]:
        scales = tuple((self.rng.uniform(0.5, 1.5, shape[axis]) / (64 * np.sqrt(fan_in))).tolist())
        return self.constant(self.rng.integers(-127, 128, shape).astype(np.int8), scales, axis), scales

    def _bias(self, channels: int, weight_scales: tuple[float, ...]) -> int:
        scales = tuple(s * self.tensors[self.last].scales[0] for s in weight_scales)
        return self.constant(self.rng.integers(-2000, 2000, channels).astype(np.int32), scales)

    def conv(
        self,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        activation: str = "RELU6",
        padding: str = "SAME",
    ) -> int:
        """CONV_2D with per-channel weights and a bias."""
        _, h, w, c = self.tensors[self.last].shape
        weights, scales = self._weights((channels, kernel, kernel, c), 0, kernel * kernel * c)
        bias = self._bias(channels, scales)
        options = conv_options((stride, stride), padding, activation)
        out = self._activation(h, w, channels, kernel, stride, padding, activation)
        return self.emit("CONV_2D", [self.last, weights, bias], out, **options)

    def depthwise(
        self, stride: int = 1, kernel: int = 3, activation: str = "RELU6", padding: str = "SAME"
    ) -> int:
        """DEPTHWISE_CONV_2D with multiplier 1."""
        _, h, w, c = self.tensors[self.last].shape
        weights, scales = self._weights((1, kernel, kernel, c), 3, kernel * kernel)
        bias = self._bias(c, scales)
        options = conv_options((stride, stride), padding, activation, DepthMultiplier=1)
        out = self._activation(h, w, c, kernel, stride, padding, activation)
        return self.emit("DEPTHWISE_CONV_2D", [self.last, weights, bias], out, **options)

    def _activation(
        self, h: int, w: int, c: int, kernel: int, stride: int, padding: str, activation: str
    ) -> T:
        if padding == "SAME":
            shape = (1, -(-h // stride), -(-w // stride), c)
        else:
            shape = (1, (h - kernel) // stride + 1, (w - kernel) // stride + 1, c)
        scale = 6 / 255 if activation == "RELU6" else 0.03
        return T(shape, scales=(scale,), zero_points=(-128 if activation != "NONE" else 3,))

    def dense(self, units: int, activation: str = "NONE") -> int:
        """FULLY_CONNECTED with per-tensor weights."""
        n = self.tensors[self.last].shape[-1]
        scale = float(1 / (10 * np.sqrt(n)))  # large weights, so that different images have different outputs
        weights = self.constant(self.rng.integers(-127, 128, (units, n)).astype(np.int8), (scale,))
        bias = self._bias(units, (scale,))
        return self.emit(
            "FULLY_CONNECTED", [self.last, weights, bias], T((1, units), scales=(0.02,), zero_points=(-5,)),
            FusedActivationFunction=activation,
        )  # fmt: skip

    def mean(self) -> int:
        """Global average over height and width."""
        t = self.tensors[self.last]
        axes = self.constant(np.array([1, 2], np.int32))
        out = T((1, t.shape[3]), scales=t.scales, zero_points=t.zero_points)
        return self.emit("MEAN", [self.last, axes], out, KeepDims=False)

    def add(self, other: int) -> int:
        """ADD of the last tensor and another."""
        shape = self.tensors[self.last].shape
        out = T(shape, scales=(0.04,), zero_points=(-2,))
        return self.emit("ADD", [other, self.last], out, FusedActivationFunction="NONE")

    def build(self, outputs: list[int] | None = None) -> bytes:
        """The .tflite bytes."""
        return build_tflite(self.tensors, self.operators, [0], outputs or [self.last])


def tinytracker_s(seed: int = 1, dequantize: bool = True, ramps: bool = False) -> bytes:
    """The layers of the published TinyTrackerS graph (5,229,184 MACs), random weights.

    Its second input, the position of each pixel, is random too, or `ramps` along x and y as in the published file.
    """
    net = NetBuilder((1, 96, 96, 1), 0.00704843, -5, seed)
    grid = net.rng.integers(-128, 128, (1, 96, 96, 2)).astype(np.int8)
    if ramps:
        ramp = np.linspace(-19, 9, 96).astype(np.int8)
        grid = np.stack(np.broadcast_arrays(ramp[None, :], ramp[:, None]), axis=-1)[None]
    baked = net.constant(grid, (0.00704843,))
    net.tensors[baked].zero_points = (-5,)
    net.emit("CONCATENATION", [0, baked], T((1, 96, 96, 3), scales=(0.00704843,), zero_points=(-5,)), Axis=-1)
    net.conv(8, 3, 2)
    net.conv(8)
    net.depthwise(2)
    net.conv(8, activation="NONE")
    for expand, stride, out in ((96, 2, 16), (144, 1, 24), (192, 2, 32), (384, 1, 64)):
        net.conv(expand)
        net.depthwise(stride)
        net.conv(out, activation="NONE")
    net.conv(128)
    net.mean()
    net.dense(64, "RELU")
    net.dense(2)
    net.emit("TANH", [net.last], T((1, 2), scales=(1 / 128,), zero_points=(0,)))
    if dequantize:
        net.emit("DEQUANTIZE", [net.last], T((1, 2), "float32"))
    return net.build()


def tinytracker(seed: int = 1) -> bytes:
    """The layers of the published TinyTracker graph (16,815,360 MACs), random weights."""
    net = NetBuilder((1, 128, 128, 5), seed=seed)
    net.conv(3, activation="NONE")
    net.conv(16, 3, 2, "RELU")
    blocks = (
        (16, 16, 2), (72, 24, 2), (88, 24, 1), (96, 40, 2), (240, 40, 1), (240, 40, 1), (120, 48, 1), (144, 48, 1),
        (288, 96, 2), (576, 96, 1), (576, 96, 1),
    )  # fmt: skip
    for i, (expanded, filters, stride) in enumerate(blocks):
        shortcut = net.last
        if i > 0:
            net.conv(expanded, activation="RELU")
        net.depthwise(stride, activation="RELU")
        net.conv(filters, activation="NONE")
        if net.tensors[shortcut].shape == net.tensors[net.last].shape:
            net.add(shortcut)
    net.conv(576, activation="RELU")
    net.conv(2, activation="NONE")
    last = net.tensors[net.last]
    flat = T((1, 32), scales=last.scales, zero_points=last.zero_points)
    net.emit("RESHAPE", [net.last], flat, NewShape=[1, 32])
    net.dense(128, "RELU")
    net.dense(2)
    net.emit("TANH", [net.last], T((1, 2), scales=(1 / 128,), zero_points=(0,)))
    return net.build()
