"""Instructions of the Cortex-M4 kernels for a part of a layer: a model, fitted to counts of the emulated board.

The counts of loops follow from the C and the assembler; the constants below were fitted to counted steps of the presets
at one to five cores (gcc 12.2, -O2). The model only has to divide work fairly, and to give the same division on every
computer: `tests/firmware/test_multicore_counts.py` compares it with the emulator.
"""

from __future__ import annotations

from tinytracker.codegen.cortex_m4.conv import ChannelFunction, Product
from tinytracker.codegen.cortex_m4.depthwise import GROUP, plane_size
from tinytracker.codegen.graph import Window
from tinytracker.codegen.multicore.parts import Part

CALL = 70.0
"""Instructions of a part that do not depend on its size: copying and changing the parameters."""

_PAIR_OF_CHANNELS = 24.0
_AWAY, _ODD, _PLACED = 4.0, 2.0, 13.0
_QUAD_NARROW, _QUAD_WIDE = 14.0, 10.0
_PASS, _PASSES = 3.0, 2.0
_TWO_POSITIONS = 34.0
_WIDEN_QUAD = 9.0
_WINDOW, _WINDOW_QUAD = 40.0, 7.0
_BORDER_WINDOW, _BORDER_QUAD = 120.0, 22.0
_FILL_WORD = 1.3
_WIDEN_ROW, _WIDEN_WORD = 14.0, 20.0
_PLANE, _PLANE_ROW = 50.0, 14.0
_OUTPUTS = {1: 28.0, 2: 29.0}
_LAST_OUTPUT = 15.0
_AWAY_OUTPUT = 1.0
_ADD = 9.0
_MEAN_GROUP, _MEAN_PIXEL = 110.0, 6.0


def conv_instructions(product: Product, function: ChannelFunction, part: Part) -> float:
    """Return the estimate for a part of a layer on tt_m4_conv.c."""
    if part.is_empty:
        return 0.0
    quads, passes = product.passes.total, product.passes.count
    pair = _PAIR_OF_CHANNELS + quads * (_QUAD_WIDE if function.wide else _QUAD_NARROW)
    pair += _AWAY * function.away + _ODD * function.odd + _PLACED * function.placed
    pair += (_PASSES + _PASS * passes) * function.repeated
    channels = pair * -(-part.channels // 2)
    if product.is_pointwise:
        steps = -(-part.positions // 2)
        return CALL + steps * (_TWO_POSITIONS + _WIDEN_QUAD * quads + channels)
    inside, border = _windows(product, part)
    steps = -(-product.window.out_w // 2) * (part.positions / product.window.out_w)
    gathered = inside * (_WINDOW + _WINDOW_QUAD * quads) + border * (_BORDER_WINDOW + _BORDER_QUAD * quads)
    return CALL + steps * (_TWO_POSITIONS + channels) + gathered


def _windows(product: Product, part: Part) -> tuple[float, float]:
    """Return how many windows of a part lie inside the image, and how many cross its border."""
    w = product.window
    columns = _inside(w.in_w, w.out_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left)
    first = part.first_position // w.out_w
    rows = range(first, first + part.positions // w.out_w)
    reach = (w.kernel_h - 1) * w.dilation_h
    whole_rows = sum(0 <= (y % w.out_h) * w.stride_h - w.pad_top <= w.in_h - 1 - reach for y in rows)
    inside = whole_rows * columns
    return inside, part.positions - inside


def _inside(size: int, outputs: int, kernel: int, stride: int, dilation: int, pad: int) -> int:
    reach = (kernel - 1) * dilation
    return sum(0 <= i * stride - pad <= size - 1 - reach for i in range(outputs))


def depthwise_instructions(window: Window, out_rows: int, away: bool, part: Part) -> float:
    """Return the estimate for a part of a layer on tt_m4_depthwise.c, with `out_rows` rows of every image."""
    if part.is_empty:
        return 0.0
    rows, columns = plane_size(window, out_rows)
    groups = -(-part.channels // GROUP)
    pairs, odd = divmod(window.out_w, 2)
    row = _PLANE_ROW + pairs * (_OUTPUTS[window.stride_w] + 2 * _AWAY_OUTPUT * away) + odd * _LAST_OUTPUT
    plane = _PLANE + out_rows * row
    read = min(rows, window.in_h)
    widen = read * (_WIDEN_ROW + _WIDEN_WORD * min(columns, -(-window.in_w // 2)))
    return CALL + GROUP * rows * columns * _FILL_WORD + window.batches * (groups * widen + part.channels * plane)


def add_instructions(elements: int) -> float:
    """Return the estimate for tt_m4_add."""
    return CALL + _ADD * elements if elements else 0.0


def mean_instructions(batches: int, pixels: int, channels: int) -> float:
    """Return the estimate for tt_m4_mean."""
    groups = -(-channels // 4)
    return CALL + batches * groups * (_MEAN_GROUP + _MEAN_PIXEL * pixels) if channels else 0.0
