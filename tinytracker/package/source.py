"""The model to package, from a run or a .tflite file; opened once, then passed on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytracker.errors import InputFileError, ModelError, UnknownNameError, UsageError
from tinytracker.evaluate import stored_errors
from tinytracker.files import read_bytes, sha256_bytes
from tinytracker.kinds import require_tflite
from tinytracker.model.presets import find_preset
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.package.manifest import Origin, meaning
from tinytracker.package.parity_table import ParityTable, stored_table
from tinytracker.package.purpose import looks_like_gaze
from tinytracker.quant import IO_TYPES, METHODS
from tinytracker.quant.contract import IoContract
from tinytracker.quant.record import RECORD_NAME, IoDescription, QuantizationRecord, QuantizationSummary
from tinytracker.runs import Run, RunDescription
from tinytracker.train.initial import SYNTHETIC

if TYPE_CHECKING:
    from tinytracker.evaluate.metrics import Headline

_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
_SPLIT = "test"


@dataclass(frozen=True)
class ModelSource:
    """A run or a .tflite file. Each of its files is read once, when something in it is first needed.

    Attributes:
        path: path given by the user. quantized: model of the run, for example "ptq-int8".
        run: the run; None for a file.
        said_to_be_gaze: whether the user says that it is a gaze network; None when the user says nothing.
    """

    path: Path
    quantized: str
    run: Run | None
    said_to_be_gaze: bool | None = None

    @cached_property
    def description(self) -> RunDescription | None:
        """Return run.json; None for a file."""
        return None if self.run is None else self.run.describe()

    @property
    def preset(self) -> str | None:
        """Return the name of the preset that was trained; None when it is unknown."""
        return None if self.description is None else self.description.preset

    @cached_property
    def content(self) -> bytes:
        """Return the content of the .tflite file.

        Raises:
            InputFileError: the file does not exist, or this model of the run has not been made yet.
            UnknownNameError: no such model exists.
        """
        if self.run is None:
            return read_bytes(self.path)
        return read_bytes(model_of_run(self.run, self.quantized))

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256 of the .tflite file."""
        return sha256_bytes(self.content)

    @cached_property
    def model(self) -> TfliteModel:
        """Return the parsed .tflite file.

        Raises:
            InputFileError: the file is damaged.
            ModelError: the model computes in floating point.
        """
        model = read_tflite(self.content, f"{self.path} ({self.quantized})" if self.run else str(self.path))
        refuse_float_arithmetic(model)
        return model

    @cached_property
    def contract(self) -> IoContract:
        """Return the inputs and outputs of the model."""
        return IoContract.of(self.model)

    def require_usable(self) -> None:
        """Check that the model can be packaged, before the work begins.

        Raises:
            InputFileError: the model is missing or damaged.
            UnknownNameError: no such model exists.
            ModelError: the model computes in floating point, or its inputs are not INT8.
        """
        _ = self.contract

    @cached_property
    def is_gaze(self) -> bool:
        """Return whether the network estimates gaze."""
        if self.run is not None:
            return self.preset is None or not find_preset(self.preset).finder
        if self.contract.finder is not None:
            return False
        if self.said_to_be_gaze is not None:
            return self.said_to_be_gaze
        return looks_like_gaze(self.model, self.contract)

    @property
    def io(self) -> IoDescription:
        """Return the inputs and outputs for the manifest."""
        return self.io_of(self.model)

    def io_of(self, model: TfliteModel) -> IoDescription:
        """Return the inputs and outputs of a form of this model, such as the one without float ends."""
        described = IoDescription(**IoContract.of(model).as_json())
        if self.is_gaze:
            return described
        outputs = tuple(replace(t, name="output") if t.name == "gaze" else t for t in described.outputs)
        return described.model_copy(update={"gaze": None, "outputs": outputs})

    @property
    def words(self) -> dict[str, Any]:
        """Return what a gaze network looks at and what its output means, as fields of the manifest; {} for others."""
        return meaning(self.preset) if self.is_gaze else {}

    @cached_property
    def origin(self) -> Origin:
        """Return the origin of the model, for the manifest."""
        about = self.description
        if about is None:
            return Origin(file=self.path.name)
        return Origin(
            preset=about.preset, config=about.config, git=about.git, data_hash=about.data.data_hash,
            data_origin=weights_origin(about),
        )  # fmt: skip

    @cached_property
    def quantization(self) -> QuantizationSummary | None:
        """Return how the model of a run was quantized; None for a file."""
        if self.run is None:
            return None
        return QuantizationRecord.read(self.run.quantized(self.quantized) / RECORD_NAME).summary

    @cached_property
    def metrics(self) -> dict[str, Headline]:
        """Return the measured errors by model name and split; empty for a file."""
        if self.run is None:
            return {}
        found = ((name, stored_errors(self.run, name, _SPLIT)) for name in ("float", self.quantized))
        return {f"{name}-{_SPLIT}": errors.headline for name, errors in found if errors is not None}

    @cached_property
    def data(self) -> Path | None:
        """Return the prepared data to take test images from; None when it is missing or unknown."""
        folder = None if self.description is None else Path(self.description.data.path)
        return folder if folder is not None and folder.is_dir() else None

    @cached_property
    def runtimes(self) -> ParityTable | None:
        """Return the table of `tinytracker parity` about this model, or None."""
        return None if self.run is None else stored_table(self.run, self.sha256)


def open_source(
    source: Path, quantized: str, gaze: bool | None = None, hybrid: bool | None = False
) -> ModelSource:
    """Open a run folder or a .tflite file.

    Args:
        source: run folder or .tflite file.
        quantized: quantized model of the run, for example "ptq-int8".
        gaze: whether a file holds a gaze network; None to judge by its inputs and outputs.
        hybrid: as in `Run.open`: whether a run must be that of a hybrid; None for either.

    Raises:
        InputFileError: the source is neither, or a run of the other kind.
        UsageError: `gaze` is False for a run.
    """
    is_file = source.suffix == ".tflite" or source.is_file()
    if gaze is False and not is_file:
        raise UsageError(f"{source}: a run is a gaze network.", "Omit --no-gaze, or name a .tflite file.")
    if is_file:
        require_tflite(source)
    opened = ModelSource(source, quantized, None if is_file else Run.open(source, hybrid=None), gaze)
    if opened.run is not None and opened.preset is not None and hybrid is not None:
        opened.run.require_kind(opened.preset, hybrid)
    return opened


def load_source(source: Path, quantized: str) -> ModelSource:
    """Open a source and check that the model can be used; see `open_source`.

    Raises:
        InputFileError: the source is neither a run nor a .tflite file, or nothing is quantized yet.
        ModelError: the model computes in floating point.
    """
    opened = open_source(source, quantized)
    opened.require_usable()
    return opened


def weights_origin(description: RunDescription) -> str:
    """Return the data that a run's weights were learned from: "synthetic", "recorded", or "" when unknown.

    Training may start from other weights, whose data is unknown; the weights bundled with tinytracker are from
    synthetic data.
    """
    origin = description.data.origin
    known = description.init is None or description.config.get("init") == SYNTHETIC
    return origin if known or origin == "recorded" else ""


def quantized_model(source: Path, quantized: str) -> Path:
    """Return the .tflite file of a quantized model of a run folder; raises like `Run.open` and `model_of_run`."""
    return model_of_run(Run.open(source), quantized)


def model_of_run(run: Run, quantized: str) -> Path:
    """Return the .tflite file of a quantized model of a run.

    Raises:
        InputFileError: this model has not been made yet.
        UnknownNameError: no such model exists.
    """
    names = run.quantized_names()
    if not names:
        # What cannot be quantized must not be sent to `quantize`.
        find_preset(run.preset_name).require_int8()
        raise InputFileError(
            run.path, "this run has no quantized model", f"Make one with: tinytracker quantize {run.path}"
        )
    if quantized not in names:
        method, _, io = quantized.partition("-")
        if method in METHODS and io in IO_TYPES:
            raise InputFileError(
                run.path, f"this run has no quantized model {quantized} (it has {', '.join(names)})",
                f"Make it with: tinytracker quantize {run.path} --method {method} --io {io}",
            )  # fmt: skip
        raise UnknownNameError("quantized model in this run", quantized, names)
    return run.quantized(quantized) / "model.tflite"


def refuse_float_arithmetic(model: TfliteModel) -> None:
    """Refuse a model with an operator that computes in floating point.

    Conversions at the edges (QUANTIZE, DEQUANTIZE) are allowed: published models often have float32 outputs.

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
                    "Convert the model again, fully quantized to INT8; a run: `tinytracker quantize RUN`.",
                )
