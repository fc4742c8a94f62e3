"""Parts of convolutions and fully connected layers: tt_m4_conv_part.c."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tinytracker.codegen.cortex_m4.conv import SOURCES, ConvKernel, Product, gather_function, product_of
from tinytracker.codegen.cortex_m4.costs import conv_instructions
from tinytracker.codegen.cortex_m4.divide import SOURCE_OF_PARTS, input_rows, limit_cost, limit_parts
from tinytracker.codegen.cwriter import c_struct
from tinytracker.codegen.graph import Node
from tinytracker.codegen.multicore.parts import (
    Part,
    PartCode,
    Split,
    alone,
    by_channels,
    by_positions,
    by_positions_then_channels,
    by_rows_then_positions,
    view,
    whole,
)

_SOURCES = (*SOURCES, SOURCE_OF_PARTS, "tt_m4_conv_part.h", "tt_m4_conv_part.c")
_PAIR = 2
"""Positions, and channels, that the kernel computes together."""


@dataclass(frozen=True)
class ConvDivision:
    """A convolution divided by positions (windows of 1x1), by rows (others), or by pairs of channels."""

    kernel: ConvKernel
    node: Node

    parameters = "tt_m4_conv_t"

    @cached_property
    def _product(self) -> Product:
        product = product_of(self.node)
        assert product is not None
        return product

    def splits(self, cores: int) -> tuple[Split, ...]:
        """See `Division`."""
        product, output = self._product, self.node.output
        if view(output) != (product.positions, product.window.out_c):
            return (alone(output, cores),)
        found: list[Split | None] = [alone(output, cores)]
        for unit in (_PAIR, 2 * _PAIR):
            found.append(by_channels(f"channels by {unit}", output, unit, cores))
        if product.is_pointwise and product.positions > 1:
            found.append(by_positions("positions", output, _PAIR, cores))
            found.append(
                by_positions_then_channels("positions, rest by channels", output, _PAIR, _PAIR, cores)
            )
        row = product.window.out_w
        if product.window.batches == 1 and product.window.out_h > 1:
            found.append(by_positions("rows", output, row, cores))
            found.append(by_positions_then_channels("rows, rest by channels", output, row, _PAIR, cores))
            if not product.is_pointwise:
                found.append(by_rows_then_positions("rows, rest by columns", output, row, _PAIR, cores))
        return tuple(split for split in found if split is not None)

    def needs(self, part: Part) -> tuple[Part, ...]:
        """See `Division`."""
        product, source = self._product, self.node.inputs[0]
        w = product.window
        if part.is_empty or view(source) != (w.batches * w.in_h * w.in_w, w.in_c):
            return (whole(source),)
        if product.is_pointwise:
            return (Part(part.first_position, part.end_position, 0, w.in_c),)
        first, end = input_rows(w, part)
        return (Part(first, end, 0, w.in_c),)

    def instructions(self, part: Part) -> float:
        """See `Division`."""
        product = self._product
        kernel = conv_instructions(product, self.kernel.channel_function(self.node), part)
        return kernel + limit_cost(product.requantization, part, product.window.out_c)

    def scratch_bytes(self, part: Part) -> int:
        """See `Division`."""
        return self.kernel.scratch_bytes(self.node)

    def emit(self, code: PartCode, split: Split, parts: Sequence[str]) -> None:
        """See `Division`."""
        product = self._product
        function = "tt_m4_conv2d"
        if product.is_pointwise:
            function = "tt_m4_pointwise"
        elif product.places is not None:
            function = "tt_m4_placed_conv2d"
        words_per_quad = 4 if self.kernel.wide else 2
        fields = {
            "run": function,
            "run_channels": self.kernel.channel_function(self.node).declare(code),
            "gather": gather_function(product, code),
            "pair_words": str(2 + product.passes.total * words_per_quad + 4),
        }
        name = f"{code.name}_code"
        code.declarations.append(c_struct("tt_m4_conv_code_t", name, fields))
        code.sources.update(_SOURCES)
        source, target = code.read(self.node.inputs[0]), code.write(self.node.output)
        for part in parts:
            code.call(
                "tt_m4_conv_part", code.layer, f"&{name}", part, source, target, code.scratch("uint32_t")
            )
            limit_parts(self.node, product.requantization, part, code)
