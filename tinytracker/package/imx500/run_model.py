"""The quantized model of a run: made once, kept in the run, evaluated on the test split beside the float network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import InputFileError
from tinytracker.files import make_folder, read_json, sha256_file, write_json, writing
from tinytracker.model.presets import Preset, find_preset
from tinytracker.package.imx500.quantize import (
    OUTPUT_BITS,
    PLATFORM_VERSION,
    load_quantized,
    quantize,
    versions,
)
from tinytracker.progress import bar, say
from tinytracker.runs import SCHEMA_VERSION, Run

NAME = "mct-int8"
"""Name of the model in a run and of its evaluation."""

CALIBRATION_FRAMES = 500
_BATCH = 25
_SEED = 0
_SPLIT = "test"


@dataclass(frozen=True)
class RunModel:
    """A run's model for the sensor.

    Attributes:
        path: the `.keras` file that Sony's converter takes.
        preset: of the run.
        description: content of the run's run.json.
        quantization: how it was made, JSON-able.
        data: prepared data of the run, or None when it is gone.
    """

    run: Run
    path: Path
    preset: Preset
    description: dict[str, Any]
    quantization: dict[str, Any]
    data: Path | None


def quantized_run(folder: Path) -> RunModel:
    """Quantize a run for the sensor, or take what an earlier call made of the same network.

    Raises:
        InputFileError: not a finished run, or its data is gone before a model was made.
        ModelError: the network cannot be quantized.
        MissingDependencyError: TensorFlow or MCT is not installed.
    """
    run = Run.open(folder)
    trained = run.trained_model()
    description = run.describe()
    preset = find_preset(description["preset"])
    data = Path(description["data"]["path"])
    known_data = data if data.is_dir() else None
    path = run.quantized(NAME) / "gaze.keras"
    record_path = path.with_name("quantization.json")
    key = {
        "method": "MCT post-training quantization", "platform_version": PLATFORM_VERSION, "output_bits": OUTPUT_BITS,
        "float_sha256": sha256_file(trained), "versions": versions(),
        "calibration_frames": CALIBRATION_FRAMES, "seed": _SEED,
    }  # fmt: skip
    if path.is_file() and record_path.is_file():
        record = read_json(record_path)
        if {k: record.get(k) for k in key} == key and record.get("sha256") == sha256_file(path):
            say(f"{path}: taken from an earlier run of this command")
            return RunModel(run, path, preset, description, record, known_data)
    if known_data is None:
        raise InputFileError(
            data, "the run's prepared data is gone, calibration needs it", "Prepare it again."
        )
    record = {**key, **_quantize(trained, preset, known_data, path)}
    write_json(record_path, {"schema_version": SCHEMA_VERSION, **record, "sha256": sha256_file(path)})
    return RunModel(run, path, preset, description, read_json(record_path), known_data)


def _quantize(trained: Path, preset: Preset, data: Path, path: Path) -> dict[str, Any]:
    from tinytracker.data.index import read_index
    from tinytracker.quant.calibration import SPLIT, calibration_set

    index = read_index(data)
    calibration = calibration_set(index, preset.input, CALIBRATION_FRAMES, _SEED)
    samples = [next(iter(sample.values())) for sample in calibration.samples()]

    def batches() -> Iterator[NDArray[np.float32]]:
        for i in range(0, len(samples), _BATCH):
            yield np.concatenate(samples[i : i + _BATCH])

    quantize(trained, batches, path)
    return {
        "calibration": {
            "split": SPLIT, "frames": calibration.frames, "subjects": calibration.subjects,
            "device_orientation_pairs": calibration.strata, "sha256": calibration.sha256,
            "data_hash": index.data_sha256,
        },
    }  # fmt: skip


def evaluated(model: RunModel) -> dict[str, Any]:
    """Errors on the test split, float beside quantized; {} for what cannot be evaluated because the data is gone.

    Results are kept in the run as `tinytracker evaluate` keeps them.
    """
    from tinytracker.evaluate import evaluate, stored_errors

    errors: dict[str, Any] = {}
    if model.data is not None and _has_test_frames(model.data):
        if stored_errors(model.run, "float") is None:
            evaluate(model.run.path)
        _evaluate_quantized(model, model.data)
    for name in ("float", NAME):
        found = stored_errors(model.run, name)
        if found is not None:
            errors[f"{name}-{_SPLIT}"] = {"overall": found["overall"], "by_family": found["by_family"]}
    return errors


def _has_test_frames(data: Path) -> bool:
    from tinytracker.data.index import read_index

    return read_index(data).splits[_SPLIT].frames > 0


def _evaluate_quantized(model: RunModel, data: Path) -> None:
    """Evaluate the quantized model unless the run has its errors already."""
    from tinytracker.data.index import read_index

    index = read_index(data)
    result_path = model.run.evaluation(NAME, _SPLIT)
    sha256 = model.quantization["sha256"]
    if result_path.is_file():
        stored = read_json(result_path)
        if (stored.get("model_sha256"), stored.get("data_hash")) == (sha256, index.data_sha256):
            return
    from tinytracker.evaluate.metrics import summarize
    from tinytracker.evaluate.predict import truth
    from tinytracker.train.dataset import decoded, in_cm, plain_batches

    predict = load_quantized(model.path)
    predictions = []
    with bar(f"evaluate {NAME}", index.split(_SPLIT).frames, "frames") as advance:
        for inputs, target in plain_batches(decoded(index, _SPLIT, model.preset.input)):
            predictions.append(in_cm(predict(next(iter(inputs.values())).numpy()), target.numpy()))
            advance(len(target))
    frames = truth(index, _SPLIT)
    predicted = np.concatenate(predictions)
    make_folder(result_path.parent)
    with writing(result_path):
        np.savez_compressed(
            result_path.with_suffix(".npz"),
            predicted=predicted, gaze=frames.gaze, subject=frames.subject, dot=frames.dot,
        )  # fmt: skip
    write_json(
        result_path,
        {
            "schema_version": SCHEMA_VERSION, "model": str(model.path), "model_sha256": sha256, "kind": NAME,
            "split": _SPLIT, "data_hash": index.data_sha256,
            "errors": summarize(predicted, frames, index.gaze.mean),
        },
    )  # fmt: skip
