"""The thresholds of a gate as a document: `cascade fit` writes it, `cascade evaluate` and firmware read it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from tinytracker.cascade.judge import limit_of
from tinytracker.cascade.presence import PresenceSettings
from tinytracker.cascade.rule import GateSettings
from tinytracker.cascade.strategies import FLOW, FLOW_LITTLE, Strategy
from tinytracker.cascade.thresholds import Thresholds
from tinytracker.documents import Document


class CascadeSettings(Document):
    """Thresholds of the eye flow's gate, chosen by `tinytracker cascade fit`.

    Attributes:
        longest: most frames from one inference to the next. factor: a change above this multiple of its running median
            is a jump, in 1/16. floor: and above this, in 1/256 px of the gate's strip.
        settle: most frames to wait for eyes that still move. shut: lids move when the misfit exceeds this multiple of
            its running median, in 1/16. hold: most frames to wait for lids.
        drift: the shifts since the last inference, summed, may reach this, in 1/256 px.
        patience: frames without eyes in which a board still looks at every frame. every: after that, at one in so many.
        moved_cm: with Little in between: Big runs when Little's answer has moved by more since Big's last run, in cm at
            the reference width.
        budget: "energy" or "error". big_sha256, little_sha256: of the networks. people, frames: chosen on these.
        error_against_always, busy: cross-validated, of people on whom they were not chosen.
        command: that chose them. versions: of the libraries.
    """

    title: ClassVar[str] = "settings of a cascade"
    way_out: ClassVar[str] = "Choose them again with `tinytracker cascade fit`."

    longest: int
    factor: int
    floor: int
    settle: int
    shut: int
    hold: int
    drift: int
    patience: int = PresenceSettings().patience
    every: int = PresenceSettings().every
    moved_cm: float = Field(default=FLOW_LITTLE.moved_cm, ge=0, le=100)
    budget: str = "energy"
    big_sha256: str = ""
    little_sha256: str = ""
    people: int = 0
    frames: int = 0
    error_against_always: float = 0.0
    busy: float = 0.0
    command: str = ""
    versions: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _within_range(self) -> CascadeSettings:
        self.thresholds(little=True)
        return self

    def thresholds(self, *, little: bool) -> Thresholds:
        """Return what a board is set to, with or without Little in between."""
        presence = PresenceSettings(self.patience, self.every)
        return Thresholds(self.gate(), presence, limit_of(self.moved_cm) if little else 0)

    def gate(self) -> GateSettings:
        """Return the thresholds."""
        return GateSettings(
            longest=self.longest, factor=self.factor, floor=self.floor, settle=self.settle, shut=self.shut,
            hold=self.hold, drift=self.drift,
        )  # fmt: skip

    def strategy(self) -> Strategy:
        """Return the strategy "flow" with these thresholds."""
        return FLOW.with_gate(**vars(self.gate()))
