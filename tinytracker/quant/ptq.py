"""Makes full-integer .tflite files with TensorFlow Lite's converter. Importing this imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import tensorflow as tf

from tinytracker.capture import captured_output
from tinytracker.errors import ModelError


class Calibration(Protocol):
    """Inputs whose activations set the ranges."""

    def samples(self) -> Iterator[dict[str, Any]]:
        """Yield inputs of the float network by name, with batch 1."""


def convert(model: tf.keras.Model, calibration: Calibration | None, io: str) -> bytes:
    """Convert a float Keras network to a full-integer .tflite file with batch 1.

    Args:
        model: inputs by name, float32 p/128 - 1.
        calibration: frames whose activations set the ranges; None when the network already rounds its activations.
        io: "int8" or "uint8", dtype of inputs and outputs.

    Raises:
        ModelError: the converter refuses the network.
    """
    # A signature with batch 1 avoids dynamic shapes in the file and allows constants that depend on it to be folded.
    signature = {t.name: tf.TensorSpec((1, *t.shape[1:]), tf.float32, name=t.name) for t in model.inputs}
    function = tf.function(lambda inputs: model(inputs, training=False)).get_concrete_function(signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if calibration is not None:
        converter.representative_dataset = calibration.samples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = getattr(tf, io)
    with captured_output() as printed:
        try:
            return bytes(converter.convert())
        except (
            Exception
        ) as error:  # the converter raises many types; each means that this network cannot be converted
            reason = str(error).strip().splitlines()[0] if str(error).strip() else printed().strip()[-300:]
    raise ModelError(
        f"TensorFlow Lite's converter refuses this network: {reason}", "Use operators with an INT8 kernel."
    )
