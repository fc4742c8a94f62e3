"""hybrid.json: what a run's hybrid is in integers, and how well it answers."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from tinytracker.documents import Document, Part

FOLDER, DOCUMENT_NAME = "hybrid", "hybrid.json"
NETWORK_NAME, HEAD_NAME, ACCUMULATOR_NAME = "spiking.nir", "head.tflite", "accumulator.json"


class HybridLayer(Part):
    """A spiking layer.

    Attributes:
        name: of the layer. shape: of its neurons. synapses: their number.
        threshold: of its neurons in units of a weight; unset for a readout.
    """

    name: str
    shape: tuple[int, ...]
    threshold: int | None = None
    synapses: int


class SpikingPart(Part):
    """The spiking layers.

    Attributes:
        file: NIR file beside the document. sha256: of it.
        rule: of the neurons, `tinytracker.spiking.neuron.NeuronRule`.
        neurons, synapses: their numbers. layers: in order.
    """

    file: str
    sha256: str
    rule: dict[str, Any]
    neurons: int
    synapses: int
    layers: tuple[HybridLayer, ...]


class AccumulatorPart(Part):
    """The accumulator, as `deploy/common/tt_accumulate.h` takes it.

    Attributes:
        steps: of a window. interval: steps of a slot. slots: steps / interval.
        height, width, channels: of the map of spikes. bytes: of its cells, which are the head's input.
        empty: code of a cell without a spike. code_step: by which a spike raises it. full: at which it saturates.
    """

    steps: int
    interval: int
    slots: int
    height: int
    width: int
    channels: int
    bytes: int
    empty: int
    code_step: int
    full: int


class HeadPart(Part):
    """The ordinary layers.

    Attributes:
        file: .tflite file beside the document. sha256, bytes: of it.
        macs: multiply-accumulates. parameters: weights and biases.
        unit_per_code: units of an answer per code. zero_point: code of no change.
        calibration_windows: of the training split, whose activations set the ranges.
    """

    file: str
    sha256: str
    bytes: int
    macs: int
    parameters: int
    unit_per_code: float
    zero_point: int
    calibration_windows: int


class HybridJudgement(Part):
    """Errors of the gaze change on windows of the validation split: mean distance in cm.

    Attributes:
        windows: number. no_answer_cm: of saying that nothing moved. float_cm, integer_cm: before and after rounding.
    """

    windows: int
    no_answer_cm: float
    float_cm: float
    integer_cm: float


class HybridDocument(Document):
    """A run's hybrid in integers.

    Attributes:
        preset: of the run. interval: of the accumulator. bin_us: length of a step, µs.
        unit_strip: width of the eye strip, as a share of the sensor's, at which one unit of an answer is a centimetre.
        parameters: of all layers.
        spiking: unset for a preset without spiking layers. accumulator, head: unset for a network of spikes only.
        unit_of_readout: units of an answer in one unit of a readout's sum; only for a network of spikes only.
        weights_sha256: of the float weights.
        validation: errors on the validation split.
        command: that made it. versions: of the libraries.
    """

    title: ClassVar[str] = "the description of a hybrid"
    way_out: ClassVar[str] = "Make it again with `tinytracker hybrid quantize`."

    preset: str
    interval: int
    bin_us: int
    unit_strip: float
    parameters: int
    spiking: SpikingPart | None = None
    accumulator: AccumulatorPart | None = None
    head: HeadPart | None = None
    unit_of_readout: float | None = None
    weights_sha256: str
    validation: HybridJudgement
    command: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
