"""Convolution and fully connected layers on tt_m4_conv.c: two positions and two channels at a time."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from tinytracker.codegen.cortex_m4.packing import (
    Passes,
    divide,
    pack_channels,
    patch_order,
    patch_weights,
    window_quads,
)
from tinytracker.codegen.cortex_m4.requantize import channel_factors, is_limited, rounds_away
from tinytracker.codegen.cwriter import c_int, c_members, c_struct
from tinytracker.codegen.graph import Conv, FullyConnected, Int8s, Int32s, Node, Requantization, Window
from tinytracker.codegen.kernel import LayerCode

PATCH_QUAD_BYTES = 16
"""A quad of two positions as 16 bits."""

_PARAMETER_BYTES = 84


@dataclass(frozen=True, eq=False)
class _Product:
    """A layer seen as a convolution: `rows` rows of `length` values per window."""

    window: Window
    rows: int
    length: int
    weights: Int8s
    bias: Int32s
    input_zero_point: int
    requantization: Requantization

    @property
    def passes(self) -> Passes:
        return divide(window_quads(self.rows, self.length))

    @property
    def positions(self) -> int:
        return self.window.batches * self.window.out_h * self.window.out_w

    @property
    def is_pointwise(self) -> bool:
        w = self.window
        return (w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad_top, w.pad_left) == (1, 1, 1, 1, 0, 0)


def _product(node: Node) -> _Product | None:
    """The layer as a convolution, or None when it is none that these kernels compute."""
    if isinstance(node, Conv) and node.groups == 1:
        window = node.window
        weights = node.weights.reshape(window.out_c, -1)
        length = window.kernel_w * window.in_c
        product = _Product(
            window, window.kernel_h, length, weights, node.bias, node.input_zero_point, node.requantization
        )
    elif isinstance(node, FullyConnected):
        units, features = node.weights.shape
        window = Window(node.batches, 1, 1, features, 1, 1, units, 1, 1, 1, 1, 1, 1, 0, 0)
        product = _Product(
            window, 1, features, node.weights, node.bias, node.input_zero_point, node.requantization
        )
    else:
        return None
    return product if channel_factors(product.requantization, product.window.out_c) is not None else None


def widened_bytes(node: Node) -> int:
    """Bytes that 16-bit weights take beyond 8-bit ones."""
    product = _product(node)
    assert product is not None
    return product.passes.total * 4 * (product.window.out_c + product.window.out_c % 2)


def positions(node: Node) -> int:
    """How often every weight is used in one inference."""
    product = _product(node)
    assert product is not None
    return product.positions


def folded_bias(weights: Int8s, bias: Int32s, input_zero_point: int) -> Int32s:
    """Σ w·(x - z) + b = Σ w·x + (b - z·Σ w), modulo 2^32; weights (channels, values)."""
    sums = weights.astype(np.int64).sum(axis=1)
    folded: Int32s = (bias.astype(np.int64) - input_zero_point * sums).astype(np.uint32).view(np.int32)
    return folded


@dataclass(frozen=True)
class ConvKernel:
    """CONV_2D without groups, and FULLY_CONNECTED.

    Attributes:
        wide: weights as 16 bits, which saves the instructions that widen them and takes twice the bytes.
    """

    wide: bool = False

    @property
    def name(self) -> str:
        """Name in reports."""
        return "m4 conv 16" if self.wide else "m4 conv 8"

    def accepts(self, node: Node) -> bool:
        """True when every right shift is at least 2 and there are no groups."""
        return _product(node) is not None

    def scratch_bytes(self, node: Node) -> int:
        """The patch of two positions, and a row of the window for borders."""
        product = _product(node)
        assert product is not None
        spare = 0 if product.is_pointwise else product.length
        return PATCH_QUAD_BYTES * product.passes.total + spare

    def emit(self, node: Node, code: LayerCode) -> None:
        """Write the packed weights and the call."""
        product = _product(node)
        assert product is not None
        scales, window = product.requantization, product.window
        factors = channel_factors(scales, window.out_c)
        assert factors is not None
        quads = product.passes.total
        patches = patch_weights(product.weights, patch_order(product.rows, product.length, quads))
        bias = folded_bias(product.weights, product.bias, product.input_zero_point)
        fields = {
            "weights.packed": code.array("packed", pack_channels(patches, bias, factors, self.wide)),
            "weights.channels": c_int(window.out_c),
            "weights.out_zero": c_int(scales.zero_point),
            "weights.patch_bytes": c_int(quads * PATCH_QUAD_BYTES),
            "run_channels": self._channel_function(product, code),
            "window": c_members(asdict(window)),
            "in_zero": c_int(product.input_zero_point),
        }
        name = f"{code.name}_parameters"
        code.declarations.append(c_struct("tt_m4_conv_t", name, fields))
        code.constant_bytes += _PARAMETER_BYTES
        code.sources.update(("tt_kernels.h", "tt_m4.h", "tt_m4_channels.inc", "tt_m4_conv.h", "tt_m4_conv.c"))
        function = "tt_m4_pointwise" if product.is_pointwise else "tt_m4_conv2d"
        target = code.write(node.output)
        code.call(function, f"&{name}", code.read(node.inputs[0]), target, code.scratch("uint32_t"))
        limit_output(node, scales, code)

    def _channel_function(self, product: _Product, code: LayerCode) -> str:
        """The variant of the channel function, declared once per network."""
        away, odd = rounds_away(product.requantization), product.window.out_c % 2
        network = code.name.split("_layer_")[0]
        kind = f"{16 if self.wide else 8}{'_away' if away else ''}{'_odd' if odd else ''}"
        passes = min(product.passes.count, 2)
        name = f"{network}_channels_{kind}_by_{product.passes.quads}{'_repeated' if passes > 1 else ''}"
        settings = {
            "CHANNELS": name, "QUADS": product.passes.quads, "PASSES": passes, "WIDE": int(self.wide),
            "AWAY": int(away), "ODD": odd,
        }  # fmt: skip
        lines = [f"#define TT_M4_{key} {value}" for key, value in settings.items()]
        code.shared[name] = "\n".join([*lines, '#include "tt_m4_channels.inc"'])
        return name


def limit_output(node: Node, scales: Requantization, code: LayerCode) -> None:
    """Limit the written output to the range of the fused activation, when saturation has not done it."""
    if is_limited(scales):
        code.sources.update(("tt_m4_simple.h", "tt_m4_simple.c", "tt_requantize.h", "tt_m4.h"))
        limits = c_int(scales.act_min), c_int(scales.act_max)
        code.call("tt_m4_limit", node.output.elements, *limits, code.write(node.output))
