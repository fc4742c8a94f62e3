"""Parts of depthwise convolutions: tt_m4_depthwise_part.c."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinytracker.codegen.cortex_m4.costs import depthwise_instructions
from tinytracker.codegen.cortex_m4.depthwise import GROUP, SOURCES, plane_size
from tinytracker.codegen.cortex_m4.divide import SOURCE_OF_PARTS, input_rows, limit_parts
from tinytracker.codegen.cortex_m4.requantize import rounds_away
from tinytracker.codegen.graph import DepthwiseConv
from tinytracker.codegen.multicore.parts import (
    Part,
    PartCode,
    Split,
    alone,
    by_channels,
    by_channels_then_positions,
    by_positions,
    view,
    whole,
)

_SOURCES = (*SOURCES, SOURCE_OF_PARTS, "tt_m4_depthwise_part.h", "tt_m4_depthwise_part.c")
_WORD_BYTES = 4


@dataclass(frozen=True)
class DepthwiseDivision:
    """A depthwise convolution divided by groups of four channels, or by rows."""

    node: DepthwiseConv

    parameters = "tt_m4_depthwise_t"

    def splits(self, cores: int) -> tuple[Split, ...]:
        """See `Division`."""
        w, output = self.node.window, self.node.output
        if view(output) != (w.batches * w.out_h * w.out_w, w.out_c):
            return (alone(output, cores),)
        found = [alone(output, cores), by_channels("channels by 4", output, GROUP, cores)]
        if w.batches == 1 and w.out_h > 1:
            found.append(by_positions("rows", output, w.out_w, cores))
            rest = by_channels_then_positions("channels, rest by rows", output, GROUP, w.out_w, cores)
            found += [rest] if rest is not None else []
        return tuple(found)

    def needs(self, part: Part) -> tuple[Part, ...]:
        """See `Division`."""
        w, source = self.node.window, self.node.inputs[0]
        if part.is_empty or view(source) != (w.batches * w.in_h * w.in_w, w.in_c):
            return (whole(source),)
        first, end = input_rows(w, part)
        return (Part(first, end, part.first_channel, part.end_channel),)

    def instructions(self, part: Part) -> float:
        """See `Division`."""
        away = rounds_away(self.node.requantization)
        return depthwise_instructions(self.node.window, self._rows(part), away, part)

    def scratch_bytes(self, part: Part) -> int:
        """See `Division`."""
        rows, columns = plane_size(self.node.window, self._rows(part))
        return GROUP * rows * columns * _WORD_BYTES

    def _rows(self, part: Part) -> int:
        """Return the rows of an image that a part has."""
        w = self.node.window
        return w.out_h if w.batches > 1 else part.positions // w.out_w

    def emit(self, code: PartCode, split: Split, parts: Sequence[str]) -> None:
        """See `Division`."""
        code.sources.update(_SOURCES)
        source, target = code.read(self.node.inputs[0]), code.write(self.node.output)
        for part in parts:
            code.call("tt_m4_depthwise_part", code.layer, part, source, target, code.scratch("uint32_t"))
            limit_parts(self.node, self.node.requantization, part, code)
