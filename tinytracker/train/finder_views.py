"""Views of whole frames to train the finder on, and what it should answer. Importing this module imports TensorFlow.

A finder sees the whole frame at 96 × 72 px. For training, each frame is seen in a different way: nearer or farther,
shifted, turned and mirrored, darker or brighter, with noise. A view may miss the face; then the right answer is that
there are no eyes.
"""

from __future__ import annotations

import math

import tensorflow as tf

from tinytracker.aim.layout import FINDER_CELL_PX, FINDER_HEIGHT, FINDER_WIDTH, FINDER_WIDTH_PX

NEAREST, FARTHEST = 0.55, 1.15
"""Width of a training view, as a share of the view that shows the whole frame."""

_TURN_RAD = math.radians(15)
_SHIFT = 0.12
_ELSEWHERE = 0.12
"""Share of views that look beside the face on purpose."""

_PEAK_PX = 5.0
"""Width (sigma) of the score's peak around the strip's centre."""

_PLACE_PX = 12.0
"""Cells within this distance of the strip's centre learn where it is."""


def whole_view(size: tf.Tensor) -> tf.Tensor:
    """Return the width (N,) of the view that just shows whole frames of `size` (N, 2), width and height in px."""
    return tf.maximum(size[:, 0], size[:, 1] * (FINDER_WIDTH / FINDER_HEIGHT))


def cut_views(images: tf.Tensor, centre: tf.Tensor, width: tf.Tensor, turn: tf.Tensor) -> tf.Tensor:
    """Cut turned views out of frames: bilinear, black outside.

    Args:
        images: codes (N, H, W, 1); views should be at most twice as wide as 96 px of them.
        centre: (N, 2) px of the frames.
        width: (N,) px.
        turn: (N,) rad.

    Returns:
        float32 codes (N, 72, 96, 1).
    """
    step = width / FINDER_WIDTH
    cos, sin = step * tf.cos(turn), step * tf.sin(turn)
    u, v = (FINDER_WIDTH - 1) / 2, (FINDER_HEIGHT - 1) / 2
    x, y = centre[:, 0] - 0.5, centre[:, 1] - 0.5
    zero = tf.zeros_like(x)
    rows = [cos, -sin, x - cos * u + sin * v, sin, cos, y - sin * u - cos * v, zero, zero]
    views: tf.Tensor = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32), transforms=tf.stack(rows, 1),
        output_shape=[FINDER_HEIGHT, FINDER_WIDTH], interpolation="BILINEAR", fill_mode="CONSTANT", fill_value=0.0,
    )  # fmt: skip
    return views


def training_views(
    images: tf.Tensor, size: tf.Tensor, strip: tf.Tensor, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Look at each frame of a batch in a random way.

    Args:
        images: uint8 codes (N, H, W, 1), frames in the top left corner.
        size: (N, 2) width and height of each frame, px.
        strip: (N, 4) centre x, y and width of the strip in px of the frame, and 1; or zeros where there are no eyes.
        seed: (2,) int64, of this batch.

    Returns:
        Codes (N, 72, 96, 1), whole numbers 0..255 as float32, and the strip (N, 4) in px of the view, zeros where none
        is in view.
    """
    n = tf.shape(images)[0]

    def uniform(low: float, high: float, stream: int) -> tf.Tensor:
        return tf.random.stateless_uniform([n], seed + [0, stream], low, high)

    width = whole_view(size) * tf.exp(uniform(math.log(NEAREST), math.log(FARTHEST), 1))
    turn = uniform(-_TURN_RAD, _TURN_RAD, 2) * tf.cast(uniform(0, 1, 3) < 0.5, tf.float32)
    shift = tf.random.stateless_normal([n, 2], seed + [0, 4]) * _SHIFT * size
    view = tf.stack([width, width * (FINDER_HEIGHT / FINDER_WIDTH)], 1)
    centre = size / 2 + shift
    # The face stays in view, except where the view looks elsewhere on purpose.
    has_eyes = strip[:, 3] > 0
    near = tf.clip_by_value(centre, strip[:, :2] - 0.45 * view, strip[:, :2] + 0.45 * view)
    elsewhere = uniform(0, 1, 5) < _ELSEWHERE
    centre = tf.where((has_eyes & ~elsewhere)[:, None], near, centre)
    away = strip[:, :2] + tf.stack([tf.cos(uniform(0, 6.3, 6)), tf.sin(uniform(0, 6.3, 6))], 1) * view * 0.8
    centre = tf.where((has_eyes & elsewhere)[:, None], away, centre)

    codes = _photometric(cut_views(images, centre, width, turn), seed, n)
    offset = strip[:, :2] - centre
    cos, sin = tf.cos(turn), tf.sin(turn)
    right = cos * offset[:, 0] + sin * offset[:, 1]
    down = cos * offset[:, 1] - sin * offset[:, 0]
    scale = FINDER_WIDTH / width
    x, y = FINDER_WIDTH / 2 + right * scale, FINDER_HEIGHT / 2 + down * scale
    mirror = uniform(0, 1, 7) < 0.5
    codes = tf.where(mirror[:, None, None, None], tf.reverse(codes, [2]), codes)
    x = tf.where(mirror, FINDER_WIDTH - x, x)
    visible = has_eyes & (x > 0) & (x < FINDER_WIDTH) & (y > 0) & (y < FINDER_HEIGHT)
    truth = tf.stack([x, y, strip[:, 2] * scale, tf.ones_like(x)], 1)
    return codes, tf.where(visible[:, None], truth, 0.0)


def cell_targets(truth: tf.Tensor) -> tf.Tensor:
    """Return what the finder should answer for each cell, (N, 9, 12, 5).

    The channels are the score 0..1, dx, dy and ln width as in `tinytracker.aim.layout.FINDER`, and the weight of the
    place: 1 in cells near the strip's centre.

    Args:
        truth: (N, 4) from `training_views`.
    """
    cell = FINDER_CELL_PX
    columns = (tf.range(FINDER_WIDTH // cell, dtype=tf.float32) + 0.5) * cell
    rows = (tf.range(FINDER_HEIGHT // cell, dtype=tf.float32) + 0.5) * cell
    dx = truth[:, None, None, 0] - columns[None, None, :] + 0 * rows[None, :, None]
    dy = truth[:, None, None, 1] - rows[None, :, None] + 0 * columns[None, None, :]
    present = truth[:, None, None, 3]
    distance = tf.sqrt(dx**2 + dy**2)
    score = present * tf.exp(-0.5 * (distance / _PEAK_PX) ** 2)
    ln_width = tf.math.log(tf.maximum(truth[:, None, None, 2], 1.0) / FINDER_WIDTH_PX) + 0 * dx
    weight = present * tf.cast(distance < _PLACE_PX, tf.float32)
    return tf.stack([score, dx / cell, dy / cell, ln_width, weight], -1)


def finder_loss(target: tf.Tensor, answer: tf.Tensor) -> tf.Tensor:
    """Return the loss of a batch: a focal cross entropy of the scores, and the mean error of the places.

    The cross entropy of each cell is weighted by |error|^1.5, so that the many easy cells do not outweigh the few that
    matter (quality focal loss: Li et al., NeurIPS 2020, arXiv 2006.04388).
    """
    score, place, weight = target[..., 0], target[..., 1:4], target[..., 4:]
    logit = answer[..., 0]
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(score, logit)
    focal = tf.reduce_sum(tf.abs(score - tf.sigmoid(logit)) ** 1.5 * entropy, [1, 2])
    error = tf.reduce_sum(weight * tf.abs(answer[..., 1:4] - place) * [1.0, 1.0, 3.0])
    return tf.reduce_mean(focal) + 0.5 * error / (tf.reduce_sum(weight) + 1.0)


def _photometric(codes: tf.Tensor, seed: tf.Tensor, n: tf.Tensor) -> tf.Tensor:
    def uniform(low: float, high: float, stream: int) -> tf.Tensor:
        return tf.random.stateless_uniform([n, 1, 1, 1], seed + [0, stream], low, high)

    gain, shift, sigma = uniform(0.6, 1.4, 8), uniform(-40, 40, 9), uniform(0, 6, 10)
    noise = tf.random.stateless_normal(tf.shape(codes), seed + [0, 11])
    return tf.clip_by_value(tf.round((codes - 128) * gain + 128 + shift + sigma * noise), 0, 255)
