"""Quantization: from a trained float network to a full-integer .tflite file, and what runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytracker.errors import ModelError, UnknownNameError
from tinytracker.files import sha256_bytes, write_bytes, write_json
from tinytracker.progress import say
from tinytracker.requirements import require_tensorflow
from tinytracker.runs import SCHEMA_VERSION, Run, command_line, versions

if TYPE_CHECKING:
    from tinytracker.model.tflite_file import TfliteModel
    from tinytracker.quant.calibration import CalibrationSet

__all__ = ["IO_TYPES", "METHODS", "QuantizeResult", "quantize", "require_full_integer"]

IO_TYPES = ("int8", "uint8")


@dataclass(frozen=True)
class QuantizeResult:
    """A quantized model on disk.

    Attributes:
        model: the .tflite file. name: of its folder in the run, for example "ptq-int8".
        bytes: size. sha256: of the file.
        calibration: frames, subjects, strata and sha256 of the calibration set.
        contract: inputs and outputs with scale and zero point.
    """

    model: Path
    name: str
    bytes: int
    sha256: str
    calibration: dict[str, Any]
    contract: dict[str, Any]


def _ptq(run: Run, calibration: CalibrationSet, io: str) -> bytes:
    from tinytracker.model.keras_builder import with_output
    from tinytracker.model.presets import find_preset
    from tinytracker.quant.ptq import convert
    from tinytracker.train.loop import load_trained

    model = load_trained(run.trained_model())
    return convert(with_output(model, find_preset(run.preset_name).output), calibration, io)


METHODS: dict[str, Callable[[Run, CalibrationSet, str], bytes]] = {"ptq": _ptq}
"""Ways to quantize a run: (run, calibration, io) -> content of the .tflite file."""


def quantize(
    run_folder: Path,
    method: str = "ptq",
    io: str = "int8",
    calibration_frames: int = 500,
    data: Path | None = None,
    seed: int = 0,
) -> QuantizeResult:
    """Quantize a trained run into `RUN/quantized/<method>-<io>/model.tflite`.

    The file holds integers only, its input scale is exactly 1/128, and the calibration frames are drawn across
    devices, orientations and subjects of the training split, with their hash kept in quantization.json beside it.

    Args:
        run_folder: a finished run.
        method: one of `METHODS`.
        io: "int8" (Spresense) or "uint8" (Coral) inputs and outputs.
        calibration_frames: how many to draw.
        data: prepared data; None for the folder that the run was trained on.
        seed: of the draw.

    Raises:
        UnknownNameError: no such method or I/O type.
        InputFileError: not a finished run, or its data is gone.
        ModelError: a float tensor is left, or the input scale is not 1/128.
        MissingDependencyError: TensorFlow is not installed.
    """
    if method not in METHODS:
        raise UnknownNameError("quantization method", method, METHODS)
    if io not in IO_TYPES:
        raise UnknownNameError("I/O type", io, IO_TYPES)
    from tinytracker.data.index import read_index
    from tinytracker.model.presets import find_preset

    run = Run.open(run_folder)
    run.trained_model()
    description = run.describe()
    preset = find_preset(description["preset"])
    index = read_index(data or Path(description["data"]["path"]))
    require_tensorflow("quantization")
    from tinytracker.model.tflite_file import read_tflite
    from tinytracker.quant.calibration import SPLIT, calibration_set
    from tinytracker.quant.contract import IoContract

    say(f"{run.path}: drawing {calibration_frames} calibration frames")
    calibration = calibration_set(index, preset.input, calibration_frames, seed)
    say(f"{run.path}: {method.upper()} on {calibration.frames} frames of {calibration.subjects} subjects")
    content = METHODS[method](run, calibration, io)
    model = read_tflite(content, f"{method}-{io}")
    require_full_integer(model)
    contract = IoContract.of(model)
    if not contract.is_pixel_exact:
        scales = ", ".join(f"{t.name}: scale {t.scale!r}, zero point {t.zero_point}" for t in contract.inputs)
        raise ModelError(f"The input scale must be 1/128 with the zero point of a pixel; it is {scales}.")

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
    )  # fmt: skip
    record = {
        "schema_version": SCHEMA_VERSION,
        "method": method,
        "io": io,
        **asdict(result),
        "model": path.name,
    }
    write_json(folder / "quantization.json", {**record, "command": command_line(), "versions": versions()})
    return result


def require_full_integer(model: TfliteModel) -> None:
    """Refuse a model that would compute in floating point anywhere.

    Raises:
        ModelError: names each tensor that is not integer.
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
