"""Networks with an aim whose weights are set by hand: they follow a bright patch on a dark ground, as the trained ones
follow eyes. Real .tflite files, run by real kernels; only what they look for is simple.

The patch is half as wide and a sixth as high as the strip: a quarter of the strip's area. All answers are linear in the
brightness of the picture, so they are exact only at the strip itself, and point in the right direction elsewhere.
"""

from __future__ import annotations

import numpy as np
from support.tflite_builder import T, conv_options
from support.tflite_nets import NetBuilder

from tinytracker.aim.layout import AIM, FINDER, Part
from tinytracker.model.output import GazeOutput

WIDTH, HEIGHT = 192, 64
SHARE = 0.25
CELL = 8
FULL, CODE_SCALE, CODE_ZERO = 6.0, 6 / 255, -128


def patch_net(channels: int = 1) -> bytes:
    """A strip network, 16 gaze codes and 24 of the aim; the gaze is 20 dx, 20 dy cm."""
    net = NetBuilder((1, HEIGHT, WIDTH, channels), 1 / 128, 0)
    rows, columns = HEIGHT // CELL, WIDTH // CELL
    pooled = T((1, rows, columns, channels), scales=(1 / 128,), zero_points=(0,))
    net.emit(
        "AVERAGE_POOL_2D", [0], pooled, Padding="VALID", StrideW=CELL, StrideH=CELL, FilterWidth=CELL,
        FilterHeight=CELL, FusedActivationFunction="NONE",
    )  # fmt: skip
    n = rows * columns * channels
    flat = T((1, n), scales=(1 / 128,), zero_points=(0,))
    net.emit("RESHAPE", [net.last], flat, NewShape=[1, n])
    x = np.tile((np.arange(columns) + 0.5) / columns - 0.5, rows)
    y = np.repeat(((np.arange(rows) + 0.5) / rows - 0.5) / 3, columns)
    ones = np.ones(rows * columns)
    cells = len(ones)
    per_share = {  # of each number: slope over the cells, and the number in the dark
        "dx": (x / (cells * SHARE), 0.0), "dy": (y / (cells * SHARE), 0.0), "ln_scale": (2 * ones / cells, -0.5),
        "roll": (0 * ones, 0.0), "presence": (200 * ones / cells, -8.0),
    }  # fmt: skip
    gaze = [(Part("gaze", 8, -28.0, 28.0), (20 * per_share[axis][0], 0.0)) for axis in ("dx", "dy")]
    assert GazeOutput(8).starts_cm[0] == -28.0
    parts = gaze + [(part, per_share[part.name]) for part in AIM]
    slopes, offsets = _codes(parts)
    _dense(net, np.repeat(slopes / channels, channels, axis=1), offsets)
    return net.build()


def finder_net() -> bytes:
    """A finder: the score of a cell is its brightness; every strip is 30 px of the view wide."""
    net = NetBuilder((1, 72, 96, 1), 1 / 128, 0)
    ones = np.ones(CELL * CELL)
    per_share = {
        "score": (16 * ones / len(ones), -8.0), "dx": (0 * ones, 0.0), "dy": (0 * ones, 0.0),
        "ln_width": (0 * ones, float(np.log(30 / 24))),
    }  # fmt: skip
    slopes, offsets = _codes([(part, per_share[part.name]) for part in FINDER])
    weights, bias, scale = _stored(slopes, offsets)
    kernel = net.constant(weights.reshape(4, CELL, CELL, 1), (scale,) * 4, 0)
    added = net.constant(bias, (scale / 128,) * 4)
    out = T((1, 9, 12, 4), scales=(CODE_SCALE,), zero_points=(CODE_ZERO,))
    net.emit("CONV_2D", [net.last, kernel, added], out, **conv_options((CELL, CELL), "VALID", "RELU6"))
    return net.build()


def patch_frame(x: float, y: float, width: float, size: tuple[int, int] = (320, 240)) -> np.ndarray:
    """(H, W, 3): a bright patch for a strip with this centre and width, px; None of it where it leaves the frame."""
    frame = np.full((size[1], size[0], 3), 8, np.uint8)
    left, top = round(x - width / 4), round(y - width / 12)
    frame[max(top, 0) : max(top + round(width / 6), 0), max(left, 0) : max(left + round(width / 2), 0)] = 230
    return frame


def patch_sequence(count: int = 12, seed: int = 0) -> np.ndarray:
    """(N, 240, 320, 3): a patch that moves, goes away for a while, and comes back elsewhere; a little noise."""
    rng = np.random.default_rng(seed)
    frames = []
    for k in range(count):
        away = count // 2 <= k < count // 2 + count // 6
        x, y = (-500, -500) if away else (140 + 3 * k, 130 - 2 * k)
        frames.append(np.clip(patch_frame(x, y, 160) + rng.integers(-4, 5, (240, 320, 3)), 0, 255))
    return np.stack(frames).astype(np.uint8)


def _codes(parts: list[tuple[Part, tuple[np.ndarray, float]]]) -> tuple[np.ndarray, np.ndarray]:
    """Weights (codes, inputs) per unit of brightness 0 to 1, and offsets (codes,), before relu6."""
    slopes, offsets = [], []
    for part, (slope, dark) in parts:
        gain = FULL / part.width
        slopes += [gain * slope] * part.segments
        offsets += [gain * (dark - start) for start in part.starts]
    return np.array(slopes), np.array(offsets)


def _stored(slopes: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """INT8 weights, INT32 bias and scale for inputs of -1 (dark) to 1."""
    scale = float(np.abs(slopes / 2).max() / 127)
    weights = np.rint(slopes / 2 / scale).astype(np.int8)
    bias = np.rint((offsets + (weights * scale).sum(1)) / (scale / 128)).astype(np.int32)
    return weights, bias, scale


def _dense(net: NetBuilder, slopes: np.ndarray, offsets: np.ndarray) -> None:
    weights, bias, scale = _stored(slopes, offsets)
    kernel, added = net.constant(weights, (scale,)), net.constant(bias, (scale / 128,))
    out = T((1, len(offsets)), scales=(CODE_SCALE,), zero_points=(CODE_ZERO,), name="gaze")
    net.emit("FULLY_CONNECTED", [net.last, kernel, added], out, FusedActivationFunction="RELU6")
