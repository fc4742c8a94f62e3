"""A figure of the table of platforms: a number that cannot be without its mark, its source and its range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias


class Mark(str, Enum):
    """How a figure came about. Every figure has one.

    MEASURED: on the hardware that it is about, by a session, a meter, or an evaluation on recorded data.
    EMULATED: counted exactly in generated code or on an emulated board, where no real time passes.
    MODELLED: computed from constants whose sources are named, with a range.
    PUBLISHED: by others, for their network on their hardware.
    SYNTHETIC: measured on people or images that a program drew.
    """

    MEASURED = "measured"
    EMULATED = "emulated"
    MODELLED = "modelled"
    PUBLISHED = "published"
    SYNTHETIC = "synthetic"


LETTERS = {
    mark.value: "~" if mark is Mark.MODELLED else mark.value[0]
    for mark in (Mark.MEASURED, Mark.EMULATED, Mark.MODELLED, Mark.PUBLISHED, Mark.SYNTHETIC)
}
"""What stands beside a figure in a table on the command line, by its mark."""


@dataclass(frozen=True)
class Figure:
    """A number with what a reader must know about it.

    Attributes:
        value: in the unit of its column.
        mark: how it came about.
        source: where from, in a phrase; several are separated by "; ".
        low, high: its range; equal to the value when it has none.
    """

    value: float
    mark: Mark
    source: str
    low: float = math.nan
    high: float = math.nan

    def __post_init__(self) -> None:
        if math.isnan(self.low):
            object.__setattr__(self, "low", self.value)
        if math.isnan(self.high):
            object.__setattr__(self, "high", self.value)
        if not isinstance(self.mark, Mark):
            raise TypeError(f"{self.mark!r} is not a Mark")
        if not self.source:
            raise ValueError("a figure needs its source")
        if not 0 <= self.low <= self.value <= self.high < math.inf:
            raise ValueError(f"{self.low:g} to {self.high:g} does not hold {self.value:g}")

    def __mul__(self, other: Figure | float) -> Figure:
        """Return the product; that of two figures is modelled, with the product of the ranges."""
        if not isinstance(other, Figure):
            return Figure(self.value * other, self.mark, self.source, self.low * other, self.high * other)
        low, high = self.low * other.low, self.high * other.high
        return Figure(self.value * other.value, Mark.MODELLED, _sources(self, other), low, high)

    def __add__(self, other: Figure) -> Figure:
        """Return the sum, modelled, with the sum of the ranges."""
        low, high = self.low + other.low, self.high + other.high
        return Figure(self.value + other.value, Mark.MODELLED, _sources(self, other), low, high)

    def __truediv__(self, other: Figure | float) -> Figure:
        """Return the quotient; that of two figures is modelled, with the widest range."""
        if not isinstance(other, Figure):
            return self * (1 / other)
        return Figure(
            self.value / other.value, Mark.MODELLED, _sources(self, other), self.low / other.high,
            self.high / other.low,
        )  # fmt: skip

    @property
    def sources(self) -> tuple[str, ...]:
        """Return its sources one by one: a modelled figure has those of all its constants."""
        return tuple(self.source.split("; "))

    @property
    def is_range(self) -> bool:
        """Whether its range is wider than the number."""
        return self.low < self.high

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "value": self.value, "low": self.low, "high": self.high, "mark": self.mark.value,
            "source": self.source,
        }  # fmt: skip


@dataclass(frozen=True)
class Absent:
    """A figure that nobody has: why, and what would bring it."""

    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"absent": self.reason}


Cell: TypeAlias = "Figure | Absent"
"""What a table may hold: there is no third kind."""


def product(first: Cell, second: Cell | float) -> Cell:
    """Return the product, or the first part that is absent."""
    if isinstance(first, Absent):
        return first
    return second if isinstance(second, Absent) else first * second


def total(first: Cell, second: Cell) -> Cell:
    """Return the sum, or the first part that is absent."""
    if isinstance(first, Absent):
        return first
    return second if isinstance(second, Absent) else first + second


def exactly(value: float, source: str, mark: Mark) -> Figure:
    """Return a figure without a range."""
    return Figure(value, mark, source)


def _sources(*figures: Figure) -> str:
    """Return the sources of several figures, each once."""
    parts = [part for figure in figures for part in figure.sources]
    return "; ".join(dict.fromkeys(parts))
