"""What is in a package: manifest.json, one format for all targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from tinytracker.documents import Document, JsonValue, Part
from tinytracker.evaluate.metrics import Headline
from tinytracker.files import sha256_file
from tinytracker.model.presets import find_preset
from tinytracker.package.parity_table import ParityTable
from tinytracker.quant.record import IoDescription, QuantizationSummary, SensorQuantization
from tinytracker.runs import versions

MANIFEST_NAME = "manifest.json"


_AXES = "origin at the camera, x to the right, y up, as the user sees the screen"
_GAZE = {
    "cm": f"x and y in cm, {_AXES}",
    "reference_cm": "x and y in cm for an input that is a quarter of the frame's longer side wide, else times that "
    f"side / (4 · the input's width in the frame); {_AXES}",
}


def meaning(preset: str | None) -> dict[str, str]:
    """The manifest's words on what a network looks at (`sees`) and what its answer means (`gaze`).

    Args:
        preset: of the network; None for one that is no preset of ours, of which a face and cm are assumed.
    """
    spec = find_preset(preset).input if preset else None
    strip = spec is not None and spec.kind == "eye_band"
    return {
        "sees": "a strip with both eyes" if strip else "a face crop",
        "gaze": _GAZE[spec.unit if spec else "cm"],
    }


class Origin(Part):
    """Where a model is from: a run, or a file of somebody else.

    Attributes:
        file: name of the .tflite file; of those that are not of a run.
        preset, config, git: of the run. data_hash: of its prepared data.
        data_origin: what its weights were learned from: "synthetic", "recorded", or "" when that is not known.
    """

    file: str | None = None
    preset: str | None = None
    config: dict[str, JsonValue] | None = None
    git: str | None = None
    data_hash: str | None = None
    data_origin: str | None = None


class ModelSection(Part):
    """The network.

    Attributes:
        name: file in the package. file to data_origin: see `Origin`.
        sha256, bytes: of the file that the device takes, or that its compiler takes.
        macs: multiply-accumulates. parameters: weights and biases.
        peak_activation_bytes: largest sum of the tensors that live at one time.
        operators: names, sorted.
    """

    name: str
    file: str | None = None
    preset: str | None = None
    config: dict[str, JsonValue] | None = None
    git: str | None = None
    data_hash: str | None = None
    data_origin: str | None = None
    sha256: str
    bytes: int
    macs: int
    parameters: int
    peak_activation_bytes: int | None = None
    operators: tuple[str, ...]


class GeneratedCode(Part):
    """Generated C: its set of kernels, its constants in bytes, and for kernels that unroll, how much they may add."""

    kernels: str
    constant_bytes: int
    weights_budget: float | None = None


class Arena(Part):
    """Memory for activations, in bytes; head: tensors that share it over time, tail: TFLM's own structures."""

    total_bytes: int
    head_bytes: int | None = None
    tail_bytes: int | None = None
    measured: str


class BoardMemory(Part):
    """Model and arena against the board's RAM, which holds code and data alike; bytes."""

    model_and_arena_bytes: int
    ram_bytes: int
    fits: bool


class SensorMemory(Part):
    """Use of the sensor's memory as its converter counts it; bytes."""

    model_bytes: int
    runtime_bytes: int
    reserved_bytes: int
    used_bytes: int
    available_bytes: int
    used_percent: float
    fits: bool


class ParitySection(Part):
    """Comparison of the device's runtime with the oracle on this computer: `tinytracker.quant.parity.Parity`."""

    runtime: str
    oracle: str
    images: int
    images_from: str
    max_difference: float
    differing: int
    distinct_outputs: int
    outputs: tuple[str, ...] | None = None


class Transfers(Part):
    """Bytes over USB for each inference."""

    instruction_bytes: int
    input_bytes: int
    output_bytes: int
    streamed_bytes: int
    transferred_bytes: int


class EdgeTpu(Part):
    """The compiled file, as `tinytracker edgetpu show` describes it; its details are not declared here."""

    model_config = ConfigDict(extra="allow")

    file: str
    sha256: str
    bytes: int
    cpu_operators: tuple[str, ...]
    cached_bytes: int
    per_inference: Transfers


class ExpectedLatency(Part):
    """A range for one inference in ms, from published figures of other boards."""

    low_ms: float
    high_ms: float
    transfer_ms: tuple[float, float]
    compute_ms: tuple[float, float]
    kind: str
    remark: str


class PackagedFile(Part):
    """A file of the package; the path is relative to the manifest."""

    path: str
    bytes: int
    sha256: str


class Manifest(Document):
    """What a package holds and how it was made. Sections that a target has nothing to say about are left out.

    There is no time, no absolute path and no name of a computer in it: the same model gives the same bytes.

    Attributes:
        target: device. runtime: what computes there. generated: about generated C.
        compiled: for the Edge TPU; False when the user still has to.
        model: the network. io: its tensors.
        sees, gaze: what a gaze network looks at and what its answer means; any other network has neither.
        quantization: how it was made; None for a file of somebody else.
        arena, memory: what it needs of the device.
        parity: comparison of the device's runtime with the oracle on this computer.
        constraints: verdicts of the target's rules. intrinsics, converter: of the sensor's package.
        compile_command, compiler_log, edgetpu, check: of the Edge TPU's.
        runtimes: table of `tinytracker parity`. metrics: measured errors by "<model>-<split>".
        expected_latency: a range that was not measured.
        tools: versions of the libraries. files: all others of the package.
    """

    title: ClassVar[str] = "the manifest of a package"
    way_out: ClassVar[str] = "Package again."

    target: str
    runtime: str | None = None
    generated: GeneratedCode | None = None
    compiled: bool | None = None
    model: ModelSection
    io: IoDescription
    sees: str | None = None
    gaze: str | None = None
    quantization: QuantizationSummary | SensorQuantization | None = None
    arena: Arena | None = None
    memory: BoardMemory | SensorMemory | None = None
    parity: ParitySection | None = None
    constraints: tuple[dict[str, Any], ...] | None = None
    intrinsics: dict[str, Any] | None = None
    converter: dict[str, str] | None = None
    compile_command: tuple[str, ...] | None = None
    compiler_log: dict[str, Any] | None = None
    edgetpu: EdgeTpu | None = None
    check: dict[str, Any] | None = None
    runtimes: ParityTable | None = None
    metrics: dict[str, Headline]
    expected_latency: ExpectedLatency | None = None
    tools: dict[str, str] = Field(default_factory=dict)
    files: tuple[PackagedFile, ...] = ()

    @property
    def is_gaze(self) -> bool:
        """Whether the network answers where somebody looks."""
        return self.gaze is not None

    def content(self) -> dict[str, Any]:
        """What the target said, JSON-able: the document without version, target, tools and files."""
        frame = ("schema_version", "target", "tools", "files")
        return {key: value for key, value in self.as_json().items() if key not in frame}


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write manifest.json over all files of a package folder.

    Args:
        folder: the finished package.
        manifest: everything but tools and files.

    Returns:
        The manifest's path.
    """
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST_NAME)
    files = tuple(
        PackagedFile(path=p.relative_to(folder).as_posix(), bytes=p.stat().st_size, sha256=sha256_file(p))
        for p in paths
    )
    return manifest.model_copy(update={"tools": versions(), "files": files}).write(folder / MANIFEST_NAME)
