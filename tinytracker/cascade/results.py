"""What `tinytracker cascade evaluate` found, as a document: `report` and `compare-platforms` read it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from tinytracker.documents import Document, Part

KIND = "cascade-evaluation"
"""Tells this document from others that `report` takes."""

FOLDER, DOCUMENT_NAME = "cascade", "evaluation.json"
"""Where a run keeps it."""


NetworkName = Annotated[str, Field(pattern="^(big|little)$")]
"""Whose answers are shown."""


class LatencyFrames(Part):
    """Frames until an answer is there, as simulated."""

    big: int
    little: int


class CascadeNetwork(Part):
    """One of the two networks.

    Attributes:
        name: of its file or run. sha256: of its .tflite file. macs: of an inference.
    """

    name: str
    sha256: str
    macs: int


class PersonRow(Part):
    """One person and one strategy.

    Attributes:
        person: name. frames: that count.
        error_cm: mean. calibrated_cm: after the person's median error is taken away.
        busy: share of frames in which a network computes. big_rate, little_rate: starts per frame.
        saccades: of 2 cm or more. delay_median, delay_p95: frames until they are noticed; None if none was.
    """

    person: str
    frames: int
    error_cm: float
    calibrated_cm: float
    busy: float
    big_rate: float
    little_rate: float
    saccades: int
    delay_median: float | None
    delay_p95: float | None


class StrategyRow(Part):
    """One strategy with the answers of one network.

    Attributes:
        strategy: name. label: with its k. network: "big" or "little".
        thresholds: "cross-validated" (judged on people on whom they were not chosen) or "fixed".
        people, frames: that count.
        error_cm: mean over people. against_always: divided by that of the same network run always.
        calibrated_cm: after each person's median error is taken away.
        error_cm_p10, error_cm_p90: over people.
        busy: share of frames in which a network computes.
        big_rate: starts per frame of the network whose answers are shown. little_rate: of Little looking first.
        macs_per_frame, instructions_per_frame: with gate; instructions also with crops.
        core_load: share of a Spresense main core at 30 frames per second, modelled. microjoules_per_frame: of it.
        saccades: of 2 cm or more. delay_mean, delay_median, delay_p95: frames until they are noticed; None if none was.
        by_person: the same for each person.
    """

    strategy: str
    label: str
    network: NetworkName
    thresholds: Literal["cross-validated", "fixed"]
    people: int
    frames: int
    error_cm: float
    against_always: float
    calibrated_cm: float
    error_cm_p10: float
    error_cm_p90: float
    busy: float
    big_rate: float
    little_rate: float
    macs_per_frame: int
    instructions_per_frame: int
    core_load: float
    microjoules_per_frame: float
    saccades: int
    delay_mean: float | None
    delay_median: float | None
    delay_p95: float | None
    by_person: tuple[PersonRow, ...] = ()


class CurvePoint(Part):
    """One setting of a strategy: modelled energy per frame, share of busy frames, error."""

    microjoules: float
    busy: float
    error_cm: float


class Curve(Part):
    """The best settings of a strategy, by rising energy; chosen and judged on the same people."""

    strategy: str
    network: NetworkName
    points: tuple[CurvePoint, ...]


class Timeline(Part):
    """The first seconds of one person, frame by frame.

    Attributes:
        person: name. strategy, network: what was run. rate: frames per second.
        dot: where the dot was, cm. shown: the answer shown, cm; None before the first.
        flow: shift of the eyes against the face since the frame before, px of the gate's strip.
        path: a digit for each frame: 0 the last answer was kept, 1 Little started, 2 the strategy's network started.
        busy: a digit for each frame: 1 if a network was computing. shut: 1 if the lids were closed.
    """

    person: str
    strategy: str
    network: NetworkName
    rate: int = Field(ge=1)
    dot: tuple[tuple[float, float], ...]
    shown: tuple[tuple[float, float] | None, ...]
    flow: tuple[float, ...]
    path: str
    busy: str
    shut: str

    @model_validator(mode="after")
    def _of_one_length(self) -> Timeline:
        parts = (self.dot, self.shown, self.flow, self.path, self.busy, self.shut)
        if len({len(part) for part in parts}) != 1 or not self.dot:
            raise ValueError("its parts are not of the same number of frames")
        if {*self.path} - {*"012"}:
            raise ValueError("path has other digits than 0, 1 and 2")
        return self


class CascadeResults(Document):
    """All strategies of a cascade on the same people: what `tinytracker cascade evaluate` writes.

    Attributes:
        kind: "cascade-evaluation". latency_frames: that was simulated. rate: frames per second of the sequences.
        big, little: the networks. people: names. evidence: where the numbers are from.
        rows: of the table. curves: error against energy. timelines: some seconds of one person.
        command: that made it. versions: of the libraries.
    """

    title: ClassVar[str] = "the results of a cascade"
    way_out: ClassVar[str] = "Make them again with `tinytracker cascade evaluate`."

    kind: Literal["cascade-evaluation"] = "cascade-evaluation"
    latency_frames: LatencyFrames
    rate: int = Field(ge=1)
    big: CascadeNetwork
    little: CascadeNetwork
    people: tuple[str, ...]
    evidence: str
    rows: tuple[StrategyRow, ...]
    curves: tuple[Curve, ...] = ()
    timelines: tuple[Timeline, ...] = ()
    command: str = ""
    versions: dict[str, str] = Field(default_factory=dict)

    def row(self, strategy: str, network: str) -> StrategyRow | None:
        """Return the first row of a strategy with the answers of a network."""
        return next((r for r in self.rows if (r.strategy, r.network) == (strategy, network)), None)
