"""Fully connected layers with long rows on tt_m4_dense.c, which needs no working memory."""

from __future__ import annotations

from tinytracker.codegen.cortex_m4.conv import ConvKernel, folded_bias, limit_output
from tinytracker.codegen.cortex_m4.packing import pack_channels, patch_weights, position_order
from tinytracker.codegen.cortex_m4.requantize import channel_factors, rounds_away
from tinytracker.codegen.cwriter import c_int
from tinytracker.codegen.graph import FullyConnected, Node
from tinytracker.codegen.kernel import LayerCode

_MAX_PATCH_BYTES = 2048
"""Working memory that `ConvKernel` may always use for a row: 512 features."""

_SOURCES = ("tt_m4.h", "tt_m4_dense.h", "tt_m4_dense.c")


class LongDenseKernel:
    """FULLY_CONNECTED over long rows; `CortexM4` selects it where widening a row would enlarge the arena."""

    name = "m4 long dense"

    def accepts(self, node: Node) -> bool:
        """Return True for long rows when every right shift is at least 2."""
        if not isinstance(node, FullyConnected) or not ConvKernel().accepts(node):
            return False
        return ConvKernel().scratch_bytes(node) > _MAX_PATCH_BYTES

    def scratch_bytes(self, node: Node) -> int:
        """Return 0: no working memory is needed."""
        return 0

    def emit(self, node: Node, code: LayerCode) -> None:
        """Write the packed weights and the call."""
        assert isinstance(node, FullyConnected)
        units, features = node.weights.shape
        scales = node.requantization
        factors = channel_factors(scales, units)
        assert factors is not None
        patches = patch_weights(node.weights, position_order(features, -(-features // 4)))
        bias = folded_bias(node.weights, node.bias, node.input_zero_point)
        fields = {
            "packed": code.array("packed", pack_channels(patches, bias, factors, wide=False)),
            "batches": c_int(node.batches),
            "features": c_int(features),
            "units": c_int(units),
            "out_zero": c_int(scales.zero_point),
            "away": c_int(int(rounds_away(scales))),
        }
        parameters = code.structure("tt_m4_dense_t", fields, "tt_m4_dense.h")
        code.sources.update(_SOURCES)
        code.call("tt_m4_dense", parameters, code.read(node.inputs[0]), code.write(node.output))
        limit_output(node, scales, code)
