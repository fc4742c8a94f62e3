"""QCFS, the activation of networks that become spiking ones. Importing this module imports TensorFlow.

Quantization, clip, floor, shift (Bu et al., "Optimal ANN-SNN Conversion for High-accuracy and Ultra-low-latency Spiking
Neural Networks", ICLR 2022, equation 15): with L levels and a learned threshold,

    y = threshold / L * clip(floor(x L / threshold + 1/2), 0, L)

An integrate-and-fire neuron with this threshold, which starts at half of it and is reset by subtraction, fires in T = L
steps of constant input x exactly y L / threshold times.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

START_THRESHOLD = 2.0
"""Before training. Batch normalization in front has a standard deviation of 1, so few values are clipped at first."""

_SMALLEST = 1e-3


def qcfs_name(node: str) -> str:
    """Return the name of the Keras layer of a node's activation."""
    return f"{node}_qcfs"


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _floor(x: tf.Tensor) -> Any:
    """Round down; the gradient passes unchanged (straight-through estimator)."""
    return tf.floor(x), lambda gradient: gradient


@tf.keras.utils.register_keras_serializable(package="tinytracker")
class Qcfs(tf.keras.layers.Layer):  # type: ignore[misc]
    """A ReLU with a learned upper limit, rounded to equal levels.

    Args:
        levels: number of levels above zero.
    """

    def __init__(self, levels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.levels = levels

    def build(self, input_shape: Any) -> None:
        """Create the threshold, one number for the layer."""
        start = tf.constant_initializer(START_THRESHOLD)
        self.threshold = self.add_weight("threshold", (), initializer=start)
        super().build(input_shape)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return the rounded activation, of the same shape."""
        top = tf.maximum(self.threshold, _SMALLEST)
        return top * tf.clip_by_value(_floor(x / top * self.levels + 0.5) / self.levels, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration for saving."""
        return {**super().get_config(), "levels": self.levels}
