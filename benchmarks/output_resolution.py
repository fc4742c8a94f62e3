"""Measure the cost of rounding the output, for each way in which an INT8 network can output a gaze.

The dots are a grid over the screen of each of GazeCapture's 15 devices in all 4 orientations. "BUILTIN_REF": a last
layer of 128 hidden units with random weights is written as .tflite and run by TensorFlow Lite's reference kernels on
hidden vectors that represent the dots; its output is compared with the exact one for the same INT8 weights.
"computed": an ideal network is assumed, and only its output is rounded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from common import SUPPORT, write_csv

from tinytracker.arrays import Floats

sys.path.insert(0, str(SUPPORT))
from support.tflite_builder import Op, T, build_tflite

from tinytracker.data.devices import DEVICES, Orientation
from tinytracker.interpreters.tflite import ReferenceInterpreter
from tinytracker.model.output import LIMIT_CM, OUTPUT_SCALE, GazeOutput

HIDDEN = 128
HIDDEN_SCALE = 6 / 255
GRID = 20
LEVELS = 255


def dots() -> Floats:
    """Return (N, 2) cm: GRID x GRID dots on each screen in each orientation."""
    at = (np.arange(GRID) + 0.5) / GRID
    x, y = (a.ravel() for a in np.meshgrid(at, at))
    return np.concatenate([d.to_camera_cm(x, y, 1, 1, o) for d in DEVICES.values() for o in Orientation])


class Head:
    """A last layer with INT8 weights, and hidden vectors for which it should output the dots."""

    def __init__(self, wanted: Floats) -> None:
        rng = np.random.default_rng(0)
        self.weights = rng.integers(-127, 128, (HIDDEN, 2))
        self.scale = 0.6 / 127
        per_code = self.weights * self.scale * HIDDEN_SCALE
        middle = rng.normal(128, 30, (len(wanted), HIDDEN))
        self.bias = -(128 * per_code).sum(0)
        missing = wanted - middle @ per_code - self.bias
        hidden = middle + missing @ np.linalg.pinv(per_code)
        self.codes = np.clip(np.rint(hidden), 0, 255).astype(np.int64) - 128
        self.exact: Floats = (self.codes + 128) @ per_code + self.bias

    def run(self, kernel_gain: float, offsets: Floats, units: int, scale: float, zero: int, act: str) -> Any:
        """Return integer outputs (N, len(offsets)): each axis `units` times with other biases, kernel times a gain."""
        kernel = np.repeat(self.weights.T, units, axis=0).astype(np.int8)
        weight_scale = self.scale * kernel_gain
        bias = np.rint(offsets / (weight_scale * HIDDEN_SCALE)).astype(np.int32)
        n, outputs = len(self.codes), len(offsets)
        tensors = [
            T((n, HIDDEN), scales=(HIDDEN_SCALE,), zero_points=(-128,)),
            T(kernel.shape, scales=(weight_scale,), data=kernel),
            T(bias.shape, "int32", (weight_scale * HIDDEN_SCALE,), (0,), data=bias),
            T((n, outputs), scales=(scale,), zero_points=(zero,)),
        ]
        dense = Op("FULLY_CONNECTED", [0, 1, 2], [3], {"FusedActivationFunction": act})
        model = build_tflite(tensors, [dense], [0], [3])
        (codes,) = ReferenceInterpreter(model).run([self.codes.astype(np.int8)[None]])
        return codes[0].astype(np.int64)

    def pair(self, low: Floats, high: Floats) -> Floats:
        """Return one output per axis, with its own range where low and high differ between axes."""
        answer = np.empty_like(self.exact)
        for axis in range(2):
            scale = float(high[axis] - low[axis]) / LEVELS
            zero = round(-128 - low[axis] / scale)
            answer[:, axis] = (self.run(1, self.bias, 1, scale, zero, "NONE")[:, axis] - zero) * scale
        return answer

    def segments(self, count: int) -> Floats:
        """Return segments, as in `tinytracker.model.output`."""
        from tinytracker.quant.contract import GazeDecoding, TensorContract

        output = GazeOutput(count)
        gain = 6 / output.width_cm
        _, offsets = output.expand(np.zeros((HIDDEN, 2), np.float32), self.bias.astype(np.float32))
        raw = self.run(gain, offsets, count, OUTPUT_SCALE, -128, "RELU6")
        contract = TensorContract("gaze", "gaze", (1, 2 * count), "int8", OUTPUT_SCALE, -128)
        return GazeDecoding.of(contract).decode(raw)

    def dithered(self, copies: int) -> Floats:
        """Return copies of the pair with biases a fraction of a step apart; the mean is finer (Hermite's identity)."""
        scale = 2 * LIMIT_CM / LEVELS
        shift = (np.arange(copies) - (copies - 1) / 2) / copies * scale
        raw = self.run(1, (self.bias[:, None] + shift).ravel(), copies, scale, 0, "NONE")
        return scale * raw.reshape(len(raw), 2, copies).mean(-1)


def bins(gaze: Floats, count: int) -> Floats:
    """Return the expectation over bins: an ideal softmax of one bin's width, with probabilities rounded to 1/256."""
    centres = np.linspace(-LIMIT_CM, LIMIT_CM, count)
    width = centres[1] - centres[0]
    probability = np.exp(-((gaze[..., None] - centres) ** 2) / (2 * width**2))
    ideal = probability / probability.sum(-1, keepdims=True)
    rounded = np.clip(np.rint(ideal * 256), 0, 255) / 256
    rounded = rounded / rounded.sum(-1, keepdims=True)
    return gaze + rounded @ centres - ideal @ centres


def coarse_and_fine(gaze: Floats, step: float) -> Floats:
    """Return a coarse value plus a fine one for the remainder, with a margin of a quarter coarse step on each side."""
    coarse = np.rint(gaze / step) * step
    fine = 1.5 * step / LEVELS
    return coarse + np.rint((gaze - coarse) / fine) * fine


def main() -> None:
    """Measure and write the table."""
    wanted = dots()
    head = Head(wanted)
    low, high = wanted.min(0), wanted.max(0)
    limit = np.full(2, LIMIT_CM)
    both = "IMX500, Edge TPU, TFLM, generated C"
    ways: list[tuple[str, int, float, Callable[[Floats], Floats] | Floats, str]] = [
        ("one pair, one scale", 2, 2 * LIMIT_CM / LEVELS, head.pair(-limit, limit), both),
        ("two heads, own scales", 2, float((high - low).max()) / LEVELS, head.pair(low, high), both),
        ("5 segments per axis", 10, 2 * LIMIT_CM / 5 / LEVELS, head.segments(5), both),
        ("8 segments per axis", 16, 2 * LIMIT_CM / 8 / LEVELS, head.segments(8), both),
        ("8 dithered copies", 16, 2 * LIMIT_CM / 8 / LEVELS, head.dithered(8), both),
        ("coarse of 3.5 cm and fine", 4, 1.5 * 3.5 / LEVELS, lambda g: coarse_and_fine(g, 3.5),
         "two layers, the second with the first one's codes"),
        ("17 bins per axis, softmax", 34, float("nan"), lambda g: bins(g, 17), "softmax off the device"),
        ("33 bins per axis, softmax", 66, float("nan"), lambda g: bins(g, 33), "softmax off the device"),
        ("one pair, 16 bits", 2, 2 * LIMIT_CM / 65535,
         lambda g: np.rint(g * 65535 / (2 * LIMIT_CM)) / 65535 * 2 * LIMIT_CM, "IMX500 only"),
    ]  # fmt: skip
    rows = []
    for name, outputs, step, answer, targets in ways:
        measured = not callable(answer)
        error = answer - head.exact if isinstance(answer, np.ndarray) else answer(wanted) - wanted
        distance = np.linalg.norm(error, axis=1)
        rows.append({
            "way": name, "outputs": outputs, "extra_parameters": (outputs - 2) * (HIDDEN + 1),
            "extra_macs": (outputs - 2) * HIDDEN, "step_cm": round(step, 5),
            "rms_cm": round(float(np.sqrt((distance**2).mean())), 5), "max_cm": round(float(distance.max()), 5),
            "dots": len(wanted), "evidence": "BUILTIN_REF" if measured else "computed", "runs_on": targets,
        })  # fmt: skip
        print(f"{name:28s} rms {rows[-1]['rms_cm']:.4f} max {rows[-1]['max_cm']:.4f} cm")
    print(f"range of the dots: x {low[0]:.1f} to {high[0]:.1f}, y {low[1]:.1f} to {high[1]:.1f} cm")
    write_csv("output_resolution", rows, ("numpy", "tensorflow"))


if __name__ == "__main__":
    main()
