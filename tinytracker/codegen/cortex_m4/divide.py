"""What the divided layers share: rows of a window, and limits of parts."""

from __future__ import annotations

from tinytracker.codegen.cortex_m4.costs import limit_instructions
from tinytracker.codegen.cortex_m4.requantize import is_limited
from tinytracker.codegen.cwriter import c_int
from tinytracker.codegen.graph import Node, Requantization, Window
from tinytracker.codegen.multicore.parts import Part, PartCode, view

SOURCE_OF_PARTS = "tt_part.h"
SIMPLE_SOURCES = (
    "tt_kernels.h", "tt_requantize.h", "tt_m4.h", "tt_m4_simple.h", "tt_m4_simple.c", SOURCE_OF_PARTS,
    "tt_m4_simple_part.h", "tt_m4_simple_part.c",
)  # fmt: skip


def input_rows(window: Window, part: Part) -> tuple[int, int]:
    """Return the positions of the input that a part reads, as whole rows; all of them for several images."""
    w = window
    if w.batches > 1:
        return 0, w.batches * w.in_h * w.in_w
    first_row = part.first_position // w.out_w
    last_row = (part.end_position - 1) // w.out_w
    top = first_row * w.stride_h - w.pad_top
    bottom = last_row * w.stride_h - w.pad_top + (w.kernel_h - 1) * w.dilation_h + 1
    return min(max(top, 0), w.in_h) * w.in_w, max(min(bottom, w.in_h), 0) * w.in_w


def skipped_input(first: int, stride: int, size: int, pad: int) -> tuple[int, int]:
    """Return how much of an input axis lies in front of the windows that begin at `first`, and their border.

    `tt_skip_input` of tt_part.h does the same.
    """
    start = first * stride - pad
    skipped = min(max(start, 0), size)
    return skipped, skipped - start


def limit_cost(scales: Requantization, part: Part, channels: int) -> float:
    """Return the estimated instructions of `limit_parts` for a part of an output with this many channels."""
    return limit_instructions(part, channels) if is_limited(scales) and not part.is_empty else 0.0


def limit_parts(node: Node, scales: Requantization, part: str, code: PartCode) -> None:
    """Limit a written part to the range of the fused activation where saturation does not."""
    if is_limited(scales):
        code.sources.update(SIMPLE_SOURCES)
        channels = view(node.output)[1]
        limits = c_int(scales.act_min), c_int(scales.act_max)
        code.call("tt_m4_limit_part", part, channels, *limits, code.write(node.output))
