"""Compares the float network, and the quantized one on every available runtime, with the oracle in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.errors import (
    InputFileError,
    MissingDependencyError,
    ModelError,
    UnknownNameError,
    UsageError,
)
from tinytracker.evaluate.metrics import frame_errors
from tinytracker.files import StrPath, read_bytes, sha256_bytes, write_json
from tinytracker.hosts.runtimes import RUNTIMES, HostOptions, open_runtime
from tinytracker.interpreters.base import Interpreter, run_in_parts
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.interpreters.tflite import DefaultInterpreter
from tinytracker.model.presets import Preset, find_preset
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package.parity_table import RuntimeRow
from tinytracker.progress import bar
from tinytracker.quant.contract import Codes, IoContract
from tinytracker.quant.oracle import oracle_of
from tinytracker.quant.parity import (
    MIN_IMAGES,
    differing_frames,
    frame_bytes,
    frames_with_target,
    patterns,
)
from tinytracker.requirements import require_tensorflow
from tinytracker.runs import SCHEMA_VERSION, Run, command_line, versions
from tinytracker.targets import Target, with_part

IMAGES = 512
_PREFERRED = ("qat-int8", "ptq-int8", "qat-uint8", "ptq-uint8")
_BATCH = 64

_HOSTS = ("onnx", "openvino")
"""Runtimes of this computer that get a row; TensorFlow Lite's own kernels have one in any case."""


@dataclass(frozen=True)
class RuntimeTable:
    """All runtimes of one quantized model.

    Attributes:
        model: name in the run. model_sha256: SHA-256 of the .tflite file.
        oracle: runtime that all others are compared with.
        frames: images of the test split. patterns: synthetic images added to them, without a ground truth.
        data_hash: hash of the prepared data, "" without frames.
        step_cm: one step of the output.
        distinct_outputs: number of different outputs of the oracle; a constant output would agree with anything.
        rows: one per runtime.
    """

    model: str
    model_sha256: str
    oracle: str
    frames: int
    patterns: int
    data_hash: str
    step_cm: float
    distinct_outputs: int
    rows: tuple[RuntimeRow, ...]

    @property
    def exact(self) -> bool:
        """Return True when every runtime that must equal the oracle does."""
        return not any(row.must_be_equal and row.differing for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """Return the document of parity.json and of a manifest."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows], "exact": self.exact}


def runtime_table(
    run_folder: StrPath, model: str | None = None, data: StrPath | None = None, images: int = IMAGES
) -> RuntimeTable:
    """Run one quantized model of a run on every runtime, and keep the table in RUN/parity.json.

    Args:
        run_folder: a run with a quantized model.
        model: its name; None for the one with training ("qat-int8") if it exists, otherwise "ptq-int8".
        data: prepared data; None for the run's own.
        images: number of images: frames of the test split, topped up with patterns when the split has fewer.

    Raises:
        InputFileError: the folder is not a finished run, nothing is quantized, or the data is not prepared data.
        UnknownNameError: the run has no such model.
        UsageError: too few images for a comparison.
        MissingDependencyError: TensorFlow or TFLM is not installed.
    """
    run_folder = Path(run_folder)
    data = Path(data) if data is not None else None
    if images < MIN_IMAGES:
        raise UsageError(f"{images} images are too few for a comparison.", f"Give at least {MIN_IMAGES}.")
    if data is not None and not data.is_dir():
        # Only the run's own data may be missing; what was asked for must not be left out in silence.
        raise InputFileError(data, "there is no such folder of prepared data", "Run: tinytracker prepare.")
    run = Run.open(run_folder)
    run.trained_model()
    name = _choose(run, model)
    description = run.describe()
    preset = find_preset(description.preset)
    require_tensorflow("comparing runtimes")
    content = read_bytes(run.quantized(name) / "model.tflite")
    contract = IoContract.of(read_tflite(content))
    oracle = oracle_of(content)
    codes, target, data_hash = _images(data or Path(description.data.path), preset, images)
    drawn = images - len(target)
    if drawn:
        extra = patterns(contract, drawn)
        codes = {key: np.concatenate([codes[key], extra[key]]) for key in extra} if len(target) else extra
    with bar(f"parity: {oracle.name}", images, "images") as advance:
        expected = run_in_parts(oracle, contract.encode_all(codes), advance)
    comparison = _Comparison(oracle.name, contract, expected, target)
    rows = tuple(_rows(run, preset, name, content, codes, comparison))
    table = RuntimeTable(
        name, sha256_bytes(content), oracle.name, len(target), drawn, data_hash, comparison.step_cm,
        len(set(frame_bytes(expected))), rows,
    )  # fmt: skip
    document = {"schema_version": SCHEMA_VERSION, **table.as_json()}
    write_json(run.parity_path, {**document, "command": command_line(), "versions": versions()})
    return table


@dataclass(frozen=True)
class _Comparison:
    """The oracle's outputs and the ground truth, to compare other runtimes with.

    Attributes:
        oracle: name of the oracle. contract: contract of the model.
        outputs: all outputs of the oracle, (N, ...) each.
        target: ground truth (frames, 3) of the first images, see `train.dataset.decoded`.
    """

    oracle: str
    contract: IoContract
    outputs: tuple[NDArray[Any], ...]
    target: Floats

    @property
    def oracle_cm(self) -> Floats:
        """Return (N, 2) in the network's unit."""
        return self.contract.decode(self.outputs[0])

    @property
    def step_cm(self) -> float:
        """Return one step of the gaze."""
        return self.contract.gaze.cm_per_code

    def row(
        self, runtime: str, computes: str, found: Floats, differing: int | None, must: bool
    ) -> RuntimeRow:
        lsb = np.abs(found - self.oracle_cm) / self.step_cm
        frames = len(self.target)
        cm = found[:frames] * self.target[:, 2:]
        error = float(frame_errors(cm, self.target[:, :2]).mean()) if frames else None
        return RuntimeRow(runtime, computes, error, float(lsb.max()), float(lsb.mean()), differing, must)


def _rows(
    run: Run, preset: Preset, name: str, content: bytes, codes: Codes, comparison: _Comparison
) -> Iterator[RuntimeRow]:
    from tinytracker.codegen.host import GeneratedRuntime
    from tinytracker.model.keras_builder import load_trained

    keras = load_trained(run.trained_model())
    found = _predict("Keras float", keras.predict_on_batch, codes)
    yield comparison.row("Keras float", "float", found, None, False)
    if name.startswith("qat-"):
        from tinytracker.quant.qat import load_aware

        found = _predict("Keras QAT", load_aware(run, preset).predict_on_batch, codes)
        yield comparison.row("Keras QAT", "rounded float", found, None, False)
    yield comparison.row(comparison.oracle, "integer", comparison.oracle_cm, 0, False)
    # Name when it is absent, what opens it, and whether a difference is a defect.
    runtimes: tuple[tuple[str, Callable[[bytes], Interpreter], bool], ...] = (
        (DefaultInterpreter.name, DefaultInterpreter, False),
        (MicroInterpreter.name, MicroInterpreter, True),
        (GeneratedRuntime.name, GeneratedRuntime, True),
        *((RUNTIMES[name].label, _host(name), False) for name in _HOSTS),
    )
    inputs = comparison.contract.encode_all(codes)
    for label, opener, must in runtimes:
        try:
            runtime = opener(content)
        except (MissingDependencyError, ModelError) as error:
            if opener is MicroInterpreter:
                raise
            yield RuntimeRow(label, "integer", absent=error.message)
            continue
        with bar(f"parity: {runtime.name}", len(inputs[0]), "images") as advance:
            raw = run_in_parts(runtime, inputs, advance)
        differing = int(differing_frames(raw, comparison.outputs).sum())
        found = comparison.contract.decode(raw[0])
        yield comparison.row(runtime.name, "integer", found, differing, must)
    for target in with_part("parity").values():
        yield _own_form(target, run, codes, comparison)


def _host(name: str) -> Callable[[bytes], Interpreter]:
    """Return what opens a runtime of this computer."""
    return lambda content: open_runtime(content, HostOptions(name))


def _own_form(target: Target, run: Run, codes: Codes, comparison: _Comparison) -> RuntimeRow:
    """Return the row of a target's own quantization of the same float network; its steps differ from the oracle's."""
    form = target.part("parity")
    path = run.quantized(form.NAME) / form.FILE
    if not path.is_file():
        absent = f"not made yet; `tinytracker package` for {target.name} makes it"
        return RuntimeRow(form.LABEL, "rounded float", absent=absent)
    try:
        model = form.load(path)
    except MissingDependencyError as error:
        return RuntimeRow(form.LABEL, "rounded float", absent=error.message)
    found = _predict(form.LABEL, lambda batch: model(next(iter(batch.values()))), codes)
    return comparison.row(form.LABEL, "rounded float", found, None, False)


def _predict(name: str, model: Callable[[dict[str, Any]], Any], codes: Codes) -> Floats:
    """Return (N, 2) cm from a function that takes float32 p/128 - 1 by input name."""
    count = len(next(iter(codes.values())))
    answers = []
    with bar(f"parity: {name}", count, "images") as advance:
        for i in range(0, count, _BATCH):
            batch = {k: p[i : i + _BATCH].astype(np.float32) / 128 - 1 for k, p in codes.items()}
            answers.append(np.asarray(model(batch), np.float64))
            advance(len(answers[-1]))
    found: Floats = np.concatenate(answers)[:, :2]  # the numbers of an aim are not compared
    return found


def _choose(run: Run, model: str | None) -> str:
    names = run.quantized_names()
    if not names:
        find_preset(run.preset_name).require_int8()
        raise InputFileError(
            run.path, "this run has no quantized model", f"Make one with: tinytracker quantize {run.path}"
        )
    if model is None:
        return next((name for name in _PREFERRED if name in names), names[0])
    if model not in names:
        raise UnknownNameError("quantized model in this run", model, names)
    return model


def _images(data: Path, preset: Preset, count: int) -> tuple[Codes, Floats, str]:
    """Return frames of the test split with their ground truth; none when the data is missing or the split is empty."""
    if not data.is_dir():
        return {}, np.empty((0, 3)), ""
    from tinytracker.data.index import read_index

    index = read_index(data)
    if not index.splits["test"].frames:
        return {}, np.empty((0, 3)), ""
    codes, target = frames_with_target(index, preset, count)
    return codes, target, index.data_sha256
