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
    position_order,
    window_quads,
)
from tinytracker.codegen.cortex_m4.places import PlacedConv, Places, declare_places
from tinytracker.codegen.cortex_m4.requantize import channel_factors, is_limited, rounds_away
from tinytracker.codegen.cwriter import c_int, c_members
from tinytracker.codegen.graph import Conv, FullyConnected, Int8s, Int32s, Node, Requantization, Window
from tinytracker.codegen.kernel import LayerCode

PATCH_QUAD_BYTES = 16
"""A quad of two positions as 16 bits."""

SOURCES = (
    "tt_kernels.h", "tt_requantize.h", "tt_m4.h", "tt_m4_channels.inc", "tt_m4_conv.h", "tt_m4_conv.c", "tt_m4_patch.h",
)  # fmt: skip
_MAX_GATHER_ROWS = 8
_MAX_GATHER_LENGTH = 32


@dataclass(frozen=True, eq=False)
class Product:
    """A layer seen as a convolution: `rows` rows of `length` values per window."""

    window: Window
    rows: int
    length: int
    weights: Int8s
    bias: Int32s
    input_zero_point: int
    requantization: Requantization
    places: Places | None = None

    @property
    def passes(self) -> Passes:
        """Return how a patch is divided."""
        return divide(window_quads(self.rows, self.length))

    @property
    def positions(self) -> int:
        """Return the number of outputs per channel, all images together."""
        return self.window.batches * self.window.out_h * self.window.out_w

    @property
    def is_pointwise(self) -> bool:
        """Return True for windows of 1x1 at stride 1 without border."""
        w = self.window
        whole = (w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad_top, w.pad_left) == (1, 1, 1, 1, 0, 0)
        return whole and (w.in_h, w.in_w) == (w.out_h, w.out_w) and self.places is None


def product_of(node: Node) -> Product | None:
    """Return the layer as a convolution, or None when these kernels cannot compute it."""
    if isinstance(node, Conv) and node.groups == 1:
        product = _of_conv(node, None)
    elif isinstance(node, PlacedConv):
        product = _of_conv(node.conv, node.places)
    elif isinstance(node, FullyConnected):
        units, features = node.weights.shape
        window = Window(node.batches, 1, 1, features, 1, 1, units, 1, 1, 1, 1, 1, 1, 0, 0)
        product = Product(
            window, 1, features, node.weights, node.bias, node.input_zero_point, node.requantization
        )
    else:
        return None
    return product if channel_factors(product.requantization, product.window.out_c) is not None else None


def _of_conv(conv: Conv, places: Places | None) -> Product:
    window = conv.window
    return Product(
        window, window.kernel_h, window.kernel_w * window.in_c, conv.weights.reshape(window.out_c, -1), conv.bias,
        conv.input_zero_point, conv.requantization, places,
    )  # fmt: skip


def widened_bytes(node: Node) -> int:
    """Return the bytes that 16-bit weights take beyond 8-bit ones."""
    product = product_of(node)
    assert product is not None
    return product.passes.total * 4 * (product.window.out_c + product.window.out_c % 2)


def positions(node: Node) -> int:
    """Return how often every weight is used in one inference."""
    product = product_of(node)
    assert product is not None
    return product.positions


def folded_bias(weights: Int8s, bias: Int32s, input_zero_point: int) -> Int32s:
    """Return b - z·Σ w, since Σ w·(x - z) + b = Σ w·x + (b - z·Σ w); modulo 2^32; weights (channels, values)."""
    sums = weights.astype(np.int64).sum(axis=1)
    folded: Int32s = (bias.astype(np.int64) - input_zero_point * sums).astype(np.uint32).view(np.int32)
    return folded


@dataclass(frozen=True)
class ConvKernel:
    """CONV_2D without groups, and FULLY_CONNECTED.

    Attributes:
        wide: store weights as 16 bits, which saves the instructions that widen them and takes twice the bytes.
    """

    wide: bool = False

    @property
    def name(self) -> str:
        """Return the name in reports."""
        return "m4 conv 16" if self.wide else "m4 conv 8"

    def accepts(self, node: Node) -> bool:
        """Return True when every right shift is at least 2 and there are no groups."""
        return product_of(node) is not None

    def scratch_bytes(self, node: Node) -> int:
        """Return the bytes of the patch of two positions, and of a row of the window for borders."""
        product = product_of(node)
        assert product is not None
        spare = 0 if product.is_pointwise else product.rows * product.length
        return PATCH_QUAD_BYTES * product.passes.total + spare

    def emit(self, node: Node, code: LayerCode) -> None:
        """Write the packed weights and the call."""
        product = product_of(node)
        assert product is not None
        scales, window = product.requantization, product.window
        factors = channel_factors(scales, window.out_c)
        assert factors is not None
        quads = product.passes.total
        if product.is_pointwise:
            order = position_order(product.length, quads)
        else:
            order = patch_order(product.rows, product.length, quads)
        patches = patch_weights(product.weights, order)
        bias = folded_bias(product.weights, product.bias, product.input_zero_point)
        fields = {
            "weights.packed": code.array("packed", pack_channels(patches, bias, factors, self.wide)),
            "weights.channels": c_int(window.out_c),
            "weights.out_zero": c_int(scales.zero_point),
            "weights.patch_bytes": c_int(quads * PATCH_QUAD_BYTES),
            "run_channels": code.function_member(self.channel_function(node).declare(code)),
            "gather": code.function_member(gather_function(product, code)),
            "window": c_members(asdict(window)),
            "in_zero": c_int(product.input_zero_point),
        }
        if product.places is not None:
            fields["places"] = declare_places(product.places, code)
        parameters = code.structure("tt_m4_conv_t", fields, "tt_m4_conv.h")
        code.sources.update(SOURCES)
        function = "tt_m4_pointwise" if product.is_pointwise else "tt_m4_conv2d"
        if product.places is not None:
            function = "tt_m4_placed_conv2d"
        target = code.write(node.output)
        code.call(function, parameters, code.read(node.inputs[0]), target, code.scratch("uint32_t"))
        limit_output(node, scales, code)

    def channel_function(self, node: Node) -> ChannelFunction:
        """Return the variant of tt_m4_channels.inc that the layer runs on."""
        product = product_of(node)
        assert product is not None
        return ChannelFunction(
            quads=product.passes.quads,
            repeated=product.passes.count > 1,
            wide=self.wide,
            away=rounds_away(product.requantization),
            odd=product.window.out_c % 2 == 1,
            placed=product.places is not None,
        )


@dataclass(frozen=True)
class ChannelFunction:
    """A variant of tt_m4_channels.inc; the head of that file explains the members."""

    quads: int
    repeated: bool
    wide: bool
    away: bool
    odd: bool
    placed: bool

    @property
    def code_bytes(self) -> int:
        """Return the approximate bytes of its instructions, rounded up."""
        return 180 + self.quads * (40 if self.wide else 56)

    def declare(self, code: LayerCode) -> str:
        """Include the template once per network; return the name of the function."""
        traits = ("repeated", "away", "odd", "placed")
        kind = "_".join(["16" if self.wide else "8", *(t for t in traits if getattr(self, t))])
        name = f"{_network(code)}_channels_{kind}_by_{self.quads}"
        settings = {
            "CHANNELS": name, "QUADS": str(self.quads), "PASSES": str(1 + self.repeated), "WIDE": str(int(self.wide)),
            "AWAY": str(int(self.away)), "ODD": str(int(self.odd)), "PLACES": str(int(self.placed)),
        }  # fmt: skip
        return _instantiate("tt_m4_channels.inc", name, settings, code)


def gather_function(product: Product, code: LayerCode) -> str:
    """Return a gather function without loops for small windows, declared once per network; NULL for others."""
    w = product.window
    if product.is_pointwise or product.rows > _MAX_GATHER_ROWS or product.length > _MAX_GATHER_LENGTH:
        return "NULL"
    row_bytes = w.in_w * w.in_c
    name = f"{_network(code)}_gather_{product.rows}x{product.length}_of_{row_bytes}"
    sizes = (product.rows, product.length, row_bytes)
    keys = ("ROWS", "LENGTH", "ROW_BYTES")
    settings = {"GATHER": name} | {key: str(size) for key, size in zip(keys, sizes, strict=True)}
    return _instantiate("tt_m4_gather.inc", name, settings, code)


def _network(code: LayerCode) -> str:
    return code.name.split("_layer_")[0]


def _instantiate(template: str, name: str, settings: dict[str, str], code: LayerCode) -> str:
    """Include a template with these macros; return the name of the function."""
    lines = [f"#define TT_M4_{key} {value}" for key, value in settings.items()]
    code.shared[name] = "\n".join([*lines, f'#include "{template}"'])
    code.sources.add(template)
    return name


def limit_output(node: Node, scales: Requantization, code: LayerCode) -> None:
    """Limit the written output to the range of the fused activation where saturation does not."""
    if is_limited(scales):
        code.sources.update(("tt_m4_simple.h", "tt_m4_simple.c", "tt_requantize.h", "tt_m4.h"))
        limits = c_int(scales.act_min), c_int(scales.act_max)
        code.call("tt_m4_limit", node.output.elements, *limits, code.write(node.output))
