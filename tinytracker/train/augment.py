"""Augmentation of batches. Importing this module imports TensorFlow.

All randomness is stateless: batch b of epoch e with seed s always gets the same changes, so that a resumed run sees
exactly the same data as an uninterrupted one. The network trains on the same cores that run the augmentation, so each
step makes as few passes over the pixels as possible.
"""

from __future__ import annotations

import math

import tensorflow as tf

from tinytracker.data.inputs import CHANNELS, LUMA, InputSpec
from tinytracker.train.config import AugmentConfig

Inputs = dict[str, tf.Tensor]


def augment(
    inputs: Inputs, gaze: tf.Tensor, seed: tf.Tensor, spec: InputSpec, config: AugmentConfig
) -> tuple[Inputs, tf.Tensor]:
    """Augment one batch of a shuffled data set.

    Args:
        inputs: network inputs by name, uint8 codes, (N, H, W, C).
        gaze: (N, 2) or more columns, of which the first is x.
        seed: (2,) int64, of this batch.
        spec: tells which channels are pixels and which are positions.
        config: strength of each change.

    Returns:
        The changed codes as float32 in 0..255 (pixels are whole numbers, as from a camera), and the gaze.
    """
    if config.mirror:
        inputs, gaze = _mirror(inputs, gaze, spec)
    return {name: _photometric(name, x, seed, spec, config) for name, x in inputs.items()}, gaze


def mirrored(inputs: Inputs, gaze: tf.Tensor, spec: InputSpec) -> tuple[Inputs, tf.Tensor]:
    """Flip a batch from left to right: image, position planes and the x of gaze; the eyes are swapped.

    The arguments are those of `augment`; codes keep their type.
    """
    flipped = {name: tf.reverse(x, [2]) for name, x in inputs.items()}
    if spec.kind == "itracker":
        flipped["left_eye"], flipped["right_eye"] = flipped["right_eye"], flipped["left_eye"]
    elif spec.grid == "input":
        image = flipped["image"]
        # The code of position v is 128 + 128 v, and that of -v is 256 minus it; 256 itself does not fit in a byte.
        x_plane = 255 - tf.maximum(image[..., -2:-1], 1) + 1
        flipped["image"] = tf.concat([image[..., :-2], x_plane, image[..., -1:]], -1)
    return flipped, tf.concat([-gaze[:, :1], gaze[:, 1:]], 1)


def _mirror(inputs: Inputs, gaze: tf.Tensor, spec: InputSpec) -> tuple[Inputs, tf.Tensor]:
    """Flip the first half of the batch, which is a random half because batches are shuffled."""
    half = tf.shape(gaze)[0] // 2
    flipped, turned = mirrored({name: x[:half] for name, x in inputs.items()}, gaze[:half], spec)
    both = {name: tf.concat([flipped[name], x[half:]], 0) for name, x in inputs.items()}
    return both, tf.concat([turned, gaze[half:]], 0)


def _photometric(
    name: str, codes: tf.Tensor, seed: tf.Tensor, spec: InputSpec, config: AugmentConfig
) -> tf.Tensor:
    """Change focus, colour, light and noise of the pixel channels; positions are unchanged."""
    x = tf.cast(codes, tf.float32)
    if name == "grid":
        return x
    pixels = CHANNELS[spec.channels]
    if x.shape[-1] == pixels:
        return _photographed(name, x, seed, config)
    return tf.concat([_photographed(name, x[..., :pixels], seed, config), x[..., pixels:]], -1)


def _photographed(name: str, picture: tf.Tensor, seed: tf.Tensor, config: AugmentConfig) -> tf.Tensor:
    """Return pictures (N, H, W, channels) as another camera would take them in other light."""
    n, (height, width, channels) = tf.shape(picture)[0], picture.shape[1:]
    if config.focus:
        picture = _focused(picture, seed, config.focus)
    if config.saturation and channels == 3:
        picture = _saturated(picture, seed, config.saturation)

    def uniform(last: int, limit: float, stream: int) -> tf.Tensor:
        return tf.random.stateless_uniform([n, 1, 1, last], seed + [0, stream], -limit, limit)

    # All inputs of a frame share the streams: one camera sees face and eyes in the same light.
    if config.gamma:
        exponent = tf.exp(uniform(1, config.gamma, 50))
        # 255 (x / 255)^exponent: a logarithm and an exponential take a quarter of the time of a power.
        tones = exponent * tf.math.log(tf.clip_by_value(picture, 0, 255))
        picture = tf.exp(tones + (1 - exponent) * math.log(255))
    gain = (1 + uniform(1, config.contrast, 2)) * (1 + uniform(channels, config.colour, 3))
    shift = 128 - 128 * gain + uniform(1, config.brightness, 4)
    if config.shade:
        across = tf.linspace(-1.0, 1.0, width)[None, None, :, None]
        gain *= 1 + uniform(1, config.shade, 51) * across
    # The same for all rows of an image; long rows are multiplied fastest.
    in_rows, of_row = [-1, height, width * channels], [-1, 1, width * channels]
    gain, shift = (tf.reshape(v + tf.zeros([1, 1, width, 1]), of_row) for v in (gain, shift))
    rows = tf.reshape(picture, in_rows) * gain + shift
    if config.noise:
        sigma = tf.random.stateless_uniform([n, 1, 1], seed + [0, 5], 0, config.noise)
        rows += sigma * tf.reshape(_noise(picture, seed + [0, 6 + sum(map(ord, name))]), in_rows)
    return tf.reshape(tf.clip_by_value(tf.round(rows), 0, 255), [-1, height, width, channels])


SHARPEST, BLUREST = -0.8, 1.0
"""Weights of the difference to a mean over 3 × 3 px: sharpened like a phone's picture, and out of focus."""


def _focused(picture: tf.Tensor, seed: tf.Tensor, share: float) -> tf.Tensor:
    """Blur or sharpen a share of the images, each by a random amount."""
    n = tf.shape(picture)[0]
    blurred = tf.nn.avg_pool2d(picture, 3, 1, "SAME")  # at the edge of the pixels that there are
    amount = tf.random.stateless_uniform([n, 1, 1, 1], seed + [0, 52], SHARPEST, BLUREST)
    amount *= tf.cast(tf.random.stateless_uniform([n, 1, 1, 1], seed + [0, 53]) < share, tf.float32)
    return tf.clip_by_value(picture + amount * (blurred - picture), 0, 255)


GREYEST, STRONGEST = -0.4, 1.6
"""Limits of the factor on the differences to grey; below 0 counts as 0, so that a fifth is grey, as at night."""


def _saturated(picture: tf.Tensor, seed: tf.Tensor, share: float) -> tf.Tensor:
    """Weaken or strengthen the colours of a share of the images (N, H, W, 3)."""
    n = tf.shape(picture)[0]
    factor = tf.maximum(tf.random.stateless_uniform([n, 1, 1], seed + [0, 54], GREYEST, STRONGEST), 0)
    changed = tf.random.stateless_uniform([n, 1, 1], seed + [0, 55]) < share
    factor = tf.where(changed, factor, 1.0)
    # Each pixel times factor · identity + (1 - factor) · (the matrix that makes it grey).
    to_grey = tf.tile(tf.constant(LUMA, tf.float32)[:, None] / sum(LUMA), [1, 3])
    colours = factor * tf.eye(3) + (1 - factor) * to_grey
    flat = tf.reshape(picture, [n, -1, 3])
    return tf.clip_by_value(tf.reshape(tf.matmul(flat, colours), tf.shape(picture)), 0, 255)


def _noise(like: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Return noise with mean 0 and standard deviation 1 in the shape of a batch.

    Each value is the sum of two random bytes: a triangular distribution at a tenth of the cost of a normal one.
    """
    elements = math.prod(like.shape[1:])
    words = -(-elements // 4)
    n = tf.shape(like)[0]
    drawn = tf.random.stateless_uniform([2, n, words], seed, None, None, tf.int32)
    values = tf.reshape(tf.bitcast(drawn, tf.int8), [2, n, 4 * words])[:, :, :elements]
    # A byte is uniform over -128..127: mean -1/2, variance (256^2 - 1) / 12.
    scale = math.sqrt(2 * (256**2 - 1) / 12)
    both = tf.cast(values[0], tf.float32) + tf.cast(values[1], tf.float32)
    return tf.reshape(both / scale + 1 / scale, tf.shape(like))
