"""Quantization: from a float network to a full-integer .tflite file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytracker.errors import ModelError, UnknownNameError, UsageError
from tinytracker.files import StrPath, sha256_bytes, sha256_file, write_bytes
from tinytracker.lazy import exports
from tinytracker.locks import locked
from tinytracker.progress import say
from tinytracker.quant.record import RECORD_NAME, QuantizationRecord
from tinytracker.quant.settings import QatSettings
from tinytracker.requirements import require, require_tensorflow
from tinytracker.runs import Run, provenance
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.data.index import PreparedIndex
    from tinytracker.model.tflite_model import TfliteModel
    from tinytracker.quant.calibration import CalibrationSet
    from tinytracker.quant.contract import IoContract
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "contract": ("IoContract",),
        },
    )

__all__ = [
    "IO_TYPES",
    "METHODS",
    "IoContract",
    "Job",
    "QatSettings",
    "QuantizeResult",
    "quantize",
    "require_full_integer",
]

IO_TYPES = ("int8", "uint8")


@dataclass(frozen=True)
class QuantizeResult:
    """A quantized model on disk.

    Attributes:
        model: the .tflite file. name: name of its folder in the run, for example "ptq-int8".
        bytes: size of the file. sha256: of the file.
        calibration: frames, subjects, strata and sha256 of the calibration set.
        contract: inputs and outputs with scale and zero point.
        training: of method "qat": epochs, best epoch, its validation error, learning rate, seconds.
    """

    model: Path
    name: str
    bytes: int
    sha256: str
    calibration: dict[str, Any]
    contract: dict[str, Any]
    training: dict[str, Any] | None = None


@dataclass(frozen=True)
class Job:
    """The arguments of a quantization method.

    Attributes:
        run: a finished run. index: its prepared data.
        calibration: frames of the training split.
        io: "int8" or "uint8".
        qat: settings of quantization-aware training.
    """

    run: Run
    index: PreparedIndex
    calibration: CalibrationSet
    io: str
    qat: QatSettings


def _ptq(job: Job) -> tuple[bytes, dict[str, Any] | None]:
    from tinytracker.model.keras_builder import load_trained, with_output
    from tinytracker.model.presets import find_preset
    from tinytracker.quant.ptq import convert

    model = load_trained(job.run.trained_model())
    preset = find_preset(job.run.preset_name)
    if preset.levels is not None:
        from tinytracker.quant.clipping import device_weights
        from tinytracker.quant.qat_model import device_model

        twin = device_model(preset.device_network(), preset.gaze_output, device_weights(model, preset))
        return convert(twin, job.calibration, job.io), None
    return convert(with_output(model, preset.output), job.calibration, job.io), None


def _qat(job: Job) -> tuple[bytes, dict[str, Any] | None]:
    require(
        "tensorflow_model_optimization",
        "TensorFlow Model Optimization",
        "quantization-aware training",
        "train",
    )
    from tinytracker.quant.qat import quantize_aware

    if job.run.describe().config.get("head", "linear") != "linear":
        raise ModelError(
            f"{job.run.path}: the network ends in tanh, which is not trained with rounding.",
            'Use --method ptq, or train with head = "linear".',
        )
    with locked(job.run.path, "quantize --method qat", ".qat.lock"):
        return quantize_aware(job.run, job.index, job.calibration, job.qat, job.io)


METHODS: dict[str, Callable[[Job], tuple[bytes, dict[str, Any] | None]]] = {"ptq": _ptq, "qat": _qat}
"""Quantization methods: job -> content of the .tflite file, and the record of training or None."""


def quantize(
    run_folder: StrPath,
    method: str = "ptq",
    io: str = "int8",
    calibration_frames: int = 500,
    data: StrPath | None = None,
    seed: int = 0,
    qat: QatSettings | None = None,
) -> QuantizeResult:
    """Quantize a trained run into `RUN/quantized/<method>-<io>/model.tflite`.

    "ptq" takes the ranges of activations from calibration frames. "qat" then continues training with all rounding
    simulated in the network; the next call resumes a stopped training run, and a finished one is not repeated.

    The file contains only integer tensors, its input scale is exactly 1/128, and the calibration frames are drawn
    across devices, orientations and subjects of the training split; their hash is stored in quantization.json
    beside it. A network whose activations have levels for spikes becomes its INT8 twin: the same weights, activations
    clipped at the same thresholds, and 256 levels instead (`tinytracker.quant.clipping`).

    Args:
        run_folder: a finished run.
        method: one of `METHODS`.
        io: "int8" (Spresense) or "uint8" (Coral) inputs and outputs.
        calibration_frames: number of frames to draw.
        data: prepared data; None for the folder that the run was trained on.
        seed: random seed of the draw.
        qat: settings of method "qat"; None for the defaults.

    Raises:
        UnknownNameError: no such method or I/O type.
        UsageError: settings of "qat" with another method.
        OutputError: `RUN/qat` holds an earlier training run with other settings.
        InputFileError: not a finished run, or its data no longer exists.
        ModelError: a float tensor is left, or the input scale is not 1/128.
        MissingDependencyError: TensorFlow is not installed.

    Example:
        >>> from tinytracker.quant import quantize
        >>> quantized = quantize("run", calibration_frames=16)
        >>> quantized.name, [scale["scale"] for scale in quantized.contract["inputs"]]
        ('ptq-int8', [0.0078125])
    """
    run_folder = Path(run_folder)
    data = Path(data) if data is not None else None
    if method not in METHODS:
        raise UnknownNameError("quantization method", method, METHODS)
    if io not in IO_TYPES:
        raise UnknownNameError("I/O type", io, IO_TYPES)
    if qat is not None and method != "qat":
        raise UsageError(f"Method {method} does not train.", "Add --method qat, or omit its settings.")
    from tinytracker.data.index import read_index
    from tinytracker.model.presets import find_preset

    run = Run.open(run_folder)
    run.trained_model()
    description = run.describe()
    preset = find_preset(description.preset)
    preset.require_int8()
    if method == "qat":
        preset.gaze_output  # noqa: B018 - refuses a finder before its data are read
    index = read_index(data or Path(description.data.path))
    require_tensorflow("quantization")
    from tinytracker.model.tflite_file import read_tflite
    from tinytracker.quant.calibration import SPLIT, calibration_set
    from tinytracker.quant.contract import IoContract

    say(f"{run.path}: drawing {counted(calibration_frames, 'calibration frame')}")
    calibration = calibration_set(index, preset.input, calibration_frames, seed, preset.aim)
    say(
        f"{run.path}: {method.upper()} on {counted(calibration.frames, 'frame')} of "
        f"{counted(calibration.subjects, 'subject')}"
    )
    content, training = METHODS[method](Job(run, index, calibration, io, qat or QatSettings()))
    model = read_tflite(content, f"{method}-{io}")
    require_full_integer(model)
    contract = IoContract.of(model)
    if not contract.is_pixel_exact:
        scales = ", ".join(f"{t.name}: scale {t.scale!r}, zero point {t.zero_point}" for t in contract.inputs)
        raise ModelError(f"The input scale must be 1/128 with the zero point of a pixel; it is {scales}.")

    if preset.finder:
        contract.require_finder()

    folder = run.quantized(f"{method}-{io}")
    path = write_bytes(folder / "model.tflite", content)
    result = QuantizeResult(
        path, folder.name, len(content), sha256_bytes(content),
        {
            "split": SPLIT, "frames": calibration.frames, "subjects": calibration.subjects,
            "device_orientation_pairs": calibration.strata, "sha256": calibration.sha256,
            "data_hash": index.data_sha256, "seed": seed,
        },
        contract.as_json(),
        training,
    )  # fmt: skip
    made = {
        **asdict(result), "model": path.name, "contract": contract.as_json(),
        "float_sha256": sha256_file(run.trained_model()),
    }  # fmt: skip
    record = QuantizationRecord(method=method, io=io, **made, **provenance())
    record.write(folder / RECORD_NAME)
    return result


def require_full_integer(model: TfliteModel) -> None:
    """Reject a model that would compute anything in floating point.

    Raises:
        ModelError: names the tensors that are not integer.
    """
    from tinytracker.model.tflite_stats import non_int8_tensors

    left = [t for t in non_int8_tensors(model) if t.dtype != "uint8"]  # uint8 is the other I/O type
    if left:
        names = ", ".join(f"{t.name} ({t.dtype})" for t in left[:5])
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        raise ModelError(
            f"{model.source} is not fully INT8; these tensors are not: {names}{more}.",
            "Every operator needs an INT8 kernel and every tensor a calibrated range.",
        )
