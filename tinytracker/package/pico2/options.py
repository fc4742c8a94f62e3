"""Options of `tinytracker package --target pico2`."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinytracker.errors import UnknownNameError

KERNEL_SETS = ("cortex-m4", "portable")
"""The same as in `tinytracker.codegen.kernel_sets`, which imports numpy; this file is imported for --help."""


@dataclass(frozen=True)
class Options:
    """How the network becomes C.

    Attributes:
        kernels: one of `KERNEL_SETS`; those for Cortex-M4 run on the Cortex-M33 too, which has the same DSP extension.
        weights_budget: for these kernels: limit of code and constants, as a multiple of the model's bytes.
    """

    kernels: str = field(
        default="cortex-m4",
        metadata={"help": "Kernels of generated C: cortex-m4 (fast) or portable (the specification)."},
    )
    weights_budget: float = field(
        default=1.15,
        metadata={
            "help": "Limit of code and constants of cortex-m4 kernels, as a multiple of the model's bytes."
        },
    )

    def __post_init__(self) -> None:
        if self.kernels not in KERNEL_SETS:
            raise UnknownNameError("kernel set", self.kernels, KERNEL_SETS)
