"""Edge planes as a layer of a network. Importing this module imports TensorFlow.

Four planes for each channel of an image: how much brighter the next pixel to the right is, how much darker, and the
same downward. Differences of up to 10 grey levels are noise and give 0; the rest counts twice, up to 127/128. In pixel
codes that is `min(2 * max(d - 10, 0), 127)` (`tinytracker.spiking.encoding` in numpy).
"""

from __future__ import annotations

import tensorflow as tf

DEAD_ZONE, GAIN, TOP = 10, 2, 127
_PIXEL_UNIT = 128


@tf.keras.utils.register_keras_serializable(package="tinytracker")
class EdgePlanes(tf.keras.layers.Layer):  # type: ignore[misc]
    """Replace an image by its edges: (N, H, W, C) -> (N, H, W, 4 C)."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return the planes: brighter to the right, darker to the right, brighter downward, darker downward."""
        right = tf.pad(x[:, :, 1:] - x[:, :, :-1], [[0, 0], [0, 0], [0, 1], [0, 0]])
        down = tf.pad(x[:, 1:] - x[:, :-1], [[0, 0], [0, 1], [0, 0], [0, 0]])
        planes = tf.concat([right, -right, down, -down], -1)
        return tf.minimum(tf.nn.relu(planes - DEAD_ZONE / _PIXEL_UNIT) * GAIN, TOP / _PIXEL_UNIT)
