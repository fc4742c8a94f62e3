"""Compares the float network, and the quantized one on every available runtime, with the oracle in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
from tinytracker.files import StrPath, read_bytes, sha256_bytes, write_json
from tinytracker.hosts.runtimes import RUNTIMES, HostOptions, open_runtime
from tinytracker.interpreters.base import Interpreter, run_in_parts
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.interpreters.tflite import DefaultInterpreter
from tinytracker.model.presets import Preset, find_preset
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package.comparison import Comparison, predict
from tinytracker.package.parity_spikes import SIMULATOR, seen_by, simulated, sinabs_row, spiking_rows
from tinytracker.package.parity_table import RuntimeRow, spiking_parity_path
from tinytracker.package.spikes import has_spikes, open_spikes
from tinytracker.progress import bar
from tinytracker.quant.contract import Codes, IoContract
from tinytracker.quant.oracle import oracle_of
from tinytracker.quant.parity import (
    MIN_IMAGES,
    differing_frames,
    frame_bytes,
    frames_with_target,
    patterns_of,
)
from tinytracker.requirements import require_tensorflow
from tinytracker.runs import SCHEMA_VERSION, Run, provenance
from tinytracker.spiking.document import FOLDER
from tinytracker.targets import Target, with_part
from tinytracker.words import counted, too_few

IMAGES = 512
_PREFERRED = ("qat-int8", "ptq-int8", "qat-uint8", "ptq-uint8")

_HOSTS = ("onnx", "openvino")
"""Runtimes of this computer that get a row; TensorFlow Lite's own kernels have one in any case."""


@dataclass(frozen=True)
class RuntimeTable:
    """All runtimes of one quantized model, or of a spiking network.

    Attributes:
        model: name in the run, or "spiking". model_sha256: SHA-256 of the .tflite or NIR file.
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

    A spiking network has a table of its own, `RUN/spiking/parity.json`, in which its integer simulator is the oracle.

    Args:
        run_folder: a run with a quantized model or a spiking network.
        model: its name, or "spiking"; None for the one with training ("qat-int8") if it exists, otherwise "ptq-int8",
            and for the spiking network of a run without a quantized model.
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
        raise UsageError(f"{too_few(images, 'image')} for a comparison.", f"Give at least {MIN_IMAGES}.")
    if data is not None and not data.is_dir():
        # Only the run's own data may be missing; what was asked for must not be left out in silence.
        raise InputFileError(data, "there is no such folder of prepared data", "Run: tinytracker prepare.")
    run = Run.open(run_folder)
    run.trained_model()
    name = _choose(run, model)
    description = run.describe()
    preset = find_preset(description.preset)
    require_tensorflow("comparing runtimes")
    where = data or Path(description.data.path)
    if name == FOLDER:
        return _spiking_table(run, preset, where, images)
    content = read_bytes(run.quantized(name) / "model.tflite")
    contract = IoContract.of(read_tflite(content))
    oracle = oracle_of(content)
    shapes = {t.name: t.frame_shape for t in contract.inputs}
    codes, target, data_hash = _images(where, preset, images, shapes)
    with bar(f"parity: {oracle.name}", images, "images") as advance:
        expected = run_in_parts(oracle, contract.encode_all(codes), advance)
    comparison = Comparison(contract.decode(expected[0]), contract.gaze.cm_per_code, target)
    quantized = _Quantized(name, content, contract, oracle.name, expected)
    rows = tuple(_rows(run, preset, quantized, codes, comparison))
    table = RuntimeTable(
        name, sha256_bytes(content), oracle.name, len(target), images - len(target), data_hash, comparison.step,
        len(set(frame_bytes(expected))), rows,
    )  # fmt: skip
    return _kept(table, run.parity_path)


def _spiking_table(run: Run, preset: Preset, data: Path, images: int) -> RuntimeTable:
    """The table of the run's spiking network, whose oracle is its integer simulator."""
    about, content, network = open_spikes(run)
    codes, target, data_hash = _images(data, preset, images, preset.input.shapes)
    frames = seen_by(network, codes)
    answers, readout = simulated(network, frames)
    comparison = Comparison(answers, network.unit_cm / network.steps, target)
    label = f"{SIMULATOR}, {counted(network.steps, 'step')}"
    rows = (
        _float_row(run, codes, comparison),
        comparison.row(label, "integer", answers, 0, False),
        sinabs_row(network, content, frames),
    )
    table = RuntimeTable(
        FOLDER, about.sha256, label, len(target), images - len(target), data_hash, comparison.step,
        len(set(frame_bytes([readout]))), rows,
    )  # fmt: skip
    return _kept(table, spiking_parity_path(run))


def _kept(table: RuntimeTable, path: Path) -> RuntimeTable:
    document = {"schema_version": SCHEMA_VERSION, **table.as_json()}
    write_json(path, document | provenance())
    return table


@dataclass(frozen=True)
class _Quantized:
    """A quantized model of the run, and all outputs of its oracle, (N, ...) each."""

    name: str
    content: bytes
    contract: IoContract
    oracle: str
    outputs: tuple[NDArray[Any], ...]


def _float_row(run: Run, codes: Codes, comparison: Comparison) -> RuntimeRow:
    from tinytracker.model.keras_builder import load_trained

    found = predict("Keras float", load_trained(run.trained_model()).predict_on_batch, codes)
    return comparison.row("Keras float", "float", found, None, False)


def _rows(
    run: Run, preset: Preset, quantized: _Quantized, codes: Codes, comparison: Comparison
) -> Iterator[RuntimeRow]:
    from tinytracker.codegen.host import GeneratedRuntime

    yield _float_row(run, codes, comparison)
    if quantized.name.startswith("qat-"):
        from tinytracker.quant.qat import load_aware

        found = predict("Keras QAT", load_aware(run, preset).predict_on_batch, codes)
        yield comparison.row("Keras QAT", "rounded float", found, None, False)
    yield comparison.row(quantized.oracle, "integer", comparison.answers, 0, False)
    # Name when it is absent, what opens it, and whether a difference is a defect.
    runtimes: tuple[tuple[str, Callable[[bytes], Interpreter], bool], ...] = (
        (DefaultInterpreter.name, DefaultInterpreter, False),
        (MicroInterpreter.name, MicroInterpreter, True),
        (GeneratedRuntime.name, GeneratedRuntime, True),
        *((RUNTIMES[name].label, _host(name), False) for name in _HOSTS),
    )
    inputs = quantized.contract.encode_all(codes)
    for label, opener, must in runtimes:
        try:
            runtime = opener(quantized.content)
        except (MissingDependencyError, ModelError) as error:
            if opener is MicroInterpreter:
                raise
            yield RuntimeRow(label, "integer", absent=error.message)
            continue
        with bar(f"parity: {runtime.name}", len(inputs[0]), "images") as advance:
            raw = run_in_parts(runtime, inputs, advance)
        differing = int(differing_frames(raw, quantized.outputs).sum())
        found = quantized.contract.decode(raw[0])
        yield comparison.row(runtime.name, "integer", found, differing, must)
    for target in with_part("parity").values():
        yield _own_form(target, run, codes, comparison)
    yield from spiking_rows(run, codes, comparison)


def _host(name: str) -> Callable[[bytes], Interpreter]:
    """Return what opens a runtime of this computer."""
    return lambda content: open_runtime(content, HostOptions(name))


def _own_form(target: Target, run: Run, codes: Codes, comparison: Comparison) -> RuntimeRow:
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
    found = predict(form.LABEL, lambda batch: model(next(iter(batch.values()))), codes)
    return comparison.row(form.LABEL, "rounded float", found, None, False)


def _choose(run: Run, model: str | None) -> str:
    names = run.quantized_names()
    if model == FOLDER or (model is None and not names and has_spikes(run)):
        return FOLDER
    if not names:
        find_preset(run.preset_name).require_int8()
        raise InputFileError(
            run.path, "this run has no quantized model", f"Make one with: tinytracker quantize {run.path}"
        )
    if model is None:
        return next((name for name in _PREFERRED if name in names), names[0])
    if model not in names:
        known = [*names, *([FOLDER] if has_spikes(run) else [])]
        raise UnknownNameError("quantized model in this run", model, known)
    return model


def _images(
    data: Path, preset: Preset, count: int, shapes: Mapping[str, tuple[int, ...]]
) -> tuple[Codes, Floats, str]:
    """Return images: frames of the test split, topped up with patterns; the frames' ground truth; the data's hash.

    Without the data, or with an empty split, all of them are patterns.
    """
    codes, target, data_hash = _frames(data, preset, count)
    drawn = count - len(target)
    if drawn:
        extra = patterns_of(shapes, drawn)
        codes = {key: np.concatenate([codes[key], extra[key]]) for key in extra} if len(target) else extra
    return codes, target, data_hash


def _frames(data: Path, preset: Preset, count: int) -> tuple[Codes, Floats, str]:
    """Return frames of the test split with their ground truth; none when the data is missing or the split is empty."""
    if not data.is_dir():
        return {}, np.empty((0, 3)), ""
    from tinytracker.data.index import read_index

    index = read_index(data)
    if not index.splits["test"].frames:
        return {}, np.empty((0, 3)), ""
    codes, target = frames_with_target(index, preset, count)
    return codes, target, index.data_sha256
