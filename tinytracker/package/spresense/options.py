"""Options of `tinytracker package --target spresense`."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinytracker.errors import UnknownNameError

RUNTIMES = ("tflm", "c")
"""The model as an array for TensorFlow Lite for Microcontrollers, or generated C without dependencies."""

KERNEL_SETS = ("cortex-m4", "portable")
"""The same as in `tinytracker.codegen.kernel_sets`, which imports numpy; this file is imported for --help."""


@dataclass(frozen=True)
class Options:
    """How the network runs on the board.

    Attributes:
        runtime: one of `RUNTIMES`.
        kernels: kernels of generated C: one of `KERNEL_SETS` of `tinytracker.codegen.kernel_sets`.
        weights_budget: for the Cortex-M4 kernels: limit of code and constants, as a multiple of the model's bytes.
    """

    runtime: str = field(default="tflm", metadata={"help": "tflm (array for TFLM) or c (generated C)."})
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
        if self.runtime not in RUNTIMES:
            raise UnknownNameError("runtime", self.runtime, RUNTIMES)
        if self.kernels not in KERNEL_SETS:
            raise UnknownNameError("kernel set", self.kernels, KERNEL_SETS)
