"""Evaluation: gaze errors by subject and device, compared with those of a constant prediction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.evaluate.aim_numbers import AimNumbers
from tinytracker.evaluate.document import EvaluationDocument
from tinytracker.evaluate.finder_numbers import FinderNumbers
from tinytracker.evaluate.metrics import Errors
from tinytracker.files import StrPath, read_bytes, write_arrays
from tinytracker.lazy import exports
from tinytracker.requirements import require_tensorflow
from tinytracker.runs import Run, provenance
from tinytracker.spiking.document import (
    DOCUMENT_NAME,
    FOLDER,
    NETWORK_NAME,
    SpikingNumbers,
    folder_of,
    read_document,
    require_current,
    require_described,
)

if TYPE_CHECKING:
    from tinytracker.data.index import PreparedIndex
    from tinytracker.data.inputs import InputSpec
    from tinytracker.evaluate.calibration import Calibration, fit, read_calibration
    from tinytracker.evaluate.calibration_device import device_gaze
    from tinytracker.evaluate.calibration_points import CalibrationPoints, read_points
    from tinytracker.evaluate.calibration_table import CalibrationTable, evaluate_calibration
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "calibration": ("Calibration", "fit", "read_calibration"),
            "calibration_device": ("device_gaze",),
            "calibration_points": ("CalibrationPoints", "read_points"),
            "calibration_table": ("CalibrationTable", "evaluate_calibration"),
        },
    )

__all__ = [
    "SPLITS",
    "Calibration",
    "CalibrationPoints",
    "CalibrationTable",
    "Evaluation",
    "EvaluationTarget",
    "device_gaze",
    "evaluate",
    "evaluate_calibration",
    "fit",
    "open_target",
    "read_calibration",
    "read_points",
]

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Evaluation:
    """The errors of one model on one split.

    Attributes:
        model: the evaluated file. kind: "float" or the quantized model's name.
        split: of the prepared data. data_hash: hash of the prepared data.
        errors: in cm; of a finder, those of the position, at the face. aim: where the network places its crop, or None.
        finder: what a finder finds, or None. spiking: what a spiking network does, or None.
        path: JSON file with this evaluation, or None when the model is not in a run.
    """

    model: Path
    kind: str
    split: str
    data_hash: str
    errors: Errors
    path: Path | None = None
    aim: AimNumbers | None = None
    finder: FinderNumbers | None = None
    spiking: SpikingNumbers | None = None

    def document(self, **origin: Any) -> EvaluationDocument:
        """Return the document of this evaluation; `origin` holds command and versions when it is stored in a run."""
        return EvaluationDocument(
            model=str(self.model), kind=self.kind, split=self.split, data_hash=self.data_hash, errors=self.errors,
            aim=self.aim, finder=self.finder, spiking=self.spiking, **origin,
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return the JSON document of this evaluation."""
        return self.document().as_json()


@dataclass(frozen=True)
class EvaluationTarget:
    """A model and the data to evaluate it on.

    Attributes:
        model: the file. kind: "float", the quantized model's name, or the file's stem.
        input: the network's inputs. index: of the prepared data.
        run: the run of the model, or None.
    """

    model: Path
    kind: str
    input: InputSpec
    index: PreparedIndex
    run: Run | None


def open_target(
    target: StrPath, data: StrPath | None, split: str, model: str, preset: str | None
) -> EvaluationTarget:
    """Find model, input and data; arguments and errors are those of `evaluate`."""
    target = Path(target)
    data = Path(data) if data is not None else None
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    from tinytracker.data.index import read_index
    from tinytracker.model.presets import find_preset

    run = None if target.suffix == ".tflite" else Run.open(target)
    if run is not None:
        description = run.describe()
        path, kind = _model_of_run(run, model), model
        spec = find_preset(description.preset).input
        data = data or Path(description.data.path)
    else:
        path, kind = target, target.stem
        spec = (find_preset(preset) if preset else _preset_for(target)).input
        if data is None:
            raise UsageError(f"{target}: a .tflite file does not name its data.", "Add --data PREPARED.")
    index = read_index(data)
    index.split(split)
    return EvaluationTarget(path, kind, spec, index, run)


def evaluate(
    target: StrPath,
    data: StrPath | None = None,
    split: str = "test",
    model: str = "float",
    preset: str | None = None,
) -> Evaluation:
    """Evaluate one model on a split.

    For a model of a run, the result is stored in `RUN/evaluation/<model>-<split>.json`, with the predictions beside it
    as .npz. Quantized models are run with TensorFlow Lite's reference kernels.

    For a network with an aim on data prepared with `--aim`, about 500 frames of the split also show where the network
    places its own crop; see `tinytracker.evaluate.aim`.

    Args:
        target: a run folder, or a .tflite file.
        data: prepared data; None for the data of the run.
        split: "train", "val" or "test".
        model: for a run: "float", the name of a quantized model such as "ptq-int8", or "spiking".
        preset: for a .tflite file outside a run: the preset with its input; None to find one by the input's shape.

    Raises:
        InputFileError: the target, the data or the split is missing or empty.
        UnknownNameError: no such split, model or preset.
        UsageError: a .tflite file without `data`.
        MissingDependencyError: TensorFlow is not installed.

    Example:
        >>> from tinytracker.evaluate import evaluate
        >>> errors = evaluate("run", model="ptq-int8").errors
        >>> errors.overall.frames, 0 < errors.overall.error_cm < 30
        (5, True)
    """
    target = Path(target)
    data = Path(data) if data is not None else None
    return evaluate_opened(open_target(target, data, split, model, preset), split)


def evaluate_opened(chosen: EvaluationTarget, split: str) -> Evaluation:
    """`evaluate` for a model that is already open; `split` must be a split of the index with frames."""
    index, path = chosen.index, chosen.model
    require_tensorflow("evaluation")
    from tinytracker.evaluate.aim_predict import aim_numbers
    from tinytracker.evaluate.finder_predict import find_all
    from tinytracker.evaluate.metrics import Frames, summarize
    from tinytracker.evaluate.predict import predict_float, predict_quantized, truth

    aim, finder, spiking = None, None, None
    if chosen.input.kind == "frame":
        predicted, frames, finder = find_all(path, index, split, chosen.input)
        errors = summarize(predicted, frames, (0.0, 0.0), index.people)
    elif path.name == NETWORK_NAME:
        from tinytracker.spiking.prediction import predict_spiking

        frames = truth(index, split)
        predicted, spiking = predict_spiking(path, index, split, chosen.input)
        errors = summarize(predicted, frames, index.gaze.mean, index.people)
    else:
        frames = truth(index, split)
        predict = predict_float if path.suffix == ".keras" else predict_quantized
        predicted = predict(path, index, split, chosen.input)
        errors = summarize(predicted, frames, index.gaze.mean, index.people)
        aim = aim_numbers(path, index, split, chosen.input)
    result = Evaluation(
        path, chosen.kind, split, index.data_sha256, errors,
        chosen.run.evaluation(chosen.kind, split) if chosen.run else None, aim, finder, spiking,
    )  # fmt: skip
    if result.path is not None:
        columns = {name: getattr(frames, name) for name in Frames.__dataclass_fields__}
        write_arrays(result.path.with_suffix(".npz"), {"predicted": predicted, **columns}, compressed=True)
        result.document(**provenance()).write(result.path)
    return result


def stored_errors(run: Run, model: str, split: str = "test") -> Errors | None:
    """Return the errors that an earlier `evaluate` stored in the run, or None."""
    path = run.evaluation(model, split)
    if not path.is_file():
        return None
    return EvaluationDocument.read(path).errors


def _model_of_run(run: Run, model: str) -> Path:
    if model == "float":
        return run.trained_model()
    if model == FOLDER:
        from tinytracker.spiking.nir_file import parse_nir

        about = read_document(run)
        require_current(run, about)
        path = folder_of(run) / about.network
        content = read_bytes(path)
        parse_nir(content, path)  # so that a cut file is called cut, not another one
        require_described(run, about, content)
        return path
    names = run.quantized_names()
    if model not in names:
        spiking = [FOLDER] if (folder_of(run) / DOCUMENT_NAME).is_file() else []
        raise UnknownNameError("model in this run", model, ["float", *names, *spiking])
    return run.quantized(model) / "model.tflite"


def _preset_for(path: Path) -> Any:
    """Return the preset whose inputs have the same shapes as this file's."""
    from tinytracker.model.presets import PRESETS
    from tinytracker.model.tflite_file import read_tflite

    shapes = sorted(t.shape[1:] for t in read_tflite(path).input_tensors())
    for preset in PRESETS.values():
        if sorted(preset.input.shapes.values()) == shapes:
            return preset
    raise UsageError(
        f"{path}: no preset has inputs of shape {shapes}.",
        "Name the preset whose input it takes with --preset.",
    )
