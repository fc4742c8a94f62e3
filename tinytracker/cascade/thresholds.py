"""What a board's gate is set to: the numbers of rule, presence and judge, by their names in the serial protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tinytracker.cascade.presence import PresenceSettings
from tinytracker.cascade.rule import NEVER, GateSettings

ALWAYS_LOOK = PresenceSettings(patience=NEVER, every=1)
"""No frame is skipped because nobody is there."""


@dataclass(frozen=True)
class Thresholds:
    """All thresholds of a gate on a board (deploy/common/tt_gated.h).

    Attributes:
        gate: of the rule. presence: of the looks while nobody is there.
        moved: with Little: Big runs when Little's answer has moved by more since Big's last run, in steps of the sums
            of codes (`judge.limit_of`); 0 without Little.

    Example:
        >>> Thresholds(GateSettings(longest=9)).numbers()["longest"]
        9
    """

    gate: GateSettings
    presence: PresenceSettings = field(default_factory=PresenceSettings)
    moved: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.moved <= NEVER:
            raise ValueError(f"moved is {self.moved}; it must be from 0 to {NEVER}")

    def numbers(self) -> dict[str, int]:
        """Return the numbers by name, in the order of the protocol."""
        return {**vars(self.gate), **vars(self.presence), "moved": self.moved}

    @classmethod
    def of(cls, numbers: Mapping[str, int]) -> Thresholds:
        """Return the thresholds with these numbers, all of `NAMES`.

        Raises:
            ValueError: one is out of range. KeyError: one is missing.
        """
        return cls(
            GateSettings(**{name: numbers[name] for name in _GATE}),
            PresenceSettings(**{name: numbers[name] for name in _PRESENCE}),
            numbers["moved"],
        )


_GATE = tuple(vars(GateSettings()))
_PRESENCE = tuple(vars(PresenceSettings()))
NAMES = (*_GATE, *_PRESENCE, "moved")
"""As in deploy/common/tt_gated.c."""
