"""Training with the statistics of batch normalization that the weights came with. Importing this imports TensorFlow.

With fixed statistics, batch normalization is a factor and an offset per channel, which fold into the convolution before
it: the tensors in between, the largest of a network, need not be read and written again. The variables stay those of
the layers, and the gradients are the same up to rounding. Layers that begin with random weights have no statistics to
keep and normalize with those of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import MethodType
from typing import Any

import tensorflow as tf

L = tf.keras.layers


def fix_statistics(model: tf.keras.Model, loaded: Collection[str]) -> None:
    """Make a compiled model train with the statistics of normalizations whose weights were loaded.

    Args:
        model: from `build_keras`, compiled; its training step is replaced unless there is nothing to fix.
        loaded: names of the layers whose weights were loaded, those of normalizations included.
    """
    if not _pairs(model, loaded):
        return
    # In a closure, because Keras would track a model that is an attribute as a layer of the other.
    forward = folded(model, loaded)
    others = any(isinstance(layer, L.BatchNormalization) for layer in forward.layers)

    def step(model: tf.keras.Model, data: Any) -> dict[str, Any]:
        inputs, target, _ = tf.keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            loss = model.compute_loss(inputs, target, forward(inputs, training=others))
        model.optimizer.minimize(loss, model.trainable_variables, tape=tape)
        return {metric.name: metric.result() for metric in model.metrics}

    model.train_step = MethodType(step, model)


def folded(model: tf.keras.Model, loaded: Collection[str]) -> tf.keras.Model:
    """Return a model with the same variables whose loaded normalizations are part of the convolutions before them.

    Args:
        model: from `build_keras`: the normalization of layer NAME is called NAME_bn.
        loaded: names of layers; a normalization is folded if it and its convolution are among them.

    Returns:
        A model that cannot be saved.
    """
    pairs = _pairs(model, loaded)
    norms = {_norm_of(name) for name in pairs}

    def replaced(layer: Any) -> Any:
        if layer.name in pairs:
            return _FoldedConvolution(*pairs[layer.name], name=layer.name)
        return L.Activation("linear", name=layer.name) if layer.name in norms else layer

    return tf.keras.models.clone_model(model, clone_function=replaced)


def _norm_of(name: str) -> str:
    return f"{name}_bn"


def _pairs(model: tf.keras.Model, loaded: Collection[str]) -> dict[str, tuple[Any, Any]]:
    """Return the convolutions that were loaded together with their normalizations."""
    layers = {layer.name: layer for layer in model.layers if layer.name in loaded}
    return {
        name: (layer, layers[_norm_of(name)])
        for name, layer in layers.items()
        if isinstance(layer, (L.Conv2D, L.DepthwiseConv2D)) and _norm_of(name) in layers
    }


class _FoldedConvolution(tf.keras.layers.Layer):  # type: ignore[misc]
    """A convolution and the normalization behind it, with the variables of both."""

    def __init__(self, convolution: Any, norm: Any, name: str) -> None:
        super().__init__(name=name, trainable=False)
        # Behind a function, so that Keras does not track them: their variables belong to the other model.
        self._layers_of: Callable[[], tuple[Any, Any]] = lambda: (convolution, norm)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Convolve and normalize: (N, H, W, C) -> (N, H', W', F)."""
        conv, norm = self._layers_of()
        scale = tf.math.rsqrt(norm.moving_variance + norm.epsilon)
        scale = scale * norm.gamma if norm.scale else scale
        offset = -norm.moving_mean * scale
        offset = offset + norm.beta if norm.center else offset
        if conv.use_bias:
            offset += conv.bias * scale
        padding = conv.padding.upper()
        if isinstance(conv, L.DepthwiseConv2D):
            y = tf.nn.depthwise_conv2d(
                x, conv.depthwise_kernel * scale[:, None], [1, *conv.strides, 1], padding
            )
        else:
            y = tf.nn.conv2d(x, conv.kernel * scale, conv.strides, padding)
        return tf.nn.bias_add(y, offset)
