"""Selects the kernel of each layer on a Cortex-M4."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen.cortex_m4.conv import ChannelFunction, ConvKernel, positions, widened_bytes
from tinytracker.codegen.cortex_m4.dense import LongDenseKernel
from tinytracker.codegen.cortex_m4.depthwise import DepthwiseKernel
from tinytracker.codegen.cortex_m4.divide_conv import ConvDivision
from tinytracker.codegen.cortex_m4.divide_depthwise import DepthwiseDivision
from tinytracker.codegen.cortex_m4.divide_simple import AddDivision, MeanDivision
from tinytracker.codegen.cortex_m4.places import PlacedConv, fold_constant_channels
from tinytracker.codegen.cortex_m4.simple import AddKernel, MeanKernel
from tinytracker.codegen.graph import Add, DepthwiseConv, Graph, Mean, Node
from tinytracker.codegen.kernel import Kernel, LayerCode, OrderedKernels
from tinytracker.codegen.multicore.parts import Division
from tinytracker.codegen.planner import peak_bytes
from tinytracker.codegen.reference_kernels import REFERENCE_KERNELS
from tinytracker.errors import UsageError
from tinytracker.progress import say

DEFAULT_WEIGHTS_BUDGET = 1.15
CODE_BYTES = 9 * 1024
"""Bytes reserved for instructions besides the channel functions: the other kernels and the run function."""

_WIDE = ConvKernel(wide=True)
_NARROW: tuple[Kernel, ...] = (ConvKernel(), DepthwiseKernel(), AddKernel(), MeanKernel(), *REFERENCE_KERNELS)
_LONG_DENSE = LongDenseKernel()


@dataclass(frozen=True)
class CortexM4:
    """Kernels for ARMv7E-M with the DSP extension; portable ones for layers that none of these can compute.

    Attributes:
        weights_budget: limit of constants and code, as a multiple of the bytes of the .tflite file. What is left
            after 8-bit weights is spent on 16-bit ones, starting with the layers that have the most positions.
    """

    weights_budget: float = DEFAULT_WEIGHTS_BUDGET

    def __post_init__(self) -> None:
        if not self.weights_budget > 0:
            raise UsageError(f"The weights budget is {self.weights_budget:g}; it must be above 0.")

    @property
    def name(self) -> str:
        """Name in reports."""
        return "cortex-m4"

    def choose(self, graph: Graph) -> tuple[Graph, list[Kernel]]:
        """See `KernelSet`."""
        graph, kernels = OrderedKernels(self.name, _NARROW).choose(_fold(graph))
        _save_working_memory(graph, kernels)
        left = self.weights_budget * graph.model.file_bytes - CODE_BYTES - _constant_bytes(graph, kernels)
        functions: set[ChannelFunction] = set()
        products = [i for i, kernel in enumerate(kernels) if isinstance(kernel, ConvKernel)]
        for i in products:
            left -= _new_code_bytes(ConvKernel().channel_function(graph.nodes[i]), functions)
        if left < 0 and self.weights_budget < DEFAULT_WEIGHTS_BUDGET:
            _say_budget_is_too_small(self.weights_budget, graph.model.file_bytes, left)
        for i in sorted(products, key=lambda i: -positions(graph.nodes[i])):
            function = _WIDE.channel_function(graph.nodes[i])
            more = widened_bytes(graph.nodes[i])
            if more + (0 if function in functions else function.code_bytes) <= left:
                left -= more + _new_code_bytes(function, functions)
                kernels[i] = _WIDE
        return graph, kernels

    def division(self, kernel: Kernel, node: Node) -> Division | None:
        """See `tinytracker.codegen.multicore.division.DividingKernels`."""
        if isinstance(kernel, ConvKernel):
            return ConvDivision(kernel, node)
        if isinstance(kernel, DepthwiseKernel) and isinstance(node, DepthwiseConv):
            return DepthwiseDivision(node)
        if isinstance(kernel, AddKernel) and isinstance(node, Add):
            return AddDivision(node)
        if isinstance(kernel, MeanKernel) and isinstance(node, Mean):
            return MeanDivision(node)
        return None


def _say_budget_is_too_small(budget: float, file_bytes: int, left: float) -> None:
    least = budget - left / file_bytes
    say(
        f"warning: a weights budget of {budget:g} is too small: the smallest code and constants take "
        f"{least:.2f} times the model's {file_bytes:,} bytes, and are used."
    )


def _save_working_memory(graph: Graph, kernels: list[Kernel]) -> None:
    """Let fully connected layers run without working memory where it would enlarge the arena."""
    scratch = [kernel.scratch_bytes(node) for kernel, node in zip(kernels, graph.nodes, strict=True)]
    for step, node in enumerate(graph.nodes):
        if _LONG_DENSE.accepts(node):
            without = [*scratch[:step], _LONG_DENSE.scratch_bytes(node), *scratch[step + 1 :]]
            if peak_bytes(graph, without) < peak_bytes(graph, scratch):
                kernels[step], scratch = _LONG_DENSE, without


def _new_code_bytes(function: ChannelFunction, functions: set[ChannelFunction]) -> int:
    """Add the function to the existing ones; return the bytes that it takes."""
    if function in functions:
        return 0
    functions.add(function)
    return function.code_bytes


def _fold(graph: Graph) -> Graph:
    """Return the graph without constant channels, unless a convolution that had some needs the portable kernel."""
    folded = fold_constant_channels(graph)
    placed = [node for node in folded.nodes if isinstance(node, PlacedConv)]
    return folded if all(ConvKernel().accepts(node) for node in placed) else graph


class _Counting(LayerCode):
    """Count the bytes of constants without writing them."""

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
