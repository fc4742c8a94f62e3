"""The description of a package: manifest.json, one format for all targets."""

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
    """Return the manifest's text about what a network looks at (`sees`) and what its output means (`gaze`).

    Args:
        preset: preset of the network; None for a foreign network, which is assumed to see a face and to answer in cm.
    """
    spec = find_preset(preset).input if preset else None
    strip = spec is not None and spec.kind == "eye_band"
    return {
        "sees": "a strip with both eyes" if strip else "a face crop",
        "gaze": _GAZE[spec.unit if spec else "cm"],
    }


class Origin(Part):
    """Origin of a model: a run, or a foreign file.

    Attributes:
        file: name of the .tflite file; only for a foreign file.
        preset, config, git: those of the run. data_hash: hash of its prepared data.
        data_origin: data that its weights were learned from: "synthetic", "recorded", or "" when unknown.
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
        sha256, bytes: hash and size of the file that the device, or its compiler, takes.
        macs: multiply-accumulates. parameters: weights and biases.
        peak_activation_bytes: largest sum of the tensors that are alive at the same time.
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
    """Generated C: its kernel set, its constants in bytes, and the weights budget of kernels that unroll.

    On several cores also their number, and the working memory of each of them in bytes.
    """

    kernels: str
    constant_bytes: int
    weights_budget: float | None = None
    cores: int | None = None
    scratch_bytes_per_core: int | None = None


class CascadeSection(Part):
    """The gate in front of the network.

    Attributes:
        strategy: of `tinytracker.cascade.STRATEGIES`. thresholds: by name, as in the serial protocol.
        little_sha256: of the network that looks first; None without one.
    """

    strategy: str
    thresholds: dict[str, int]
    little_sha256: str | None = None


class Arena(Part):
    """Memory for activations in bytes; head: tensors that share it over time; tail: TFLM's own structures."""

    total_bytes: int
    head_bytes: int | None = None
    tail_bytes: int | None = None
    measured: str


class BoardMemory(Part):
    """Model and arena compared with the board's RAM, which holds code and data; bytes."""

    model_and_arena_bytes: int
    ram_bytes: int
    fits: bool


class SensorMemory(Part):
    """Use of the sensor's memory as counted by its converter; bytes."""

    model_bytes: int
    runtime_bytes: int
    reserved_bytes: int
    used_bytes: int
    available_bytes: int
    used_percent: float
    fits: bool


class SpikingSection(Part):
    """A spiking network; most fields are those of `tinytracker.spiking.document.SpikingDocument`.

    Attributes:
        validation_frames: on which the errors were measured. network_cm: error of the float network. float_cm,
            integer_cm: of the spiking one, before and after rounding.
        chips: by name, `tinytracker.package.neuromorphic.chips.Need`.
    """

    method: str
    percentile: float | None = None
    encode: str
    steps: int
    rule: dict[str, JsonValue]
    unit_cm: float
    neurons: int
    synapses: int
    fan_in: int
    spikes: float
    sops: float
    sops_per_mac: float
    updates: int
    host_macs: int
    validation_frames: int
    network_cm: float
    float_cm: float
    integer_cm: float
    chips: dict[str, dict[str, JsonValue]]


class HybridSection(Part):
    """A hybrid; most fields are those of `tinytracker.hybrid.document.HybridDocument`.

    Attributes:
        interval: steps of a slot. steps: of a window. bin_us: length of a step, µs.
        rule: of the spiking neurons. neurons, synapses: their numbers.
        accumulator: its parameters. head_bytes, head_macs, head_sha256: of the .tflite file. All four are unset for a
            network of spikes only, whose `unit_of_readout` turns the readout's sum into units of an answer.
        validation_windows: on which the errors of the gaze change were measured. no_answer_cm: of saying that nothing
            moved. float_cm, integer_cm: before and after rounding.
        chips: by name, `tinytracker.package.neuromorphic.chips.Need`.
    """

    interval: int
    steps: int
    bin_us: int
    unit_strip: float
    rule: dict[str, JsonValue]
    neurons: int
    synapses: int
    accumulator: dict[str, JsonValue] | None = None
    head_bytes: int | None = None
    head_macs: int | None = None
    head_sha256: str | None = None
    unit_of_readout: float | None = None
    validation_windows: int
    no_answer_cm: float
    float_cm: float
    integer_cm: float
    chips: dict[str, dict[str, JsonValue]]


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
    """The compiled file as described by `tinytracker edgetpu show`; its details are not declared here."""

    model_config = ConfigDict(extra="allow")

    file: str
    sha256: str
    bytes: int
    cpu_operators: tuple[str, ...]
    cached_bytes: int
    per_inference: Transfers


class ExpectedLatency(Part):
    """Expected range of one inference in ms, from published figures of other boards."""

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
    """The content of a package and how it was made. Sections that do not apply to a target are omitted.

    It contains no time, absolute path or computer name: the same model gives the same bytes.

    Attributes:
        target: device. runtime: what runs the network there. generated: details of generated C.
        compiled: whether the model is compiled for the Edge TPU; False when you still have to.
        cascade: the gate in front of the network, if there is one.
        model: the network. io: its tensors.
        sees, gaze: what a gaze network looks at and what its output means; other networks have neither.
        quantization: how it was quantized; None for a foreign file.
        arena, memory: memory that it needs on the device.
        parity: comparison of the device's runtime with the oracle on the computer that made the package.
        constraints: verdicts of the target's rules. intrinsics, converter: only in packages for the IMX500.
        spiking: only in packages of a spiking network. hybrid: only in those of a hybrid.
        compile_command, compiler_log, edgetpu, check: only in packages for the Edge TPU.
        runtimes: table of `tinytracker parity`. metrics: measured errors by "<model>-<split>".
        expected_latency: a range that was not measured.
        tools: versions of the libraries. files: all other files of the package.
    """

    title: ClassVar[str] = "the manifest of a package"
    way_out: ClassVar[str] = "Package again."

    target: str
    runtime: str | None = None
    generated: GeneratedCode | None = None
    compiled: bool | None = None
    cascade: CascadeSection | None = None
    model: ModelSection
    io: IoDescription
    sees: str | None = None
    gaze: str | None = None
    quantization: QuantizationSummary | SensorQuantization | None = None
    spiking: SpikingSection | None = None
    hybrid: HybridSection | None = None
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
        """Return whether the network estimates gaze."""
        return self.gaze is not None

    def content(self) -> dict[str, Any]:
        """Return the target's part, JSON-able: the document without version, target, tools and files."""
        frame = ("schema_version", "target", "tools", "files")
        return {key: value for key, value in self.as_json().items() if key not in frame}


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write manifest.json over all files of a package folder.

    Args:
        folder: the finished package.
        manifest: everything except tools and files.

    Returns:
        The manifest's path.
    """
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST_NAME)
    files = tuple(
        PackagedFile(path=p.relative_to(folder).as_posix(), bytes=p.stat().st_size, sha256=sha256_file(p))
        for p in paths
    )
    return manifest.model_copy(update={"tools": versions(), "files": files}).write(folder / MANIFEST_NAME)
