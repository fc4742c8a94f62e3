"""Parts of depthwise convolutions: tt_m4_depthwise_part.c."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinytracker.codegen.cortex_m4.costs import depthwise_instructions
from tinytracker.codegen.cortex_m4.depthwise import GROUP, SOURCES, plane_size
from tinytracker.codegen.cortex_m4.divide import (
    SOURCE_OF_PARTS,
    input_rows,
    limit_cost,
    limit_parts,
    skipped_input,
)
from tinytracker.codegen.cortex_m4.requantize import rounds_away
from tinytracker.codegen.graph import DepthwiseConv, Window
from tinytracker.codegen.multicore.parts import (
    Part,
    PartCode,
    Split,
    alone,
    by_channels,
    by_channels_then_positions,
    by_positions,
    by_rows_then_positions,
    pieces,
    view,
    whole,
)

_SOURCES = (*SOURCES, SOURCE_OF_PARTS, "tt_m4_depthwise_part.h", "tt_m4_depthwise_part.c")
_WORD_BYTES = 4
_PAIR = 2


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
        found: list[Split | None] = [
            alone(output, cores), by_channels("channels by 4", output, GROUP, cores)
        ]  # fmt: skip
        if w.batches == 1 and w.out_h > 1:
            found.append(by_positions("rows", output, w.out_w, cores))
            found.append(by_rows_then_positions("rows, rest by columns", output, w.out_w, _PAIR, cores))
            found.append(by_channels_then_positions("channels, rest by rows", output, GROUP, w.out_w, cores))
        return tuple(split for split in found if split is not None)

    def needs(self, part: Part) -> tuple[Part, ...]:
        """See `Division`."""
        w, source = self.node.window, self.node.inputs[0]
        if part.is_empty or view(source) != (w.batches * w.in_h * w.in_w, w.in_c):
            return (whole(source),)
        first, end = input_rows(w, part)
        return (Part(first, end, part.first_channel, part.end_channel),)

    def instructions(self, part: Part) -> float:
        """See `Division`."""
        if part.is_empty:
            return 0.0
        scales = self.node.requantization
        away, channels = rounds_away(scales), part.channels
        kernel = sum(depthwise_instructions(w, away, channels) for w in self._windows(part))
        return kernel + limit_cost(scales, part, self.node.window.out_c)

    def scratch_bytes(self, part: Part) -> int:
        """See `Division`."""
        sizes = [plane_size(window) for window in self._windows(part)]
        return max((GROUP * rows * columns * _WORD_BYTES for rows, columns in sizes), default=0)

    def _windows(self, part: Part) -> list[Window]:
        """Return the windows with which the kernel computes a part, piece by piece; tt_m4_depthwise_part.c."""
        w = self.node.window
        if w.batches > 1 or part.is_empty:
            return [] if part.is_empty else [w]
        windows = []
        for row, rows, column, columns in pieces(part, w.out_w):
            above, pad_top = skipped_input(row, w.stride_h, w.in_h, w.pad_top)
            left, pad_left = skipped_input(column, w.stride_w, w.in_w, w.pad_left)
            sizes = {"in_h": w.in_h - above, "in_w": w.in_w - left, "out_h": rows, "out_w": columns}
            windows.append(replace(w, **sizes, pad_top=pad_top, pad_left=pad_left))
        return windows

    def emit(self, code: PartCode, split: Split, parts: Sequence[str]) -> None:
        """See `Division`."""
        code.sources.update(_SOURCES)
        source, target = code.read(self.node.inputs[0]), code.write(self.node.output)
        for part in parts:
            code.call("tt_m4_depthwise_part", code.layer, part, source, target, code.scratch("uint32_t"))
            limit_parts(self.node, self.node.requantization, part, code)
