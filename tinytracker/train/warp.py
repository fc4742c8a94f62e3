"""Rotation, shift and zoom of training images, with the gaze. Importing this module imports TensorFlow.

When a camera rotates about its optical axis, both the person in the image and the dot in the camera's axes rotate by
the opposite angle. So a rotated crop is exactly what a rotated camera would have recorded, as long as the network does
not see the crop's position in the frame. Shifts and zooms imitate the variation of a detector's box from frame to
frame; they do not change the gaze, but the cm per unit of the network's output depend on the width of the crop.
"""

from __future__ import annotations

import math
from dataclasses import replace

import tensorflow as tf

from tinytracker.data.inputs import InputSpec
from tinytracker.train.config import AugmentConfig

MARGIN = 0.125
"""Margin cut around the input for this, as a fraction of its size on each side; the stored crops include it."""


def can_warp(spec: InputSpec, config: AugmentConfig) -> bool:
    """Return True when a change is enabled and the network has no position input, which would become wrong."""
    return bool(
        spec.kind != "itracker" and spec.grid == "none" and (config.rotation or config.shift or config.zoom)
    )


def with_room(spec: InputSpec) -> InputSpec:
    """Return the input to cut for `warp`: the same scale, extended by MARGIN on each side.

    Raises:
        ValueError: the margin is not a whole number of pixels.
    """
    width, height = spec.width * (1 + 2 * MARGIN), spec.height * (1 + 2 * MARGIN)
    if width != int(width) or height != int(height):
        raise ValueError(f"{spec.width} x {spec.height} extended by {MARGIN} is not a whole number of pixels")
    return replace(spec, width=int(width), height=int(height), margin=MARGIN)


def warp(
    images: tf.Tensor, target: tf.Tensor, seed: tf.Tensor, spec: InputSpec, config: AugmentConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """Rotate, shift and zoom each image of a batch differently, and cut the network's input out of it.

    Args:
        images: uint8 or float codes (N, H, W, C) of `with_room(spec)`.
        target: (N, 3), x right and y up in cm, and the cm per unit of the network's output.
        seed: (2,) int64, of this batch.
        spec: the network's inputs.
        config: strength of each change.

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
    # The content rotates by -angle in the image, whose axes u and v are opposite to x and y: so does the gaze.
    x, y, unit = tf.unstack(target, axis=1)
    if spec.unit != "cm":
        unit /= size
    gaze = [tf.cos(angle) * x + tf.sin(angle) * y, tf.cos(angle) * y - tf.sin(angle) * x]
    return turned, tf.stack([*gaze, unit], 1)
