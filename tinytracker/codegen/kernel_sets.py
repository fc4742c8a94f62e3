"""The kernel sets by name."""

from __future__ import annotations

from tinytracker.codegen.cortex_m4 import DEFAULT_WEIGHTS_BUDGET, CortexM4
from tinytracker.codegen.kernel import KernelSet
from tinytracker.codegen.reference_kernels import PORTABLE
from tinytracker.errors import UnknownNameError

KERNEL_SETS = ("cortex-m4", "portable")


def kernel_set(name: str, weights_budget: float = DEFAULT_WEIGHTS_BUDGET) -> KernelSet:
    """Return the kernel set of this name.

    Args:
        name: one of `KERNEL_SETS`.
        weights_budget: see `CortexM4`; the portable kernels have one form of weights only.

    Raises:
        UnknownNameError: no set has this name.
        UsageError: the budget is not above 0.
    """
    if name not in KERNEL_SETS:
        raise UnknownNameError("kernel set", name, KERNEL_SETS)
    return PORTABLE if name == "portable" else CortexM4(weights_budget)
