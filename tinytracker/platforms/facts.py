"""What the table needs to know of a network: counts, memory, and errors with each arithmetic."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.generation import generate
from tinytracker.errors import InputFileError, ModelError, TinyTrackerError
from tinytracker.evaluate import stored_errors
from tinytracker.files import read_json
from tinytracker.model.presets import find_preset
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.model.tflite_stats import model_stats
from tinytracker.package.manifest import MANIFEST_NAME, Manifest
from tinytracker.package.source import ModelSource, open_source
from tinytracker.package.spikes import has_spikes, open_spikes
from tinytracker.package.suitability import check
from tinytracker.platforms.constants import EDGE_TPU_BYTES
from tinytracker.platforms.figure import Absent, Cell, Figure, Mark, exactly
from tinytracker.spiking.document import (
    DOCUMENT_NAME,
    FOLDER,
    SpikingCost,
    SpikingDocument,
    spiking_cost,
)
from tinytracker.spiking.network import SpikingNetwork
from tinytracker.words import counted

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
SPIKING = Path(FOLDER) / DOCUMENT_NAME
"""Where a run keeps what its spiking network costs."""


@dataclass(frozen=True)
class Fit:
    """Whether a network fits a platform by the platform's own rules.

    Attributes:
        ok: None when nothing judges it.
        why: the first rule that is broken, or why nothing judges it; "" when it fits.
        memory: bytes that it needs there. limit: bytes that there are; None when not known.
    """

    ok: bool | None
    why: str
    memory: Cell
    limit: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"ok": self.ok, "why": self.why, "memory": self.memory.as_json(), "limit": self.limit}


@dataclass(frozen=True)
class NetworkFacts:
    """A network, independent of any platform.

    Attributes:
        name: of the run or file. sha256: of the .tflite file.
        macs, parameters, neurons: neurons are the outputs of the layers with weights, over all positions.
        model_bytes: of the .tflite file. input_bytes, output_bytes: of one frame.
        generated: constants and arena of generated C, bytes; absent when C cannot be generated.
        transferred: least and most bytes that cross USB to an Edge TPU with every frame.
        transferred_is_known: whether they come from a compiled file.
        errors: in cm, by arithmetic: "float", "ptq-int8", "mct-int8", "ptq-uint8", "spiking", or the name of a runtime.
        spiking: cost of its spiking twin; None when it has none.
        network: the spiking twin itself; None when only its cost is known.
        people: mark of errors: whether the people are real.
        without_int8: why the run has no INT8 network; "" when it has one. Then there are no sizes of a file.
    """

    name: str
    sha256: str
    macs: int
    parameters: int
    neurons: int
    model_bytes: int
    input_bytes: int
    output_bytes: int
    generated: Cell
    transferred: tuple[int, int]
    transferred_is_known: bool
    errors: dict[str, Figure] = field(default_factory=dict)
    spiking: SpikingCost | None = None
    network: SpikingNetwork | None = None
    people: Mark = Mark.SYNTHETIC
    without_int8: str = ""

    def error(self, *arithmetics: str) -> Cell:
        """Return the error of the first of these that was evaluated; a runtime matches by the beginning of its name."""
        for wanted in arithmetics:
            for name, figure in self.errors.items():
                if name.startswith(wanted):
                    return figure
        return Absent(f"not evaluated: {' or '.join(arithmetics)} (tinytracker evaluate, tinytracker parity)")

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "name": self.name, "sha256": self.sha256, "macs": self.macs, "parameters": self.parameters,
            "neurons": self.neurons, "model_bytes": self.model_bytes,
            "errors": {name: figure.as_json() for name, figure in self.errors.items()},
            "spiking": None if self.spiking is None else vars(self.spiking),
        }  # fmt: skip


def network_facts(source: Path, quantized: str, spiking: SpikingCost | None = None) -> NetworkFacts:
    """Read everything that the table needs from a run folder or a .tflite file.

    A run that has a spiking network needs no INT8 network.

    Args:
        source: run folder or .tflite file.
        quantized: quantized model of the run.
        spiking: cost of a spiking twin; None for that in the run, if any.

    Raises:
        InputFileError, ModelError: the source cannot be used.
    """
    opened = open_source(source, quantized)
    network: SpikingNetwork | None = None
    if spiking is None and opened.run is not None and has_spikes(opened.run):
        about, _, network = open_spikes(opened.run)
        spiking = spiking_cost(about)
    errors = _errors(opened, with_spikes=network is not None)
    name, people = source.resolve().name, _people(opened)
    if network is not None and opened.run is not None and not opened.run.quantized_names():
        return _facts_without_int8(opened, name, errors, spiking, network, people)
    opened.require_usable()
    stats = model_stats(opened.model)
    ends = [sum(t.nbytes for t in tensors) for tensors in _ends(opened.model)]
    transferred = _transferred(opened)
    low, high = (sum(ends) + extra for extra in EDGE_TPU_BYTES)
    return NetworkFacts(
        name=name,
        sha256=opened.sha256,
        macs=stats.macs,
        parameters=stats.parameters,
        neurons=_neurons(opened.model),
        model_bytes=len(opened.content),
        input_bytes=ends[0],
        output_bytes=ends[1],
        generated=_generated(opened.content),
        transferred=(low, high) if transferred is None else (transferred, transferred),
        transferred_is_known=transferred is not None,
        errors=errors | _runtime_errors(opened),
        spiking=spiking,
        network=network,
        people=people,
    )


def _facts_without_int8(
    opened: ModelSource, name: str, errors: dict[str, Figure], spiking: SpikingCost | None, twin: SpikingNetwork,
    people: Mark,
) -> NetworkFacts:  # fmt: skip
    """Counts of the float network, and why the rest is missing."""
    assert opened.preset is not None
    preset = find_preset(opened.preset)
    why = f"no INT8 network in the run; make it with: tinytracker quantize {opened.path}"
    try:
        preset.require_int8()
    except ModelError as error:
        why = f"no INT8 network: {error.message.rstrip('.')}"
    network = preset.network()
    return NetworkFacts(
        name, "", network.macs, network.params, 0 if spiking is None else spiking.neurons, 0, 0, 0, Absent(why), (0, 0),
        False, errors, spiking, twin, people, why,
    )  # fmt: skip


class Judge:
    """Judges a network by the targets' rules, each target once.

    A run is judged by the quantized model that the target takes, and by `quantized` while it does not have that.

    Args:
        source: run folder or .tflite file.
        quantized: quantized model of the run.
    """

    def __init__(self, source: Path, quantized: str) -> None:
        self._source, self._quantized = str(source), quantized
        self._verdicts: dict[str, tuple[bool | None, str]] = {}

    def fit(self, target: str, memory: Cell, limit: int | None = None) -> Fit:
        """Return the verdict, with the memory that the network needs there; what cannot be judged has its reason."""
        if target not in self._verdicts:
            self._verdicts[target] = self._verdict(target)
        ok, why = self._verdicts[target]
        return Fit(ok, why, memory, limit)

    def _verdict(self, target: str) -> tuple[bool | None, str]:
        try:
            try:
                report = check(self._source, target)
            except InputFileError:
                report = check(self._source, target, quantized=self._quantized)
        except TinyTrackerError as error:
            return None, error.message
        broken = [f for f in report.graph if f.level == "fails"]
        broken += [f for o in report.operators for f in o.findings if f.level == "fails"]
        return report.ok, str(broken[0]) if broken else "" if report.ok else "an operator does not map"


def stored_spiking(run: Path) -> SpikingCost | None:
    """Return the cost of a run's spiking network, or None when it has none.

    Raises:
        InputFileError: the file is not such a description.
    """
    path = run / SPIKING
    return spiking_cost(SpikingDocument.read(path)) if path.is_file() else None


def _ends(model: TfliteModel) -> tuple[Any, Any]:
    return model.input_tensors(), model.output_tensors()


def _neurons(model: TfliteModel) -> int:
    return sum(model.tensors[o.outputs[0]].elements for o in model.operators if o.name in _WEIGHTED)


def _generated(content: bytes) -> Cell:
    """Constants and arena of generated C with the kernels for Cortex-M."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            library = generate(content, folder, kernels=CortexM4())
    except ModelError as error:
        return Absent(error.message)
    return exactly(
        library.arena_bytes + library.constant_bytes, "generated C: arena and constants", Mark.EMULATED
    )


def _transferred(opened: ModelSource) -> int | None:
    """Bytes over USB with every frame, from a package beside or inside the run that was compiled."""
    if opened.run is None:
        return None
    folder = opened.run.path
    for place in sorted({*folder.parent.glob(f"*/{MANIFEST_NAME}"), *folder.glob(f"*/{MANIFEST_NAME}")}):
        try:
            manifest = Manifest.read(place)
        except InputFileError:
            continue  # another program's manifest.json
        if manifest.edgetpu is not None and manifest.model.preset == opened.preset:
            return int(manifest.edgetpu.per_inference.transferred_bytes)
    return None


def _people(opened: ModelSource) -> Mark:
    """Return the mark of the run's errors; those of a file are not known."""
    origin = opened.description.data.origin if opened.description is not None else ""
    return Mark.MEASURED if origin == "recorded" else Mark.SYNTHETIC


def _who(people: Mark) -> str:
    return "recorded people" if people is Mark.MEASURED else "synthetic people"


def _errors(opened: ModelSource, with_spikes: bool) -> dict[str, Figure]:
    """Errors of the run's models on the test split, as `evaluate` stored them."""
    run, mark = opened.run, _people(opened)
    if run is None:
        return {}
    found = {}
    for name in ("float", *run.quantized_names(), *([FOLDER] if with_spikes else [])):
        errors = stored_errors(run, name)
        if errors is not None:
            overall = errors.overall
            low, high = overall.ci95_cm
            found[name] = Figure(
                overall.error_cm, mark, f"{name}, {counted(overall.frames, 'frame')} of the test split, {_who(mark)}",
                min(low, overall.error_cm), max(high, overall.error_cm),
            )  # fmt: skip
    return found


def _runtime_errors(opened: ModelSource) -> dict[str, Figure]:
    """Errors of runtimes with integers, as `parity` stored them."""
    table, mark = opened.runtimes, _people(opened)
    found = {}
    for row in () if table is None else table.rows:
        if row.error_cm is not None and row.computes == "integer":
            frames = counted(table.frames if table else 0, "frame")
            source = f"{row.runtime}, {frames} of tinytracker parity, {_who(mark)}"
            found[row.runtime] = exactly(row.error_cm, source, mark)
    return found


def read_document(path: Path) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        InputFileError: it is none.
    """
    document = read_json(path)
    if not isinstance(document, dict):
        raise InputFileError(path, f"not an object, but {json.dumps(document)[:40]}")
    return document
