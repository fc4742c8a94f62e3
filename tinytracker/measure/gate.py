"""The gate in front of a board's network (`tinytracker.cascade`): what `tt hello` says about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinytracker.cascade.reference import NOBODY
from tinytracker.cascade.simulation import BY_BIG, BY_LITTLE, REUSED
from tinytracker.cascade.thresholds import NAMES, Thresholds
from tinytracker.errors import ModelError
from tinytracker.files import sha256_bytes

MEASURE = "flow"
"""What gates of boards look at."""

PATH_NAMES = {REUSED: "kept", BY_LITTLE: "little", BY_BIG: "network", NOBODY: "nobody"}
"""What happened to a frame, by its number in the record."""


@dataclass(frozen=True)
class BoardGate:
    """A gate and its thresholds.

    Attributes:
        thresholds: that the board has.
        little_sha256: of the .tflite file of the network that looks first; None without one.
    """

    thresholds: Thresholds
    little_sha256: str | None = None

    @property
    def strategy(self) -> str:
        """Name of the strategy, of `tinytracker.cascade.STRATEGIES`."""
        return MEASURE if self.little_sha256 is None else f"{MEASURE}, little"

    def as_json(self) -> dict[str, Any]:
        """For the JSON document and the session's header."""
        numbers = self.thresholds.numbers()
        return {"strategy": self.strategy, **numbers, "little_sha256": self.little_sha256}


def parse_gate(said: Mapping[str, str]) -> BoardGate | None:
    """Return the gate that a board describes; None for a board without one.

    Args:
        said: values of `tt hello` by name.

    Raises:
        ValueError: a line is damaged; says which.
    """
    value, little = said.get("cascade"), said.get("little")
    if value is None:
        return None
    if little is not None and not re.fullmatch(r"[0-9a-f]{64}", little):
        raise ValueError(f"Little's hash is {little!r}")
    return BoardGate(parse_thresholds(value), little)


def parse_thresholds(value: str) -> Thresholds:
    """Return the thresholds in the value of `m-tt-cascade-[VALUE]`.

    Raises:
        ValueError: it is damaged, or of a gate of another kind.
    """
    measure, *numbers = value.split(",")
    if (
        measure != MEASURE
        or len(numbers) != len(NAMES)
        or not all(re.fullmatch(r"\d{1,7}", n) for n in numbers)
    ):
        raise ValueError(f"the gate is {value!r}")
    return Thresholds.of(dict(zip(NAMES, map(int, numbers), strict=True)))


def require_little(gate: BoardGate, little: bytes | None) -> None:
    """Refuse another Little than the board's.

    Raises:
        ModelError: it has none and one was given, it has one and none was given, or it is another.
    """
    given = None if little is None else sha256_bytes(little)
    if given == gate.little_sha256:
        return
    if gate.little_sha256 is None:
        raise ModelError("The board has no network that looks first.", "Omit --little.")
    is_what = "none was given" if given is None else f"not {given[:12]}"
    raise ModelError(
        f"On the board, the network {gate.little_sha256[:12]} looks first, {is_what}.",
        "Give its file with --little.",
    )
