"""Augmentation of batches that really changes pixels. Importing this module imports TensorFlow.

All randomness is stateless: batch b of epoch e with seed s always gets the same changes, so that a resumed training
sees exactly what an uninterrupted one would have seen.
"""

from __future__ import annotations

import tensorflow as tf

from tinytracker.data.inputs import CHANNELS, InputSpec
from tinytracker.train.config import AugmentConfig

Inputs = dict[str, tf.Tensor]


def augment(
    inputs: Inputs, gaze: tf.Tensor, seed: tf.Tensor, spec: InputSpec, config: AugmentConfig
) -> tuple[Inputs, tf.Tensor]:
    """Change one batch.

    Args:
        inputs: network inputs by name, float32 pixel codes 0..255, (N, H, W, C).
        gaze: (N, 2) cm.
        seed: (2,) int64, of this batch.
        spec: says which channels are pixels and which are positions.
        config: how much.

    Returns:
        The changed codes, still float32 in 0..255 (pixels rounded to whole codes, as a camera gives them), and gaze.
    """
    if config.mirror:
        inputs, gaze = _mirror(inputs, gaze, seed, spec)
    return {name: _photometric(name, x, seed, spec, config) for name, x in inputs.items()}, gaze


def _mirror(inputs: Inputs, gaze: tf.Tensor, seed: tf.Tensor, spec: InputSpec) -> tuple[Inputs, tf.Tensor]:
    """Flip half of the frames: image, position planes and gaze x change sides; the eyes change places."""
    flip = tf.random.stateless_uniform([tf.shape(gaze)[0]], seed + [0, 1]) < 0.5

    def choose(flipped: tf.Tensor, original: tf.Tensor) -> tf.Tensor:
        return tf.where(tf.reshape(flip, [-1] + [1] * (len(original.shape) - 1)), flipped, original)

    flipped = {name: tf.reverse(x, [2]) for name, x in inputs.items()}
    if spec.kind == "itracker":
        flipped["left_eye"], flipped["right_eye"] = flipped["right_eye"], flipped["left_eye"]
    elif spec.grid == "input":
        image = flipped["image"]
        # The code of position v is 128 + 128 v; that of -v is 256 minus it, of which 256 itself does not fit a byte.
        x_plane = tf.minimum(256.0 - image[..., -2:-1], 255.0)
        flipped["image"] = tf.concat([image[..., :-2], x_plane, image[..., -1:]], -1)
    mirrored = {name: choose(flipped[name], x) for name, x in inputs.items()}
    return mirrored, choose(gaze * [-1.0, 1.0], gaze)


def _photometric(
    name: str, x: tf.Tensor, seed: tf.Tensor, spec: InputSpec, config: AugmentConfig
) -> tf.Tensor:
    """Contrast, brightness, colour and noise on the pixel channels; positions stay as they are."""
    if name == "grid":
        return x
    n = tf.shape(x)[0]
    colours = CHANNELS[spec.channels]
    pixels, positions = x[..., :colours], x[..., colours:]

    def uniform(shape: list[tf.Tensor | int], limit: float, stream: int) -> tf.Tensor:
        return tf.random.stateless_uniform(shape, seed + [0, stream], -limit, limit)

    # The streams are shared by all inputs of a frame: face and eyes are seen by one camera in one light.
    gain = (1 + uniform([n, 1, 1, 1], config.contrast, 2)) * (
        1 + uniform([n, 1, 1, colours], config.colour, 3)
    )
    pixels = (pixels - 128) * gain + 128 + uniform([n, 1, 1, 1], config.brightness, 4)
    sigma = tf.random.stateless_uniform([n, 1, 1, 1], seed + [0, 5], 0, config.noise)
    pixels += sigma * tf.random.stateless_normal(tf.shape(pixels), seed + [0, 6 + sum(map(ord, name))])
    return tf.concat([tf.clip_by_value(tf.round(pixels), 0, 255), positions], -1)
