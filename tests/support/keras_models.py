"""Small Keras networks, converted to full-integer .tflite by the pinned TensorFlow."""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import Any

import numpy as np


def _conv(x: Any, channels: int, kernel: int = 1, stride: int = 1, relu: str | None = "relu6") -> Any:
    from tensorflow import keras

    x = keras.layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization(momentum=0.0)(x)
    return keras.layers.ReLU(6.0 if relu == "relu6" else None)(x) if relu else x


def _depthwise(x: Any, stride: int = 1, relu: str = "relu6", explicit_padding: bool = False) -> Any:
    from tensorflow import keras

    if explicit_padding and stride == 2:
        x = keras.layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    padding = "valid" if explicit_padding and stride == 2 else "same"
    x = keras.layers.DepthwiseConv2D(3, stride, padding=padding, use_bias=False)(x)
    x = keras.layers.BatchNormalization(momentum=0.0)(x)
    return keras.layers.ReLU(6.0 if relu == "relu6" else None)(x)


def _tinytracker_s_like() -> Any:
    """Inverted bottlenecks without residuals, as the published small network, at 48x48."""
    from tensorflow import keras

    image = keras.Input((48, 48, 3))
    x = _conv(image, 8, 3, 2)
    x = _depthwise(x, 2)
    x = _conv(x, 8, relu=None)
    for expand, stride, out in ((48, 2, 16), (64, 1, 24), (96, 1, 32)):
        x = _conv(_depthwise(_conv(x, expand), stride), out, relu=None)
    x = keras.layers.GlobalAveragePooling2D()(_conv(x, 64))
    x = keras.layers.Dense(32, "relu")(x)
    return keras.Model(image, keras.layers.Dense(2, "tanh")(x))


def _mobilenet_v3_minimalistic_like() -> Any:
    """Explicit padding before strided depthwise layers, ReLU, residual additions."""
    from tensorflow import keras

    image = keras.Input((64, 64, 3))
    x = _conv(image, 8, 3, 2, "relu")
    for expand, stride, out in ((16, 2, 8), (24, 2, 12), (36, 1, 12), (48, 2, 16), (64, 1, 16)):
        y = _conv(_depthwise(_conv(x, expand, relu="relu"), stride, "relu", True), out, relu=None)
        x = keras.layers.Add()([x, y]) if stride == 1 and x.shape[-1] == out else y
    x = keras.layers.Flatten()(_conv(x, 4, relu=None))
    return keras.Model(image, keras.layers.Dense(2)(keras.layers.Dense(24, "relu")(x)))


def _everything() -> Any:
    """Squeeze-and-excite, pooling, concatenation, softmax, two outputs."""
    from tensorflow import keras

    image = keras.Input((24, 20, 2))
    x = _conv(image, 12, 3, 1)
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = keras.layers.Conv2D(12, 1, activation="sigmoid")(
        keras.layers.Conv2D(4, 1, activation="relu")(gate)
    )
    x = keras.layers.Multiply()([x, gate])
    pooled = keras.layers.Concatenate()(
        [keras.layers.MaxPool2D(3, 2, "same")(x), keras.layers.AveragePooling2D(3, 2, "same")(x)]
    )
    flat = keras.layers.GlobalAveragePooling2D()(_conv(pooled, 16, 1))
    return keras.Model(image, [keras.layers.Dense(5, "softmax")(flat), keras.layers.Dense(2, "tanh")(flat)])


KERAS_NETS = {
    "tinytracker-s-like": _tinytracker_s_like,
    "mobilenet-v3-minimalistic-like": _mobilenet_v3_minimalistic_like,
    "everything": _everything,
}


@cache
def converted(name: str) -> bytes:
    """The named network with random weights, calibrated on noise and converted to int8 inputs and outputs."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # both the initialisers' seeds and the converter warn about themselves
        return _convert(name)


def _convert(name: str) -> bytes:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.keras.utils.set_random_seed(3)
    model = KERAS_NETS[name]()
    rng = np.random.default_rng(3)
    shape = model.input_shape[1:]

    # One pass in training mode with momentum 0 sets every normalisation to the statistics of these images, so
    # that the activations of the random network neither vanish nor saturate.
    levels = rng.uniform(-1, 1, (32, 1, 1, shape[-1]))
    model(np.clip(levels + rng.normal(0, 0.5, (32, *shape)), -1, 1).astype(np.float32), training=True)

    def images() -> Any:
        for _ in range(16):
            yield [rng.uniform(-1, 1, (1, *shape)).astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = images
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    content: bytes = converter.convert()
    return content
