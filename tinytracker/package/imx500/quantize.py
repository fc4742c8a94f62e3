"""Post-training quantization for the sensor with Sony's Model Compression Toolkit (MCT).

The sensor computes with power-of-two steps, which TensorFlow Lite does not support, so it needs its own quantized
model. Importing this module is cheap; calling it needs TensorFlow and MCT (the train extra).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.capture import captured_output
from tinytracker.errors import ModelError
from tinytracker.files import make_folder, writing
from tinytracker.progress import say
from tinytracker.requirements import require, require_tensorflow

PLATFORM_VERSION = "4.0"
"""Version of the sensor's capabilities: the first that allows outputs of 16 bits."""

OUTPUT_BITS = 16
"""With 8 bits and power-of-two steps, the gaze would have steps of 1.25 mm over a range of +-16 cm."""

LIBRARIES = ("tensorflow", "model-compression-toolkit", "edge-mdt-tpc", "mct-quantizers")

Batches = Callable[[], Iterator[NDArray[np.float32]]]
"""Yields all calibration images at each call: float32 (N, H, W, 3), p/128 - 1."""


@dataclass(frozen=True)
class Quantized:
    """A quantized model for the sensor.

    Attributes:
        path: the `.keras` file that Sony's converter takes.
        output: name of the layer whose output has 16 bits.
    """

    path: Path
    output: str


def require_mct() -> None:
    """Make sure that TensorFlow and MCT can be imported.

    Raises:
        MissingDependencyError: one of them is not installed.
    """
    require_tensorflow("quantization for imx500")
    require("model_compression_toolkit", "Sony's MCT", "quantization for imx500", "train")
    require("edgemdt_tpc", "Sony's edge-mdt-tpc", "quantization for imx500", "train")


def quantize(model_path: Path, batches: Batches, out: Path) -> Quantized:
    """Quantize a float Keras model.

    The input keeps its full range, so its step is exactly 1/128 and the sensor's pixels are used unchanged. The
    output keeps its full range in 16 bits.

    Args:
        model_path: `.keras` file with one input (H, W, 3) and one output.
        batches: calibration images; at least one pixel must be 0 (that is -1.0, the end of the range).
        out: `.keras` file to write. Its name becomes the network's name.

    Raises:
        MissingDependencyError: MCT is not installed.
        ModelError: the model has other inputs or outputs, or MCT refuses it.
        OutputError: `out` cannot be written.
    """
    require_mct()
    make_folder(out.parent)
    with _quiet_libraries():
        import tensorflow as tf

        model = tf.keras.models.load_model(model_path, compile=False)
        output = _check_io(model, str(model_path))
        model = one_last_layer(model, next(batches()))
        say(f"{model_path}: quantizing for the sensor")
        with captured_output() as printed:
            try:
                quantized = _quantize(model, output, batches)
                with writing(out):
                    _export(quantized, out)
                return Quantized(out, output)
            except (ModelError, OSError):
                raise
            except (
                Exception
            ) as error:  # MCT raises many types; each means that this network cannot be quantized
                reason = (
                    str(error).strip().splitlines()[0] if str(error).strip() else printed().strip()[-300:]
                )
    raise ModelError(f"MCT refuses this network: {reason}", "Train a preset that the sensor takes.")


def one_last_layer(model: Any, images: NDArray[np.float32]) -> Any:
    """Return a network with an aim as one that ends in a single dense layer, which alone can have 16 bits.

    The last layers of gaze and aim become one, on both hidden layers together; weights from the other's hidden layer
    are zero. The two hidden layers then share a step, so that of the aim is scaled to the range of the other, and the
    weights behind it by the inverse. Any other network is unchanged.

    Args:
        model: Keras model with one output.
        images: (N, H, W, 3), p/128 - 1, that show the ranges of the hidden layers.
    """
    import tensorflow as tf

    joined = model.get_layer(model.output_names[0])
    if not isinstance(joined, tf.keras.layers.Concatenate):
        return model
    gaze, aim = (node.layer for node in joined.inbound_nodes[0].parent_nodes)
    before = aim.inbound_nodes[0].parent_nodes[0].layer
    ranges = tf.keras.Model(model.inputs, [gaze.input, aim.input])(images, training=False)
    wide, narrow = (max(float(tf.reduce_max(x)), 1e-6) for x in ranges)
    gain = 2.0 ** round(math.log2(wide / narrow))
    hidden = tf.keras.layers.Dense(before.units, activation="relu", name=before.name)
    both = tf.keras.layers.Concatenate(name="both_hidden")([gaze.input, hidden(before.input)])
    last = tf.keras.layers.Dense(gaze.units + aim.units, name=joined.name)
    result = tf.keras.Model(model.inputs, last(both), name=model.name)
    kernel, bias = before.get_weights()
    hidden.set_weights([kernel * gain, bias * gain])
    (gaze_kernel, gaze_bias), (aim_kernel, aim_bias) = gaze.get_weights(), aim.get_weights()
    merged = np.zeros((len(gaze_kernel) + len(aim_kernel), gaze.units + aim.units), np.float32)
    merged[: len(gaze_kernel), : gaze.units] = gaze_kernel
    merged[len(gaze_kernel) :, gaze.units :] = aim_kernel / gain
    last.set_weights([merged, np.concatenate([gaze_bias, aim_bias])])
    return result


def load_quantized(path: Path) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """Return the quantized model as a function from images (N, H, W, 3), p/128 - 1, to gaze (N, 2) in cm.

    With an aim, its five numbers follow, (N, 7).

    It computes with floats rounded to the sensor's steps; the sensor itself may differ by a few output steps.
    """
    require_mct()
    with _quiet_libraries():
        import model_compression_toolkit as mct

        model = mct.keras_load_quantized_model(str(path))

    def predict(images: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(model(images, training=False), np.float64)

    return predict


def versions() -> dict[str, str]:
    """Return the versions of the libraries that determine the numbers."""
    return {name: metadata.version(name) for name in LIBRARIES}


def _check_io(model: Any, name: str) -> str:
    """Return the name of the layer that computes the output of a model with one RGB image in and one vector out."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"{name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; the sensor fills one input.",
            "Train the preset tinytracker-rgb.",
        )
    shape = tuple(model.inputs[0].shape[1:])
    if len(shape) != 3 or shape[-1] != 3:
        raise ModelError(
            f"{name} takes {' x '.join(map(str, shape))}; the sensor provides RGB images of three channels.",
            "Train the preset tinytracker-rgb.",
        )
    return str(model.output_names[0])


def _quantize(model: Any, output: str, batches: Batches) -> Any:
    import model_compression_toolkit as mct
    from edgemdt_tpc import get_target_platform_capabilities
    from model_compression_toolkit.core import BitWidthConfig, CoreConfig, DebugConfig
    from model_compression_toolkit.core import QuantizationErrorMethod as ErrorMethod
    from model_compression_toolkit.core.common.network_editors import EditRule, NodeNameFilter
    from model_compression_toolkit.core.common.network_editors.actions import (
        ChangeCandidatesActivationQuantConfigAttr as ChangeActivation,
    )

    bits = BitWidthConfig()
    bits.set_manual_activation_bit_width([NodeNameFilter(output)], OUTPUT_BITS)
    # By default MCT may clip the rarest values for a finer step. At both ends that would cost more than it gives:
    # the input's step must stay 1/128, and clipped gaze is wrong gaze.
    whole_range = ChangeActivation(activation_error_method=ErrorMethod.NOCLIPPING)
    rules = [EditRule(NodeNameFilter(name), whole_range) for name in (model.input_names[0], output)]
    quantized, _ = mct.ptq.keras_post_training_quantization(
        model,
        lambda: ([batch] for batch in batches()),
        core_config=CoreConfig(bit_width_config=bits, debug_config=DebugConfig(network_editor=rules)),
        target_platform_capabilities=get_target_platform_capabilities(
            tpc_version=PLATFORM_VERSION, device_type="imx500"
        ),
    )
    return quantized


def _export(quantized: Any, out: Path) -> None:
    import model_compression_toolkit as mct

    temporary = out.with_name(f".{out.stem}.partial.keras")
    mct.exporter.keras_export_model(model=quantized, save_model_path=str(temporary))
    temporary.replace(out)


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep the libraries' logs and warnings off the terminal: none of them is about the user's network."""
    import warnings

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
