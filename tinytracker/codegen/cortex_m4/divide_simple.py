"""Parts of additions and means: tt_m4_simple_part.c."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinytracker.codegen.cortex_m4.costs import add_instructions, mean_instructions
from tinytracker.codegen.cortex_m4.divide import SIMPLE_SOURCES
from tinytracker.codegen.graph import Add, Mean
from tinytracker.codegen.multicore.parts import (
    Part,
    PartCode,
    Split,
    alone,
    by_channels,
    by_positions,
    view,
    whole,
)

_MEAN_CHANNELS = 4
_PAIR = 2


@dataclass(frozen=True)
class AddDivision:
    """An addition divided by positions: pairs, like the convolutions beside it, or rows."""

    node: Add

    parameters = "tt_m4_add_t"

    def splits(self, cores: int) -> tuple[Split, ...]:
        """See `Division`."""
        output = self.node.output
        found = [alone(output, cores), by_positions("positions", output, _PAIR, cores)]
        if len(output.shape) == 4 and output.shape[0] == 1 and output.shape[1] > 1:
            found.append(by_positions("rows", output, output.shape[2], cores))
        return tuple(found)

    def needs(self, part: Part) -> tuple[Part, ...]:
        """See `Division`."""
        return (part,) * len(self.node.inputs)

    def instructions(self, part: Part) -> float:
        """See `Division`."""
        return add_instructions(part.positions * part.channels)

    def scratch_bytes(self, part: Part) -> int:
        """See `Division`."""
        return 0

    def emit(self, code: PartCode, split: Split, parts: Sequence[str]) -> None:
        """See `Division`."""
        code.sources.update(SIMPLE_SOURCES)
        sources = [code.read(tensor) for tensor in self.node.inputs]
        for part in parts:
            code.call("tt_m4_add_part", code.layer, part, *sources, code.write(self.node.output))


@dataclass(frozen=True)
class MeanDivision:
    """A mean over height and width divided by groups of four channels."""

    node: Mean

    parameters = "tt_m4_mean_t"

    def splits(self, cores: int) -> tuple[Split, ...]:
        """See `Division`."""
        output = self.node.output
        if view(output)[1] != self.node.shape[3]:
            return (alone(output, cores),)
        return (alone(output, cores), by_channels("channels by 4", output, _MEAN_CHANNELS, cores))

    def needs(self, part: Part) -> tuple[Part, ...]:
        """See `Division`."""
        everything = whole(self.node.inputs[0])
        if part.is_empty or view(self.node.inputs[0])[1] != self.node.shape[3]:
            return (everything,)
        return (Part(0, everything.end_position, part.first_channel, part.end_channel),)

    def instructions(self, part: Part) -> float:
        """See `Division`."""
        batches, height, width, _ = self.node.shape
        return mean_instructions(batches, height * width, part.channels)

    def scratch_bytes(self, part: Part) -> int:
        """See `Division`."""
        return 0

    def emit(self, code: PartCode, split: Split, parts: Sequence[str]) -> None:
        """See `Division`."""
        code.sources.update(SIMPLE_SOURCES)
        source, target = code.read(self.node.inputs[0]), code.write(self.node.output)
        for part in parts:
            code.call("tt_m4_mean_part", code.layer, part, source, target)
