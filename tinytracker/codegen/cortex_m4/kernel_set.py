"""Which kernel computes which layer on a Cortex-M4."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen.cortex_m4.conv import ConvKernel, positions, widened_bytes
from tinytracker.codegen.cortex_m4.depthwise import DepthwiseKernel
from tinytracker.codegen.cortex_m4.simple import AddKernel, MeanKernel
from tinytracker.codegen.graph import Graph
from tinytracker.codegen.kernel import Kernel, LayerCode, OrderedKernels
from tinytracker.codegen.reference_kernels import REFERENCE_KERNELS
from tinytracker.errors import UsageError

DEFAULT_WEIGHTS_BUDGET = 1.15
CODE_BYTES = 10 * 1024
"""Room left for instructions."""

_NARROW: tuple[Kernel, ...] = (ConvKernel(), DepthwiseKernel(), AddKernel(), MeanKernel(), *REFERENCE_KERNELS)


@dataclass(frozen=True)
class CortexM4:
    """Kernels for ARMv7E-M with the DSP extension; portable ones where none of them fits.

    Attributes:
        weights_budget: how many times the bytes of the .tflite file constants and code may take. What is left
            after 8-bit weights is spent on 16-bit ones, layers with the most positions first.
    """

    weights_budget: float = DEFAULT_WEIGHTS_BUDGET

    def __post_init__(self) -> None:
        if not self.weights_budget > 0:
            raise UsageError(f"A weights budget of {self.weights_budget:g} is not above 0.")

    @property
    def name(self) -> str:
        """Name in reports."""
        return "cortex-m4"

    def choose(self, graph: Graph) -> tuple[Graph, list[Kernel]]:
        """See `KernelSet`."""
        graph, kernels = OrderedKernels(self.name, _NARROW).choose(graph)
        left = self.weights_budget * graph.model.file_bytes - CODE_BYTES - _constant_bytes(graph, kernels)
        narrow = [i for i, kernel in enumerate(kernels) if isinstance(kernel, ConvKernel)]
        for i in sorted(narrow, key=lambda i: -positions(graph.nodes[i])):
            more = widened_bytes(graph.nodes[i])
            if more <= left:
                kernels[i] = ConvKernel(wide=True)
                left -= more
        return graph, kernels


class _Counting(LayerCode):
    """Counts the bytes of constants without writing them."""

    def array(self, suffix: str, values: NDArray[np.generic]) -> str:
        """See `LayerCode`."""
        self.constant_bytes += values.nbytes
        return suffix


def _constant_bytes(graph: Graph, kernels: Sequence[Kernel]) -> int:
    total = 0
    for node, kernel in zip(graph.nodes, kernels, strict=True):
        code = _Counting("network_layer_0", "arena", defaultdict(int))
        kernel.emit(node, code)
        total += code.constant_bytes
    return total
