"""Which steps of a network can be divided, and what the others are: steps of core 0, or nothing to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tinytracker.codegen.graph import Alias, Graph, Node
from tinytracker.codegen.kernel import Kernel, KernelSet
from tinytracker.codegen.multicore.parts import Division, Part, PartCode, Split, alone, whole
from tinytracker.errors import UsageError

_PER_ELEMENT = 20.0
"""Instructions per element assumed for a portable kernel. Only core 0 runs these, so no choice depends on it."""


@runtime_checkable
class DividingKernels(Protocol):
    """A kernel set whose kernels can compute parts of a layer."""

    def division(self, kernel: Kernel, node: Node) -> Division | None:
        """Return how a layer on a kernel of this set can be divided, or None when it cannot."""


@dataclass(frozen=True)
class Undivided:
    """A step that core 0 computes alone."""

    node: Node

    parameters = ""

    def splits(self, cores: int) -> tuple[Split, ...]:
        """See `Division`."""
        return (alone(self.node.output, cores),)

    def needs(self, part: Part) -> tuple[Part, ...]:
        """See `Division`."""
        return tuple(whole(tensor) for tensor in self.node.inputs if not tensor.is_constant)

    def instructions(self, part: Part) -> float:
        """See `Division`."""
        return 0.0 if isinstance(self.node, Alias) else _PER_ELEMENT * part.positions * part.channels

    def scratch_bytes(self, part: Part) -> int:
        """See `Division`."""
        return 0

    def emit(self, code: PartCode, split: Split, parts: Sequence[str]) -> None:
        """Write nothing: the kernel writes the whole step."""


def divisions(kernels: KernelSet, chosen: Sequence[Kernel], graph: Graph) -> list[Division]:
    """Return how each step of a network can be divided.

    Raises:
        UsageError: the kernel set computes whole layers only.
    """
    if not isinstance(kernels, DividingKernels):
        raise UsageError(
            f"The {kernels.name} kernels compute whole layers; they cannot be divided over several cores.",
            "Use --kernels cortex-m4, or --cores 1.",
        )
    found: list[Division] = []
    for kernel, node in zip(chosen, graph.nodes, strict=True):
        division = kernels.division(kernel, node)
        found.append(Undivided(node) if division is None else division)
    return found
