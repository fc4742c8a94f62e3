"""Strategies as data: what is measured, the thresholds, and which networks run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tinytracker.cascade.rule import NEVER, GateSettings
from tinytracker.errors import UnknownNameError

MEASURES = ("none", "difference", "flow")
NETWORKS = ("big", "little")


@dataclass(frozen=True)
class Strategy:
    """When which network runs.

    Attributes:
        name: of the row in tables. about: one line on what it does.
        measure: what the gate looks at: "none", "difference" from the strip of the last inference, or eye "flow".
        gate: thresholds.
        network: whose answers are shown: "big" or "little".
        little: whether Little looks first when the gate opens, and decides on Big.
        moved_cm: Big runs when Little's answer has moved by more than this since Big's last run, cm.
        longest_big: where Little looks first, most frames from one run of Big to the next.
    """

    name: str
    about: str
    measure: str = "none"
    gate: GateSettings = field(default_factory=GateSettings)
    network: str = "big"
    little: bool = False
    moved_cm: float = 0.0
    longest_big: int = NEVER

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise UnknownNameError("measure", self.measure, MEASURES)
        if self.network not in NETWORKS:
            raise UnknownNameError("network", self.network, NETWORKS)

    def of(self, network: str) -> Strategy:
        """Return the same strategy with the answers of another network."""
        return replace(self, network=network)

    def with_gate(self, **changes: Any) -> Strategy:
        """Return the same strategy with other thresholds."""
        return replace(self, gate=replace(self.gate, **changes))


ALWAYS = Strategy("always", "the network runs whenever it is free", gate=GateSettings(longest=1))
EVERY = Strategy("every k-th frame", "the network runs every k-th frame", gate=GateSettings(longest=9))
STILL = Strategy(
    "still", "difference of the strip from that of the last inference (1BDD by analogy)",
    "difference", GateSettings(longest=30, floor=60),
)  # fmt: skip
SUMMED = Strategy(
    "summed flow", "eye flow, summed since the last inference (1B1D by analogy)",
    "flow", GateSettings(longest=30, drift=64),
)  # fmt: skip
LITTLE = Strategy(
    "little", "Little runs whenever it is free and decides on Big (1B6S by analogy)",
    gate=GateSettings(longest=1), little=True, moved_cm=1.5,
)  # fmt: skip
FLOW = Strategy(
    "flow", "a jump of the eyes against the face starts the network once they have landed",
    "flow", GateSettings(longest=16, factor=40, floor=30, settle=1, shut=40, hold=6),
)  # fmt: skip
FLOW_LITTLE = replace(
    FLOW,
    name="flow, little",
    about="as flow, but Little looks first and decides on Big",
    little=True,
    moved_cm=1.5,
)

STRATEGIES = {s.name: s for s in (ALWAYS, EVERY, STILL, SUMMED, LITTLE, FLOW, FLOW_LITTLE)}


def grid(strategy: Strategy, at_most: int = NEVER) -> list[Strategy]:
    """Return the settings among which `fit` chooses.

    Args:
        strategy: whose thresholds to choose.
        at_most: frames that may pass without the network whose answers are shown.
    """
    made = [
        replace(
            s, longest_big=at_most if s.little else NEVER,
            gate=replace(s.gate, longest=min(s.gate.longest, at_most)),
        )
        for s in _grid(strategy)
    ]  # fmt: skip
    return list(dict.fromkeys(made))


def _grid(strategy: Strategy) -> list[Strategy]:
    if strategy.name == EVERY.name:
        return [strategy.with_gate(longest=k) for k in (4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30)]
    if strategy.name == STILL.name:
        floors = (16, 24, 32, 44, 60, 80, 120, 170, 240)
        return [strategy.with_gate(longest=n, floor=f) for n in (9, 12, 20, 30) for f in floors]
    if strategy.name == SUMMED.name:
        sums = (32, 45, 64, 90, 128, 180, 256)
        return [strategy.with_gate(longest=n, drift=f) for n in (9, 12, 20, 30) for f in sums]
    if strategy.name == LITTLE.name:
        return [replace(strategy, moved_cm=cm) for cm in (0.7, 1.0, 1.5, 2.0, 3.0, 4.0)]
    if strategy.measure == "flow":
        return [
            strategy.with_gate(longest=n, factor=f, floor=low, settle=s)
            for n in (10, 12, 14, 16, 20, 26) for f in (32, 40, 48, 56) for low in (16, 30) for s in (0, 1)
        ]  # fmt: skip
    return [strategy]


__all__ = [
    "ALWAYS",
    "EVERY",
    "FLOW",
    "FLOW_LITTLE",
    "LITTLE",
    "NEVER",
    "STILL",
    "STRATEGIES",
    "SUMMED",
    "Strategy",
    "grid",
]
