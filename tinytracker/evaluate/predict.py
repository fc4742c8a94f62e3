"""Predicts the gaze of all frames of a split with a float or quantized network. Importing this imports TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.data.examples import parse
from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec
from tinytracker.data.pipeline import serialized_records
from tinytracker.data.tensorflow_errors import names_damaged_shards
from tinytracker.evaluate.metrics import Frames
from tinytracker.files import read_bytes
from tinytracker.model.keras_builder import load_trained
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.progress import bar
from tinytracker.quant.runtimes import ReferenceRuntime
from tinytracker.train.dataset import decoded, in_cm, plain_batches

_CHUNK = 256
_META = ("gaze", "subject", "device", "family", "orientation", "dot_num")


@names_damaged_shards
def truth(index: PreparedIndex, split: str) -> Frames:
    """Return gaze and origin of all frames of a split, in the order of the records."""

    def meta(serialized: Any) -> dict[str, Any]:
        record = parse(serialized)
        return {key: record[key] for key in _META}

    rows = list(serialized_records(index, split).map(meta).as_numpy_iterator())

    def text(key: str) -> NDArray[np.str_]:
        return np.array([r[key].decode() for r in rows])

    return Frames(
        np.array([r["gaze"] for r in rows], float), text("subject"), text("device"), text("family"),
        np.array([r["orientation"] for r in rows]), np.array([r["dot_num"] for r in rows]),
    )  # fmt: skip


@names_damaged_shards
def predict_float(model_path: Path, index: PreparedIndex, split: str, spec: InputSpec) -> NDArray[np.float64]:
    """Predict (N, 2) cm with a Keras model."""
    model = load_trained(model_path)
    predictions = []
    with bar(f"evaluate {model_path.name}", index.split(split).frames, "frames") as advance:
        for inputs, target in plain_batches(decoded(index, split, spec)):
            predictions.append(in_cm(model(inputs, training=False), target).numpy())
            advance(len(target))
    gaze_cm: NDArray[np.float64] = np.concatenate(predictions).astype(np.float64)
    return gaze_cm


@names_damaged_shards
def predict_quantized(
    model_path: Path, index: PreparedIndex, split: str, spec: InputSpec
) -> NDArray[np.float64]:
    """Predict (N, 2) cm with a .tflite file, run by the reference kernels."""
    runtime = ReferenceRuntime(read_bytes(model_path))
    gaze: list[Floats] = []
    with bar(f"evaluate {model_path.name}", index.split(split).frames, "frames") as advance:
        for codes, target in decoded(index, split, spec).batch(_CHUNK):
            raw = runtime.run({name: p.numpy() for name, p in codes.items()}, advance)
            gaze.append(in_cm(runtime.contract.decode(raw), target.numpy()))
    return np.concatenate(gaze)


@names_damaged_shards
def predict_with_features(
    model_path: Path, index: PreparedIndex, split: str, spec: InputSpec
) -> tuple[Floats, Floats | None]:
    """Predict (N, 2) cm, and return the (N, F) inputs of the last dense layer as features.

    The features are None for a model that does not end in a dense layer.
    """
    predict = _float_features if model_path.suffix == ".keras" else _quantized_features
    return predict(model_path, index, split, spec)


def _float_features(
    model_path: Path, index: PreparedIndex, split: str, spec: InputSpec
) -> tuple[Floats, Floats | None]:
    model = load_trained(model_path)
    last = model.layers[-1]
    if not isinstance(last, tf.keras.layers.Dense):
        return predict_float(model_path, index, split, spec), None
    both = tf.keras.Model(model.inputs, [model.outputs[0], last.input])
    gaze, features = [], []
    with bar(f"evaluate {model_path.name}", index.split(split).frames, "frames") as advance:
        for inputs, target in plain_batches(decoded(index, split, spec)):
            predicted, inner = both(inputs, training=False)
            gaze.append(in_cm(predicted, target).numpy())
            features.append(inner.numpy().reshape(len(target), -1))
            advance(len(target))
    return np.concatenate(gaze).astype(np.float64), np.concatenate(features).astype(np.float64)


def _quantized_features(
    model_path: Path, index: PreparedIndex, split: str, spec: InputSpec
) -> tuple[Floats, Floats | None]:
    content = read_bytes(model_path)
    model = read_tflite(content)
    inner = penultimate_tensor(model)
    if inner is None:
        return predict_quantized(model_path, index, split, spec), None
    runtime = ReferenceRuntime(content, inner)
    gaze, features = [], []
    with bar(f"evaluate {model_path.name}", index.split(split).frames, "frames") as advance:
        for codes, target in decoded(index, split, spec).batch(_CHUNK):
            raw, values = runtime.run_with_inner({name: p.numpy() for name, p in codes.items()}, advance)
            gaze.append(in_cm(runtime.contract.decode(raw), target.numpy()))
            features.append(values)
    tensor, stored = model.tensors[inner], np.concatenate(features).astype(np.float64)
    real = (stored - tensor.zero_point) * tensor.scale if tensor.scales else stored
    return np.concatenate(gaze), real


def penultimate_tensor(model: TfliteModel) -> int | None:
    """Return the index of the input tensor of the last fully connected operator.

    Only elementwise operators (tanh, a change of dtype or shape) may follow it; otherwise None.
    """
    followers = ("TANH", "QUANTIZE", "DEQUANTIZE", "RESHAPE")
    for operator in reversed(model.operators):
        if operator.name == "FULLY_CONNECTED":
            return operator.inputs[0]
        if operator.name not in followers:
            return None
    return None
