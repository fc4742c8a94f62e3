"""Instructions of the Cortex-M4 kernels for a part of a layer: a model, fitted to counts of the emulated board.

The counts of loops follow from the C and the assembler; the constants below were fitted to counted steps of the presets
at one to five cores (gcc 12.2, -O2). The model only has to divide work fairly, and to give the same division on every
computer: `tests/firmware/test_multicore_board.py` compares it with the emulator.
"""

from __future__ import annotations

from tinytracker.codegen.cortex_m4.conv import ChannelFunction, Product
from tinytracker.codegen.cortex_m4.depthwise import GROUP, plane_size
from tinytracker.codegen.graph import Window
from tinytracker.codegen.multicore.parts import Part, pieces

_CONV_CALL, _WINDOW_CALL, _DEPTHWISE_CALL, _ADD_CALL, _MEAN_CALL = 210.0, 356.0, 360.0, 62.0, 100.0
"""A part, whatever its size: copying and changing the parameters, and the kernel's own beginning and end."""

_TWO_POSITIONS, _WIDEN_QUAD = 34.7, 9.0
_WINDOW, _WINDOW_QUAD = 41.5, 3.3
_BORDER, _BORDER_QUAD = 383.0, 14.6
_PAIR_OF_CHANNELS = 22.1
_QUAD_NARROW, _QUAD_WIDE = 14.0, 10.0
_AWAY, _ODD, _PLACED = 4.0, 2.0, 27.0
_PASSES, _PASS = 2.1, 2.94

_FILL_WORD = 1.6
_WIDEN_ROW, _WIDEN_WORD = 35.6, 18.4
_PLANE, _PLANE_ROW = 79.0, 20.3
_TWO_OUTPUTS = {1: 29.0, 2: 30.3}
_AWAY_TWO_OUTPUTS, _LAST_OUTPUT = 2.0, 13.8

_ADD = 13.3
_MEAN_WORD = 12.3
_LIMIT, _LIMIT_CALL = 9.9, 70.0


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
        return _CONV_CALL + steps * (_TWO_POSITIONS + _WIDEN_QUAD * quads + channels)
    calls, total = 0, 0.0
    for row, rows, column, columns in pieces(part, product.window.out_w):
        inside = _inside_rows(product.window, row, rows) * _inside_columns(product.window, column, columns)
        border = rows * columns - inside
        total += inside * (_WINDOW + _WINDOW_QUAD * quads) + border * (_BORDER + _BORDER_QUAD * quads)
        total += rows * -(-columns // 2) * channels
        calls += 1
    return total + _WINDOW_CALL * calls


def _inside_rows(w: Window, first: int, count: int) -> int:
    """Return how many rows of outputs have windows that do not cross the upper or lower border."""
    rows = (y % w.out_h for y in range(first, first + count))
    return sum(_fits(y, w.in_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top) for y in rows)


def _inside_columns(w: Window, first: int, count: int) -> int:
    columns = range(first, first + count)
    return sum(_fits(x, w.in_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left) for x in columns)


def _fits(i: int, size: int, kernel: int, stride: int, dilation: int, pad: int) -> bool:
    return 0 <= i * stride - pad <= size - 1 - (kernel - 1) * dilation


def depthwise_instructions(window: Window, away: bool, channels: int) -> float:
    """Return the estimate for tt_m4_depthwise.c on a window.

    Args:
        window: of the layer, or of a piece of it.
        away: whether ties are rounded away from zero.
        channels: how many are computed.
    """
    w = window
    rows, columns = plane_size(w)
    pairs, odd = divmod(w.out_w, 2)
    row = _PLANE_ROW + pairs * (_TWO_OUTPUTS[w.stride_w] + _AWAY_TWO_OUTPUTS * away) + odd * _LAST_OUTPUT
    plane = _PLANE + w.out_h * row
    read = min(w.in_h, rows - w.pad_top)
    widen = read * (_WIDEN_ROW + _WIDEN_WORD * min(columns, -(-w.in_w // 2)))
    fill = GROUP * rows * columns * _FILL_WORD
    return _DEPTHWISE_CALL + fill + w.batches * (-(-channels // GROUP) * widen + channels * plane)


def add_instructions(elements: int) -> float:
    """Return the estimate for tt_m4_add."""
    return _ADD_CALL + _ADD * elements if elements else 0.0


def mean_instructions(batches: int, pixels: int, channels: int) -> float:
    """Return the estimate for tt_m4_mean."""
    return _MEAN_CALL + batches * -(-channels // 4) * _MEAN_WORD * pixels if channels else 0.0


def limit_instructions(part: Part, channels: int) -> float:
    """Return the estimate for tt_m4_limit on a part of a tensor with this many channels."""
    calls = 1 if part.channels == channels else part.positions
    return _LIMIT_CALL * calls + _LIMIT * part.positions * part.channels
