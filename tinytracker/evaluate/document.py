"""The document RUN/evaluation/<model>-<split>.json: the errors of one model on one split."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from tinytracker.documents import Document
from tinytracker.evaluate.aim_numbers import AimNumbers
from tinytracker.evaluate.finder_numbers import FinderNumbers
from tinytracker.evaluate.metrics import Errors
from tinytracker.spiking.document import SpikingNumbers


class EvaluationDocument(Document):
    """The errors of one model of a run.

    Attributes:
        model: the evaluated file. model_sha256: of the file; only for the sensor's models.
        kind: "float" or the quantized model's name. split: of the prepared data. data_hash: of the prepared data.
        errors: in cm. aim: where the network places its crop; None for a network without an aim, or data without whole
            frames. finder: what a finder finds; its errors are those of the position, in cm at the face.
        spiking: spikes and operations of a spiking network, and its error after each step.
        command: the command that evaluated it. versions: of the libraries.
    """

    title: ClassVar[str] = "an evaluation"
    way_out: ClassVar[str] = "Evaluate again."

    model: str = ""
    model_sha256: str | None = None
    kind: str = ""
    split: str = ""
    data_hash: str = ""
    errors: Errors
    aim: AimNumbers | None = None
    finder: FinderNumbers | None = None
    spiking: SpikingNumbers | None = None
    command: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
