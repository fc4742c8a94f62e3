"""Parts of a layer's output, and ways to divide an output over cores.

An output is seen as positions × channels: its last dimension, and all others as one sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from tinytracker.codegen.kernel import LayerCode
from tinytracker.model.tflite_model import Tensor

MAX_CORES = 5
"""Cores of a Spresense that run a network: the main core and four of the five others."""


@dataclass(frozen=True)
class Part:
    """Positions [first_position, end_position) and channels [first_channel, end_channel) of an output."""

    first_position: int
    end_position: int
    first_channel: int
    end_channel: int

    @property
    def positions(self) -> int:
        """Return the number of positions."""
        return max(self.end_position - self.first_position, 0)

    @property
    def channels(self) -> int:
        """Return the number of channels."""
        return max(self.end_channel - self.first_channel, 0)

    @property
    def is_empty(self) -> bool:
        """Return True when the part has no element."""
        return self.positions == 0 or self.channels == 0

    def contains(self, other: Part) -> bool:
        """Return True when every element of the other part is in this one."""
        return other.is_empty or (
            self.first_position <= other.first_position
            and other.end_position <= self.end_position
            and self.first_channel <= other.first_channel
            and other.end_channel <= self.end_channel
        )


EMPTY = Part(0, 0, 0, 0)


@dataclass(frozen=True)
class Split:
    """A way to divide an output.

    Attributes:
        name: how ("rows", "channels", "rows, rest by channels", ...).
        rounds: one or two sequences of parts, one part per core; together they cover the output exactly once.
    """

    name: str
    rounds: tuple[tuple[Part, ...], ...]

    def of_core(self, core: int) -> tuple[Part, ...]:
        """Return the parts of a core that are not empty."""
        return tuple(parts[core] for parts in self.rounds if not parts[core].is_empty)


@dataclass
class PartCode(LayerCode):
    """The C that computes the parts of one step, in a function that every core runs.

    Attributes:
        layer: C expression of the address of the layer's parameters, which are shared by all cores.
    """

    layer: str = ""
    own_code: bool = field(default=True)

    def scratch(self, c_name: str) -> str:
        """Return the working memory of the running core."""
        return "scratch"


class Division(Protocol):
    """How one layer can be divided: a kernel and the node that it computes."""

    @property
    def parameters(self) -> str:
        """Return the C type of the layer's parameters."""

    def splits(self, cores: int) -> tuple[Split, ...]:
        """Return the ways to divide the output over this many cores."""

    def needs(self, part: Part) -> tuple[Part, ...]:
        """Return the part of each run-time input that this part of the output is computed from."""

    def instructions(self, part: Part) -> float:
        """Return the estimated instructions for a part of the output."""

    def scratch_bytes(self, part: Part) -> int:
        """Return the bytes of working memory for a part of the output."""

    def emit(self, code: PartCode, split: Split, parts: Sequence[str]) -> None:
        """Write the calls that compute the parts of a split.

        Args:
            code: receives statements, sources and shared functions.
            split: the chosen split.
            parts: per round, a C pointer to the part of the running core.
        """


def view(tensor: Tensor) -> tuple[int, int]:
    """Return the positions and channels of a tensor."""
    channels = tensor.shape[-1] if tensor.shape else 1
    return tensor.elements // max(channels, 1), channels


def whole(tensor: Tensor) -> Part:
    """Return the part that is the whole tensor."""
    positions, channels = view(tensor)
    return Part(0, positions, 0, channels)


def alone(tensor: Tensor, cores: int) -> Split:
    """Return the split in which core 0 computes everything."""
    return Split("alone", ((whole(tensor), *(EMPTY,) * (cores - 1)),))


def by_positions(name: str, tensor: Tensor, unit: int, cores: int) -> Split:
    """Divide the positions in multiples of `unit`."""
    positions, channels = view(tensor)
    return Split(name, (tuple(Part(a, b, 0, channels) for a, b in _even(0, positions, unit, cores)),))


def by_channels(name: str, tensor: Tensor, unit: int, cores: int) -> Split:
    """Divide the channels in multiples of `unit`."""
    positions, channels = view(tensor)
    return Split(name, (tuple(Part(0, positions, a, b) for a, b in _even(0, channels, unit, cores)),))


def by_positions_then_channels(
    name: str, tensor: Tensor, position_unit: int, channel_unit: int, cores: int
) -> Split | None:
    """Give every core the same number of position units, and divide the channels of those left over.

    Returns:
        None when no unit is left over, or there are fewer units than cores.
    """
    positions, channels = view(tensor)
    units = -(-positions // position_unit)
    shared = units // cores * cores * position_unit
    if shared == 0 or shared >= positions:
        return None
    first = tuple(Part(a, b, 0, channels) for a, b in _even(0, shared, position_unit, cores))
    rest = tuple(Part(shared, positions, a, b) for a, b in _even(0, channels, channel_unit, cores))
    return Split(name, (first, rest))


def by_rows_then_positions(name: str, tensor: Tensor, row: int, unit: int, cores: int) -> Split | None:
    """Give every core the same number of rows of `row` positions, and divide the positions of those left over.

    Returns:
        None when no row is left over, or there are fewer rows than cores.
    """
    positions, channels = view(tensor)
    shared = positions // row // cores * cores * row
    if shared == 0 or shared >= positions:
        return None
    first = tuple(Part(a, b, 0, channels) for a, b in _even(0, shared, row, cores))
    rest = tuple(Part(a, b, 0, channels) for a, b in _even(shared, positions, unit, cores))
    return Split(name, (first, rest))


def pieces(part: Part, width: int) -> list[tuple[int, int, int, int]]:
    """Return (row, rows, column, columns) of the pieces in which rows of `width` positions are computed.

    `tt_first_piece` of tt_part.h does the same.
    """
    found = []
    first = part.first_position
    while first < part.end_position:
        row, column = divmod(first, width)
        left = part.end_position - first
        if column == 0 and left >= width:
            found.append((row, left // width, 0, width))
        else:
            found.append((row, 1, column, min(left, width - column)))
        first += found[-1][1] * found[-1][3]
    return found


def by_channels_then_positions(
    name: str, tensor: Tensor, channel_unit: int, position_unit: int, cores: int
) -> Split | None:
    """Give every core the same number of channel units, and divide the positions of those left over.

    Returns:
        None when no unit is left over, or there are fewer units than cores.
    """
    positions, channels = view(tensor)
    units = -(-channels // channel_unit)
    shared = units // cores * cores * channel_unit
    if shared == 0 or shared >= channels:
        return None
    first = tuple(Part(0, positions, a, b) for a, b in _even(0, shared, channel_unit, cores))
    rest = tuple(Part(a, b, shared, channels) for a, b in _even(0, positions, position_unit, cores))
    return Split(name, (first, rest))


def _even(start: int, end: int, unit: int, cores: int) -> list[tuple[int, int]]:
    """Return consecutive ranges of whole units, as equal as they can be, larger ones last; the last unit may be cut.

    Core 0 is the one that also serves the rest of the program, so it gets no more than the others.
    """
    units = -(-(end - start) // unit)
    ends = [start + units * core // cores * unit for core in range(cores + 1)]
    ends[cores] = end
    return [(min(a, end), min(b, end)) for a, b in pairwise(ends)]
