"""Addition and mean on tt_m4_simple.c."""

from __future__ import annotations

import math

import numpy as np

from tinytracker.codegen.arithmetic import INT8_MAX, INT8_MIN, scale_by
from tinytracker.codegen.cortex_m4.requantize import rounding_factors
from tinytracker.codegen.cwriter import c_int
from tinytracker.codegen.graph import Add, Int32s, Mean, Node
from tinytracker.codegen.import_elementwise import ADD_EXTRA_BITS
from tinytracker.codegen.kernel import LayerCode

_MAX_MEAN_PIXELS = 255
_SOURCES = ("tt_m4.h", "tt_requantize.h", "tt_m4_simple.h", "tt_m4_simple.c")


class AddKernel:
    """ADD of two run-time tensors of the same shape; a table gives the contribution of each byte."""

    name = "m4 add"

    def accepts(self, node: Node) -> bool:
        """Return True for equal shapes and no activation other than saturation."""
        if not isinstance(node, Add):
            return False
        same = node.inputs[0].shape == node.inputs[1].shape
        factors = rounding_factors(node.multipliers[2], node.shifts[2])
        unlimited = (node.act_min, node.act_max) == (INT8_MIN, INT8_MAX)
        return same and unlimited and factors is not None and not any(t.is_constant for t in node.inputs)

    def scratch_bytes(self, node: Node) -> int:
        """Return 0: no working memory is needed."""
        return 0

    def emit(self, node: Node, code: LayerCode) -> None:
        """Write the two tables and the call."""
        assert isinstance(node, Add)
        factors = rounding_factors(node.multipliers[2], node.shifts[2])
        assert factors is not None
        fields = {
            "count": c_int(node.output.elements),
            "factor": c_int(factors[0]),
            "power": c_int(factors[1]),
            "out_zero": c_int(node.zero_point),
            "terms_a": code.array("terms_a", _terms(node, 0)),
            "terms_b": code.array("terms_b", _terms(node, 1)),
        }
        parameters = code.structure("tt_m4_add_t", fields, "tt_m4_simple.h")
        code.sources.update(_SOURCES)
        sources = [code.read(tensor) for tensor in node.inputs]
        code.call("tt_m4_add", parameters, *sources, code.write(node.output))


def _terms(node: Add, which: int) -> Int32s:
    """Return what each int8 value adds to the sum before the output's scale is applied, (256,)."""
    values = range(INT8_MIN, INT8_MAX + 1)
    raised = [(v + node.offsets[which]) << ADD_EXTRA_BITS for v in values]
    return np.array([scale_by(r, node.multipliers[which], node.shifts[which]) for r in raised], np.int32)


class MeanKernel:
    """MEAN over height and width, four channels at a time in 16-bit sums."""

    name = "m4 mean"

    def accepts(self, node: Node) -> bool:
        """Return True for a mean over height and width of few enough pixels, with channels that fill whole words."""
        if not isinstance(node, Mean):
            return False
        few = math.prod(node.shape[1:3]) <= _MAX_MEAN_PIXELS
        return few and _spatial(node) and node.shape[3] % 4 == 0

    def scratch_bytes(self, node: Node) -> int:
        """Return 0: no working memory is needed."""
        return 0

    def emit(self, node: Node, code: LayerCode) -> None:
        """Write the call."""
        assert isinstance(node, Mean)
        batches, height, width, channels = node.shape
        scales = node.requantization
        fields = {
            "batches": c_int(batches),
            "pixels": c_int(height * width),
            "channels": c_int(channels),
            "zero_sum": c_int(node.input_zero_point * height * width),
            "multiplier": c_int(scales.multipliers[0]),
            "shift": c_int(scales.shifts[0]),
            "out_zero": c_int(scales.zero_point),
        }
        parameters = code.structure("tt_m4_mean_t", fields, "tt_m4_simple.h")
        code.sources.update(_SOURCES)
        code.call("tt_m4_mean", parameters, code.read(node.inputs[0]), code.write(node.output))


def _spatial(node: Mean) -> bool:
    """Return True when exactly height and width are reduced; a dimension of size 1 may count as reduced or not."""
    wanted = (False, True, True, False)
    return all(
        size == 1 or gone == want for size, gone, want in zip(node.shape, node.reduced, wanted, strict=True)
    )
