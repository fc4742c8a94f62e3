"""Depthwise 3x3 at stride 1 and 2 on tt_m4_depthwise.c."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from tinytracker.codegen.c_structures import structure_bytes
from tinytracker.codegen.cortex_m4.conv import folded_bias, limit_output
from tinytracker.codegen.cortex_m4.requantize import rounding_factors, rounds_away
from tinytracker.codegen.cwriter import c_int, c_ints, c_members
from tinytracker.codegen.graph import DepthwiseConv, Node, Window
from tinytracker.codegen.kernel import LayerCode

GROUP = 4
"""Channels that are widened together."""

_SIZE = 3
_WORD_BYTES = 4
_MAX_SCRATCH_BYTES = 48 * 1024
SOURCES = ("tt_kernels.h", "tt_m4.h", "tt_requantize.h", "tt_m4_depthwise.h", "tt_m4_depthwise.c")


def plane_size(window: Window) -> tuple[int, int]:
    """Return rows and pairs of columns of one widened channel, borders included."""
    rows = (window.out_h - 1) * window.stride_h + _SIZE
    pairs = -(-window.out_w // 2) + 1 if window.stride_w == 1 else window.out_w + 1
    return rows, pairs


class DepthwiseKernel:
    """DEPTHWISE_CONV_2D with 3x3 windows, one output per input channel and the same stride in both directions."""

    name = "m4 depthwise"

    def accepts(self, node: Node) -> bool:
        """Return True for such windows when four widened channels fit into the scratch memory."""
        if not isinstance(node, DepthwiseConv) or node.depth_multiplier != 1:
            return False
        w = node.window
        fits = (w.kernel_h, w.kernel_w) == (_SIZE, _SIZE) and (w.dilation_h, w.dilation_w) == (1, 1)
        same_stride = w.stride_h == w.stride_w and w.stride_h in (1, 2)
        return fits and same_stride and self.scratch_bytes(node) <= _MAX_SCRATCH_BYTES

    def scratch_bytes(self, node: Node) -> int:
        """Return the bytes of four planes."""
        assert isinstance(node, DepthwiseConv)
        rows, columns = plane_size(node.window)
        return GROUP * rows * columns * _WORD_BYTES

    def emit(self, node: Node, code: LayerCode) -> None:
        """Write the channels and the call."""
        assert isinstance(node, DepthwiseConv)
        rows, columns = plane_size(node.window)
        scales = node.requantization
        window = node.window
        plane = {
            "out_zero": scales.zero_point,
            "step": window.out_c,
            "column_bytes": rows * _WORD_BYTES,
            "paired_bytes": window.out_w // 2 * 2 * window.out_c,
            "odd": window.out_w % 2,
            "out_h": window.out_h,
        }
        fields = {
            "plane": c_members(plane),
            "window": c_members(asdict(window)),
            "in_zero": c_int(node.input_zero_point),
            "away": c_int(int(rounds_away(scales))),
            "columns": c_int(columns),
            "channels": self._channels(node, code),
        }
        parameters = code.structure("tt_m4_depthwise_t", fields, "tt_m4_depthwise.h")
        code.sources.update(SOURCES)
        target = code.write(node.output)
        code.call("tt_m4_depthwise", parameters, code.read(node.inputs[0]), target, code.scratch("uint32_t"))
        limit_output(node, scales, code)

    def _channels(self, node: DepthwiseConv, code: LayerCode) -> str:
        weights = node.weights.reshape(_SIZE, _SIZE, -1)
        bias = folded_bias(weights.reshape(_SIZE * _SIZE, -1).T, node.bias, node.input_zero_point)
        rows = np.pad(weights.transpose(2, 0, 1), ((0, 0), (0, 0), (0, 1)))
        words = np.ascontiguousarray(rows).view("<i4")[..., 0]
        lines = []
        scales = zip(node.requantization.multipliers, node.requantization.shifts, strict=True)
        for c, (multiplier, shift) in enumerate(scales):
            factor, power = rounding_factors(multiplier, shift) or (multiplier, 0)
            values = [c_int(v) for v in (int(bias[c]), factor, power, shift)]
            lines.append(f"    {{{', '.join(values)}, {c_ints(words[c].tolist())}}},\n")
        name = f"{code.name}_channels"
        code.declarations.append(
            f"static const tt_m4_depthwise_channel_t {name}[{len(lines)}] TT_CONSTANTS = {{\n{''.join(lines)}}};"
        )
        code.constant_bytes += len(lines) * structure_bytes("tt_m4_depthwise_channel_t", "tt_m4_depthwise.h")
        return name
