"""spiking.json: what a run's spiking network is, what it costs and how well it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tinytracker.documents import Document, Part
from tinytracker.errors import InputFileError
from tinytracker.files import sha256_bytes, sha256_file
from tinytracker.runs import Run

FOLDER, NETWORK_NAME, DOCUMENT_NAME, RASTER_NAME = "spiking", "network.nir", "spiking.json", "raster.npz"
PARITY_NAME = "parity.json"


class LayerDescription(Part):
    """A layer of the integer network.

    Attributes:
        name: of the network's node. shape: of its neurons, (h, w, c) or (n,). neurons: their number.
        fan_in: synapses of a neuron away from the border. synapses: all that receive spikes; 0 where the layer's sums
            are delivered as a current.
        threshold: of its neurons; unset for the readout. weights: lowest and highest. bias: lowest and highest.
        spikes: of its neurons per frame, mean. sops: synaptic operations of its synapses per frame, mean.
    """

    name: str
    shape: tuple[int, ...]
    neurons: int
    fan_in: int
    synapses: int
    threshold: int | None = None
    weights: tuple[int, int]
    bias: tuple[int, int]
    spikes: float
    sops: float


class StepRow(Part):
    """The answer after a number of steps.

    Attributes:
        steps: number of steps. error_cm: of the integer network. float_error_cm: before its weights are rounded; None
            when that was not measured.
        spikes, sops: per frame, up to this step.
    """

    steps: int
    error_cm: float
    float_error_cm: float | None = None
    spikes: float
    sops: float


class SpikingNumbers(Part):
    """What an evaluation stores of a spiking network beside its errors.

    Attributes:
        spikes, sops: per frame, mean. updates: updates of neurons per frame.
        steps: the answer after each number of steps.
    """

    spikes: float
    sops: float
    updates: int
    steps: tuple[StepRow, ...]


class Judgement(Part):
    """Errors on one set of frames: mean distance in cm.

    Attributes:
        split, frames: of the prepared data.
        network_cm: of the ordinary float network. float_cm, integer_cm: of the spiking network before and after
            rounding, at its number of steps.
        steps: the answer after each number of steps up to that.
    """

    split: str
    frames: int
    network_cm: float
    float_cm: float
    integer_cm: float
    steps: tuple[StepRow, ...]


class ChosenSteps(Part):
    """How the number of steps was chosen.

    Attributes:
        tolerance: by how much the error of the integer network on the validation split may exceed that of the ordinary
            network, as a share of it.
        limit: most steps that were tried.
        is_within: whether the error is within the tolerance; if not, the steps are those with the lowest error.
    """

    tolerance: float
    limit: int
    is_within: bool


class SpikingDocument(Document):
    """A run's spiking network.

    Attributes:
        preset: of the run. method: "qcfs" or "balance". percentile: of the activations below the thresholds, only of
            "balance". calibration_frames: that set them.
        encode: "current" or "rate". steps: time steps per frame. chosen: how these were chosen; unset when the caller
            gave them. rule: of the neurons, `tinytracker.spiking.neuron.NeuronRule`.
        network: the NIR file beside this one. sha256: of that file. model_sha256: of the float network.
        unit_cm: gaze, in units of the network's output, of one unit of the readout's mean over the steps.
        neurons, synapses: their numbers. fan_in: the largest. macs: of the ordinary network per frame. host_macs: those
            of a first layer that is delivered as a current, once per frame.
        spikes, sops: per frame, mean over the frames of `validation`. sops_per_mac: sops relative to the ordinary
            network's multiply-accumulates. updates: updates of neurons per frame.
        layers: in order, the readout last.
        validation: errors on the validation split.
        command: that made it. versions: of the libraries.
    """

    title: ClassVar[str] = "the description of a spiking network"
    way_out: ClassVar[str] = "Make it again with `tinytracker spike`."

    preset: str
    method: str
    percentile: float | None = None
    calibration_frames: int | None = None
    encode: str
    steps: int
    chosen: ChosenSteps | None = None
    rule: dict[str, Any]
    network: str
    sha256: str
    model_sha256: str
    unit_cm: float
    neurons: int
    synapses: int
    fan_in: int
    macs: int
    host_macs: int
    spikes: float
    sops: float
    sops_per_mac: float
    updates: int
    layers: tuple[LayerDescription, ...]
    validation: Judgement
    command: str = ""
    versions: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class SpikingCost:
    """What a platform's model of energy and latency needs to know of a spiking network.

    Attributes:
        neurons, synapses: their numbers.
        sops_per_frame: synaptic operations. updates_per_frame: updates of neurons.
        steps: time steps per frame.
        error_cm: of the integer network on the validation split; None when it was not evaluated.
        is_counted: False when all of this was assumed from the MACs of an ordinary network.
    """

    neurons: int
    synapses: int
    sops_per_frame: float
    updates_per_frame: int
    steps: int
    error_cm: float | None = None
    is_counted: bool = True


def folder_of(run: Run) -> Path:
    """Return the folder of a run's spiking network."""
    return run.path / FOLDER


def read_document(run: Run) -> SpikingDocument:
    """Read spiking.json of a run.

    Raises:
        InputFileError: the run has no spiking network, or the document is damaged.
    """
    path = folder_of(run) / DOCUMENT_NAME
    if not path.is_file():
        raise InputFileError(
            run.path, "this run has no spiking network", f"Make one with: tinytracker spike {run.path}"
        )
    return SpikingDocument.read(path)


def require_current(run: Run, about: SpikingDocument) -> None:
    """Check that a run's spiking network was made from the float network that the run has now.

    Raises:
        InputFileError: the run has been trained again since, or is not finished.
    """
    if sha256_file(run.trained_model()) != about.model_sha256:
        raise InputFileError(
            folder_of(run), "made from another float network than the run has now",
            f"Make it again with: tinytracker spike {run.path}",
        )  # fmt: skip


def require_described(run: Run, about: SpikingDocument, content: bytes) -> None:
    """Check that the content of a run's network file is the network that its description describes.

    Raises:
        InputFileError: the file is that of another run or conversion.
    """
    if sha256_bytes(content) != about.sha256:
        raise InputFileError(
            folder_of(run) / about.network, "not the network that spiking.json beside it describes",
            f"Run: tinytracker spike {run.path}",
        )  # fmt: skip


def spiking_cost(source: Run | SpikingDocument) -> SpikingCost:
    """Return the cost of a run's spiking network, or of its document; raises like `read_document`."""
    about = read_document(source) if isinstance(source, Run) else source
    return SpikingCost(
        about.neurons, about.synapses, about.sops, about.updates, about.steps, about.validation.integer_cm
    )  # fmt: skip
