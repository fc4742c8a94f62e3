"""quantization.json, the record beside a quantized model of how it was made."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from tinytracker.documents import Document, Part
from tinytracker.quant.contract import AimDecoding, FinderDecoding, GazeDecoding, TensorContract

RECORD_NAME = "quantization.json"


class CalibrationFrames(Part):
    """The frames whose activations set the ranges.

    Attributes:
        split, frames, subjects: their split, and their numbers. device_orientation_pairs: number of strata.
        sha256: of the frames. data_hash: of the prepared data. seed: random seed of the draw.
    """

    split: str
    frames: int
    subjects: int
    device_orientation_pairs: int
    sha256: str
    data_hash: str
    seed: int = 0


class RoundedTraining(Part):
    """Quantization-aware training: its length, its best epoch and the validation error of that epoch in cm."""

    epochs: int
    best_epoch: int
    val_error_cm: float
    learning_rate: float
    seconds: float


class IoDescription(Part):
    """Inputs and outputs in the order of the file, and the decoding to gaze and aim; None when the output has none."""

    inputs: tuple[TensorContract, ...]
    outputs: tuple[TensorContract, ...]
    gaze: GazeDecoding | None = None
    aim: AimDecoding | None = None
    finder: FinderDecoding | None = None


class QuantizationSummary(Part):
    """What the manifest of a package says about the quantization of its model."""

    method: str
    io: str
    calibration: CalibrationFrames | None = None
    training: RoundedTraining | None = None
    versions: dict[str, str] = Field(default_factory=dict)


class QuantizationRecord(Document):
    """How a .tflite file of a run was made.

    Attributes:
        method: "ptq" or "qat". io: "int8" or "uint8". model: file beside this one. name: name of its folder.
        bytes, sha256: of the file. float_sha256: of the float network; "" from releases that did not store it.
        calibration: frames that set the ranges. contract: inputs and outputs. training: of method "qat".
        command: the command that made it. versions: of the libraries.
    """

    title: ClassVar[str] = "the record of a quantization"
    way_out: ClassVar[str] = "Quantize again."

    method: str
    io: str
    model: str = ""
    name: str = ""
    bytes: int = 0
    sha256: str = ""
    float_sha256: str = ""
    calibration: CalibrationFrames | None = None
    contract: IoDescription | None = None
    training: RoundedTraining | None = None
    command: str = ""
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def summary(self) -> QuantizationSummary:
        """The summary for a package: the known fields, without path and size of the file."""
        chosen = ((name, getattr(self, name)) for name in QuantizationSummary.model_fields)
        return QuantizationSummary(**{name: value for name, value in chosen if value is not None})


class SensorQuantization(Document):
    """How the sensor's .keras file of a run was made.

    Attributes:
        method: in words. platform_version: of the sensor's capabilities. output_bits: of the network's output.
        float_sha256: of the quantized float network. versions: of the libraries.
        calibration_frames, seed: as requested. calibration: the frames drawn.
        sha256: of the file.
    """

    title: ClassVar[str] = "the record of a quantization for the sensor"
    way_out: ClassVar[str] = "Delete its folder and package again."

    method: str
    platform_version: str
    output_bits: int
    float_sha256: str
    versions: dict[str, str]
    calibration_frames: int
    seed: int
    calibration: CalibrationFrames
    sha256: str
