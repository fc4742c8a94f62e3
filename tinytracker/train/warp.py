"""Turning, shifting and zooming training images, with the gaze. Importing this module imports TensorFlow.

A camera that turns by an angle about its optical axis sees the same person turned back by it, and the dot, in the
camera's axes, turned back too. So a crop that is turned is exactly what a turned camera would have given, as long as
the network is not told where in the frame the crop lies. Shifts and zooms are what a detector's box does from frame
to frame; they leave the gaze alone, but in a crop of another width a unit of the network's answer means other cm.
"""

from __future__ import annotations

import math
from dataclasses import replace

import tensorflow as tf

from tinytracker.data.inputs import InputSpec
from tinytracker.train.config import AugmentConfig

MARGIN = 0.125
"""Room around the input that is cut for this, as part of its size on each side; the stored crops have as much."""


def can_warp(spec: InputSpec, config: AugmentConfig) -> bool:
    """True when some change is asked for and the network does not see the position, which would no longer fit."""
    return bool(
        spec.kind != "itracker" and spec.grid == "none" and (config.rotation or config.shift or config.zoom)
    )


def with_room(spec: InputSpec) -> InputSpec:
    """The input to cut for `warp`: the same scale, MARGIN more on each side.

    Raises:
        ValueError: the margin is not a whole number of pixels.
    """
    width, height = spec.width * (1 + 2 * MARGIN), spec.height * (1 + 2 * MARGIN)
    if width != int(width) or height != int(height):
        raise ValueError(f"{spec.width} x {spec.height} cannot be grown by {MARGIN} to whole pixels")
    return replace(spec, width=int(width), height=int(height), margin=MARGIN)


def warp(
    images: tf.Tensor, target: tf.Tensor, seed: tf.Tensor, spec: InputSpec, config: AugmentConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """Turn, shift and zoom each image of a batch differently, and cut the network's input out of it.

    Args:
        images: uint8 or float codes (N, H, W, C) of `with_room(spec)`.
        target: (N, 3), x right and y up in cm, and the cm that a unit of the network's answer means.
        seed: (2,) int64, of this batch.
        spec: of the network.
        config: how much.

    Returns:
        float32 codes (N, spec.height, spec.width, C), bilinear, and the targets (N, 3).
    """
    n = tf.shape(images)[0]

    def uniform(limit: float, stream: int) -> tf.Tensor:
        return tf.random.stateless_uniform([n], seed + [0, stream], -limit, limit)

    angle = uniform(math.radians(config.rotation), 11)
    size = tf.exp(uniform(math.log1p(config.zoom), 12))
    right, down = uniform(config.shift * spec.width, 13), uniform(config.shift * spec.width, 14)
    # Output pixel (u, v) shows the input at centre_in + size * R(angle) ((u, v) - centre_out) + shift.
    cos, sin = size * tf.cos(angle), size * tf.sin(angle)
    u, v = (spec.width - 1) / 2, (spec.height - 1) / 2
    left, top = (images.shape[2] - 1) / 2, (images.shape[1] - 1) / 2
    zero = tf.zeros_like(angle)
    rows = [cos, -sin, left + right - cos * u + sin * v, sin, cos, top + down - sin * u - cos * v, zero, zero]
    turned = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32), transforms=tf.stack(rows, 1),
        output_shape=[spec.height, spec.width], interpolation="BILINEAR", fill_mode="CONSTANT", fill_value=0.0,
    )  # fmt: skip
    # The content turns by -angle in the image, whose axes u and v run against x and y: so does the gaze.
    x, y, unit = tf.unstack(target, axis=1)
    if spec.unit != "cm":
        unit /= size
    gaze = [tf.cos(angle) * x + tf.sin(angle) * y, tf.cos(angle) * y - tf.sin(angle) * x]
    return turned, tf.stack([*gaze, unit], 1)
