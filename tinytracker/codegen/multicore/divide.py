"""Divides a network: which regions it has, and how each step is split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinytracker.codegen.graph import Graph
from tinytracker.codegen.kernel import Kernel, KernelSet
from tinytracker.codegen.multicore.division import divisions
from tinytracker.codegen.multicore.parts import MAX_CORES, Division
from tinytracker.codegen.multicore.regions import Region, choose_regions
from tinytracker.errors import UsageError


@dataclass(frozen=True)
class Divided:
    """A network divided over `cores` cores: its regions, and a division per step."""

    cores: int
    regions: tuple[Region, ...]
    divisions: tuple[Division, ...]

    @property
    def region_of_steps(self) -> tuple[int, ...]:
        """Return the number of the region of each step."""
        return tuple(n for n, region in enumerate(self.regions) for _ in range(region.first, region.end))


def divide(kernels: KernelSet, chosen: Sequence[Kernel], graph: Graph, cores: int) -> Divided:
    """Divide the steps of a network over cores.

    Raises:
        UsageError: the number of cores is not 1 to `MAX_CORES`, or the kernels compute whole layers only.
    """
    if not 1 <= cores <= MAX_CORES:
        raise UsageError(f"The number of cores is {cores}; it must be 1 to {MAX_CORES}.")
    found = divisions(kernels, chosen, graph)
    return Divided(cores, choose_regions(graph, found, cores), tuple(found))
