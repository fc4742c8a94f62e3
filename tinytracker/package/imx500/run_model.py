"""A run's quantized model: made once, kept in the run, and evaluated on the test split beside the float network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.data.index import PreparedIndex, read_index
from tinytracker.errors import InputFileError
from tinytracker.evaluate import EvaluationTarget, evaluate_opened, stored_errors
from tinytracker.evaluate.document import EvaluationDocument
from tinytracker.files import sha256_file, write_arrays
from tinytracker.model.presets import Preset, find_preset
from tinytracker.package.imx500.quantize import (
    OUTPUT_BITS,
    PLATFORM_VERSION,
    load_quantized,
    quantize,
    versions,
)
from tinytracker.package.source import ModelSource, open_source
from tinytracker.progress import bar, say
from tinytracker.quant.record import RECORD_NAME, CalibrationFrames, SensorQuantization
from tinytracker.runs import Run, RunDescription

if TYPE_CHECKING:
    from tinytracker.evaluate.metrics import Headline

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
        path: the `.keras` file that Sony's converter takes. preset: preset of the run.
        description: description of the run. quantization: how the model was made.
        index: prepared data of the run; None when it no longer exists.
    """

    run: Run
    path: Path
    preset: Preset
    description: RunDescription
    quantization: SensorQuantization
    index: PreparedIndex | None


def quantized_run(folder: Path) -> RunModel:
    """Return `quantized_source` for a run folder."""
    return quantized_source(open_source(folder, NAME))


def quantized_source(source: ModelSource) -> RunModel:
    """Quantize a run for the sensor, or reuse the result of an earlier call for the same network.

    Raises:
        InputFileError: the folder is not a finished run, or its data was removed before a model was made.
        ModelError: the network cannot be quantized.
        MissingDependencyError: TensorFlow or MCT is not installed.
    """
    run, description = source.run, source.description
    if run is None or description is None:
        raise InputFileError(
            source.path, "not a run folder", "Name a folder made by `tinytracker train --out`."
        )
    trained = run.trained_model()
    preset = find_preset(description.preset)
    index = None if source.data is None else read_index(source.data)
    path = run.quantized(NAME) / "gaze.keras"
    record_path = path.with_name(RECORD_NAME)
    key: dict[str, Any] = {
        "method": "MCT post-training quantization", "platform_version": PLATFORM_VERSION, "output_bits": OUTPUT_BITS,
        "float_sha256": sha256_file(trained), "versions": versions(),
        "calibration_frames": CALIBRATION_FRAMES, "seed": _SEED,
    }  # fmt: skip
    if path.is_file() and record_path.is_file():
        record = _earlier(record_path)
        if (
            record is not None
            and record.model_dump(include=set(key)) == key
            and record.sha256 == sha256_file(path)
        ):
            say(f"{path}: reused from an earlier run of this command")
            return RunModel(run, path, preset, description, record, index)
    if index is None:
        raise InputFileError(
            Path(description.data.path),
            "the run's prepared data is missing; calibration needs it",
            "Prepare it again.",
        )
    calibration = _quantize(trained, preset, index, path)
    record = SensorQuantization(
        schema_version=SensorQuantization.newest, **key, calibration=calibration, sha256=sha256_file(path)
    )
    record.write(record_path)
    return RunModel(run, path, preset, description, record, index)


def _earlier(path: Path) -> SensorQuantization | None:
    """Return the record of an earlier call; None when it cannot be used, so that the model is made again."""
    try:
        return SensorQuantization.read(path)
    except InputFileError:
        return None


def _quantize(trained: Path, preset: Preset, index: PreparedIndex, path: Path) -> CalibrationFrames:
    from tinytracker.quant.calibration import SPLIT, calibration_set

    calibration = calibration_set(index, preset.input, CALIBRATION_FRAMES, _SEED, preset.aim)
    samples = [next(iter(sample.values())) for sample in calibration.samples()]

    def batches() -> Iterator[NDArray[np.float32]]:
        for i in range(0, len(samples), _BATCH):
            yield np.concatenate(samples[i : i + _BATCH])

    quantize(trained, batches, path)
    return CalibrationFrames(
        split=SPLIT, frames=calibration.frames, subjects=calibration.subjects,
        device_orientation_pairs=calibration.strata, sha256=calibration.sha256, data_hash=index.data_sha256,
    )  # fmt: skip


def evaluated(model: RunModel) -> dict[str, Headline]:
    """Return errors on the test split, float beside quantized; {} when the data is missing.

    Results are kept in the run, as by `tinytracker evaluate`.
    """
    index = model.index
    can_be_made = index is not None and index.splits[_SPLIT].frames > 0
    errors = {"float": stored_errors(model.run, "float", _SPLIT)}
    if index is not None and can_be_made and errors["float"] is None:
        trained = model.run.trained_model()
        opened = EvaluationTarget(trained, "float", model.preset.input, index, model.run)
        errors["float"] = evaluate_opened(opened, _SPLIT).errors
    path = model.run.evaluation(NAME, _SPLIT)
    stored = EvaluationDocument.read(path) if path.is_file() else None
    if index is not None and can_be_made:
        known = (model.quantization.sha256, index.data_sha256)
        if stored is None or (stored.model_sha256, stored.data_hash) != known:
            stored = _evaluate_quantized(model, index, path)
    errors[NAME] = None if stored is None else stored.errors
    return {f"{name}-{_SPLIT}": e.headline for name, e in errors.items() if e is not None}


def _evaluate_quantized(model: RunModel, index: PreparedIndex, result_path: Path) -> EvaluationDocument:
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
    arrays = {"predicted": predicted, "gaze": frames.gaze, "subject": frames.subject, "dot": frames.dot}
    write_arrays(result_path.with_suffix(".npz"), arrays, compressed=True)
    document = EvaluationDocument(
        model=str(model.path), model_sha256=model.quantization.sha256, kind=NAME, split=_SPLIT,
        data_hash=index.data_sha256, errors=summarize(predicted, frames, index.gaze.mean, index.people),
    )  # fmt: skip
    document.write(result_path)
    return document
