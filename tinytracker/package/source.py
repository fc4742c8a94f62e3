"""The model that is to be packaged: from a run, or a .tflite file that anybody made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinytracker.errors import InputFileError, ModelError, UnknownNameError
from tinytracker.evaluate import stored_errors
from tinytracker.files import read_bytes, read_json, sha256_bytes
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.package.stored_parity import stored_table
from tinytracker.quant import IO_TYPES, METHODS
from tinytracker.quant.contract import IoContract
from tinytracker.runs import Run
from tinytracker.train.initial import SYNTHETIC

_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")


@dataclass(frozen=True)
class ModelSource:
    """A quantized model and what is known about it.

    Attributes:
        content: of the .tflite file. model: the same, parsed. contract: its inputs and outputs.
        origin: JSON-able: preset, run configuration and data hash, or only the file's name.
        quantization: content of quantization.json, or None for a foreign file.
        metrics: errors that were measured, by model name and split; empty for a foreign file.
        data: prepared data to take test images from, or None.
        runtimes: the table of `tinytracker parity` about this model, or None.
    """

    content: bytes
    model: TfliteModel
    contract: IoContract
    origin: dict[str, Any]
    quantization: dict[str, Any] | None
    metrics: dict[str, Any]
    data: Path | None
    runtimes: dict[str, Any] | None = None

    @property
    def sha256(self) -> str:
        """Of the .tflite file."""
        return sha256_bytes(self.content)


def load_source(source: Path, quantized: str) -> ModelSource:
    """Read a run folder's quantized model, or a .tflite file.

    Args:
        source: run folder or .tflite file.
        quantized: which quantized model of a run, for example "ptq-int8".

    Raises:
        InputFileError: neither a run nor a .tflite file, or nothing is quantized yet.
        ModelError: the model computes in floating point.
    """
    if source.suffix == ".tflite" or source.is_file():
        content = read_bytes(source)
        origin: dict[str, Any] = {"file": source.name}
        return _checked(content, origin, None, {}, None, str(source))
    folder = quantized_model(source, quantized).parent
    run = Run.open(source)
    description = run.describe()
    origin = {k: description[k] for k in ("preset", "config", "git")} | {
        "data_hash": description["data"]["data_hash"], "data_origin": weights_origin(description),
    }  # fmt: skip
    metrics = {
        f"{name}-test": _headline(errors)
        for name in ("float", quantized)
        if (errors := stored_errors(run, name)) is not None
    }
    data = Path(description["data"]["path"])
    record = read_json(folder / "quantization.json")
    known = ("method", "io", "calibration", "training", "versions")
    quantization = {k: record[k] for k in known if record.get(k) is not None}
    content = read_bytes(folder / "model.tflite")
    table = stored_table(run, sha256_bytes(content))
    chosen = _checked(
        content, origin, quantization, metrics, data if data.is_dir() else None, f"{source} ({quantized})"
    )
    return replace(chosen, runtimes=table)


def weights_origin(description: dict[str, Any]) -> str:
    """What a run's weights were learned from: "synthetic", "recorded", or "" when that is not known.

    Weights from elsewhere that the training began with bring data along of which nothing is known here; those that
    come with tinytracker are synthetic.

    Args:
        description: content of run.json.
    """
    origin = str(description["data"].get("origin", ""))
    begun_with = description.get("init")
    known = not begun_with or description.get("config", {}).get("init") == SYNTHETIC
    return origin if known or origin == "recorded" else ""


def quantized_model(source: Path, quantized: str) -> Path:
    """The .tflite file of a quantized model of a run.

    Raises:
        InputFileError: not a run, or this model has not been made yet.
        UnknownNameError: there cannot be such a model.
    """
    run = Run.open(source)
    names = run.quantized_names()
    if not names:
        raise InputFileError(
            source, "this run has no quantized model", f"Make one with: tinytracker quantize {source}"
        )
    if quantized not in names:
        method, _, io = quantized.partition("-")
        if method in METHODS and io in IO_TYPES:
            raise InputFileError(
                source, f"this run has no quantized model {quantized} (it has {', '.join(names)})",
                f"Make it with: tinytracker quantize {source} --method {method} --io {io}",
            )  # fmt: skip
        raise UnknownNameError("quantized model in this run", quantized, names)
    return run.quantized(quantized) / "model.tflite"


def _headline(errors: dict[str, Any]) -> dict[str, Any]:
    return {"overall": errors["overall"], "by_family": errors["by_family"]}


def _checked(
    content: bytes, origin: dict[str, Any], quantization: dict[str, Any] | None, metrics: dict[str, Any],
    data: Path | None, name: str,
) -> ModelSource:  # fmt: skip
    model = read_tflite(content, name)
    refuse_float_arithmetic(model)
    return ModelSource(content, model, IoContract.of(model), origin, quantization, metrics, data)


def refuse_float_arithmetic(model: TfliteModel) -> None:
    """Refuse a model with an operator that computes in floating point.

    Conversions at the edge (QUANTIZE, DEQUANTIZE) are allowed: published models often give float32 out.

    Raises:
        ModelError: names the first such operator and its tensor.
    """
    for operator in model.operators:
        if operator.name in _CONVERSIONS:
            continue
        for i in (*operator.inputs, *operator.outputs):
            if i >= 0 and model.tensors[i].dtype.startswith("float"):
                raise ModelError(
                    f"{model.source}: operator {operator.index} ({operator.name}) works on "
                    f"{model.tensors[i].dtype} tensor {model.tensors[i].name!r}.",
                    "Quantize the model fully to INT8 first, for example with `tinytracker quantize`.",
                )
