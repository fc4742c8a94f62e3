"""Quantization-aware training: trains the float network further with the device's rounding simulated in it.

It starts from the weights of a finished run and the ranges of its calibration frames, and has its own run folder
`RUN/qat`, from which a stopped training run is resumed. Importing this imports TensorFlow.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tinytracker.archives import DAMAGED
from tinytracker.data.index import PreparedIndex
from tinytracker.data.tensorflow_errors import names_damaged_shards
from tinytracker.errors import InputFileError
from tinytracker.files import read_bytes, sha256_file, write_arrays
from tinytracker.model.keras_builder import load_trained
from tinytracker.model.presets import Preset, find_preset
from tinytracker.progress import say
from tinytracker.quant.calibration import CalibrationSet
from tinytracker.quant.clipping import device_weights
from tinytracker.quant.folding import Weights
from tinytracker.quant.ptq import convert
from tinytracker.quant.qat_model import (
    export_model,
    float_model,
    refresh_ranges,
    trained_weights,
    training_model,
)
from tinytracker.quant.ranges import Range, group_ranges
from tinytracker.quant.settings import QatSettings
from tinytracker.runs import Run, write_description
from tinytracker.train.config import TrainConfig
from tinytracker.train.loop import train_epochs
from tinytracker.train.state import describe_training, state_to_go_on_from
from tinytracker.train.task import Task

FOLDER = "qat"
_WEIGHTS = "weights.npz"
_RATE_OF_THE_RUN = 1 / 20
_BATCH = 16


@names_damaged_shards
def quantize_aware(
    run: Run, index: PreparedIndex, calibration: CalibrationSet, settings: QatSettings, io_type: str
) -> tuple[bytes, dict[str, Any]]:
    """Train with rounding, or reuse what an earlier call trained, and convert.

    Args:
        run: a finished run.
        index: prepared data.
        calibration: frames that set the ranges of activations, which stay fixed during training.
        settings: length and learning rate of training.
        io_type: "int8" or "uint8".

    Returns:
        Content of the .tflite file, and the record of training.

    Raises:
        OutputError: `RUN/qat` holds a training run with other settings.
        ModelError: the converter refuses the network.
    """
    preset = find_preset(run.preset_name)
    network = preset.device_network()
    own = Run(run.path / FOLDER)
    config = _config(run, settings)
    description = describe_training(index, preset, config) | {
        "float_sha256": sha256_file(run.trained_model()), "calibration_sha256": calibration.sha256,
    }  # fmt: skip
    state = state_to_go_on_from(own, description, resume=True, another=f"delete {own.path}")
    if not state.finished or not (own.path / _WEIGHTS).is_file():
        if config.deterministic:
            tf.config.experimental.enable_op_determinism()
        tf.keras.utils.set_random_seed(config.seed)
        weights = device_weights(load_trained(run.trained_model()), preset)
        if not own.description_path.is_file():
            seen = _observe(float_model(network, preset.gaze_output, weights), calibration)
            write_description(own, description | {"ranges": group_ranges(network, seen)})
        model = training_model(network, preset.gaze_output, weights, _ranges(own))
        train_epochs(model, Task(index, preset, own, config), state, f"QAT {preset.name}", keep_start=True)
        refresh_ranges(model)
        _save(own, trained_weights(model))
    else:
        say(f"{own.path}: already trained, validation error {state.best_error_cm:.2f} cm")
    exported = export_model(network, preset.gaze_output, _load(own), _ranges(own))
    training = {
        "epochs": state.epoch, "best_epoch": state.best_epoch, "val_error_cm": state.best_error_cm,
        "learning_rate": config.learning_rate, "seconds": state.seconds,
    }  # fmt: skip
    return convert(exported, None, io_type), training


def load_aware(run: Run, preset: Preset) -> tf.keras.Model:
    """Load the network from quantization-aware training: inputs by name, float32 p/128 - 1; output (N, 2) cm.

    Raises:
        InputFileError: the run has none.
    """
    own = Run(run.path / FOLDER)
    return training_model(preset.device_network(), preset.gaze_output, _load(own), _ranges(own))


def has_aware(run: Run) -> bool:
    """Return True when the run has quantization-aware training."""
    return (run.path / FOLDER / _WEIGHTS).is_file()


def _config(run: Run, settings: QatSettings) -> TrainConfig:
    """Return the run's settings with fewer epochs and a lower learning rate."""
    before = TrainConfig.model_validate(run.describe().config)
    return before.model_copy(
        update={
            "init": None,
            "epochs": settings.epochs,
            "patience": settings.epochs,
            "warmup_epochs": 0.0,
            "weight_decay": 0.0,
            "optimizer": "adamw",
            "learning_rate": settings.learning_rate or before.learning_rate * _RATE_OF_THE_RUN,
        }
    )


def _observe(model: tf.keras.Model, calibration: CalibrationSet) -> dict[str, Range]:
    """Return the smallest and largest value of each node over the calibration frames."""
    seen: dict[str, Range] = {}
    for batch in _batches(calibration):
        for name, value in model(batch, training=False).items():
            low, high = seen.get(name, (np.inf, -np.inf))
            seen[name] = (min(low, float(tf.reduce_min(value))), max(high, float(tf.reduce_max(value))))
    return seen


def _batches(calibration: CalibrationSet) -> Iterator[dict[str, Any]]:
    samples = list(calibration.samples())
    for i in range(0, len(samples), _BATCH):
        part = samples[i : i + _BATCH]
        yield {name: np.concatenate([s[name] for s in part]) for name in part[0]}


def _ranges(own: Run) -> dict[str, Range]:
    return own.describe().ranges or {}


def _save(own: Run, weights: dict[str, Weights]) -> None:
    arrays = {
        f"{name}/{part}": getattr(w, part) for name, w in weights.items() for part in ("kernel", "bias")
    }
    write_arrays(own.path / _WEIGHTS, arrays)


def _load(own: Run) -> dict[str, Weights]:
    path = own.path / _WEIGHTS
    content = read_bytes(path, "Create it with: tinytracker quantize RUN --method qat")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            nodes = dict.fromkeys(key.rpartition("/")[0] for key in archive.files)
            return {name: Weights(archive[f"{name}/kernel"], archive[f"{name}/bias"]) for name in nodes}
    except DAMAGED as error:
        raise InputFileError(path, f"damaged ({error})", f"Delete {own.path} and quantize again.") from error
