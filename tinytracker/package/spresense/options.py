"""Options of `tinytracker package --target spresense`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tinytracker.errors import UnknownNameError, UsageError

RUNTIMES = ("tflm", "c")
"""The model as an array for TensorFlow Lite for Microcontrollers, or generated C without dependencies."""

IO = ("file", "int8")
"""Inputs and outputs of generated C: as in the file, or the 8-bit tensors behind float32 ones."""

MAX_CORES = 5
"""The same as in `tinytracker.codegen.multicore`."""

KERNEL_SETS = ("cortex-m4", "portable")
"""The same as in `tinytracker.codegen.kernel_sets`, which imports numpy; this file is imported for --help."""


@dataclass(frozen=True)
class Options:
    """How the network runs on the board.

    Attributes:
        runtime: one of `RUNTIMES`.
        kernels: kernels of generated C: one of `KERNEL_SETS` of `tinytracker.codegen.kernel_sets`.
        weights_budget: for the Cortex-M4 kernels: limit of code and constants, as a multiple of the model's bytes.
        io: of generated C: one of `IO`.
        finder: the finder's .tflite file; None to search without one.
        cascade: settings of a gate in front of a network that aims; None to run it on every frame.
        little: with `cascade`, the .tflite file of a smaller network that looks first; None without one.
        cores: cores that generated C is divided over, 1 to `MAX_CORES`.
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

    io: str = field(
        default="file",
        metadata={
            "help": "Inputs and outputs of generated C: file (as the network has them) or int8 (the codes behind "
            "float32 ones; you quantize and dequantize)."
        },
    )

    finder: Path | None = field(
        default=None,
        metadata={"help": "Finder beside a network that aims, a .tflite file; it runs in generated C."},
    )

    cascade: Path | None = field(
        default=None,
        metadata={
            "help": "Run a network that aims only when the gaze may have moved: a file of `tinytracker cascade fit`."
        },
    )

    little: Path | None = field(
        default=None,
        metadata={
            "help": "With --cascade: smaller network that looks first, a .tflite file; it runs in generated C."
        },
    )

    cores: int = field(
        default=1,
        metadata={"help": "Cores of generated C, 1 to 5: the main core, and workers on the others."},
    )

    def __post_init__(self) -> None:
        if self.runtime not in RUNTIMES:
            raise UnknownNameError("runtime", self.runtime, RUNTIMES)
        if self.kernels not in KERNEL_SETS:
            raise UnknownNameError("kernel set", self.kernels, KERNEL_SETS)
        if self.io not in IO:
            raise UnknownNameError("io", self.io, IO)
        if self.io != "file" and self.runtime != "c":
            raise UsageError(
                f"--io {self.io} needs generated C; TFLM takes the inputs that the file has.",
                "Add --runtime c.",
            )
        if not 1 <= self.cores <= MAX_CORES:
            raise UsageError(f"The number of cores is {self.cores}; it must be 1 to {MAX_CORES}.")
        if self.cores > 1 and self.little is not None:
            raise UsageError(
                f"--little does not go with --cores {self.cores}: both networks would share kernel files, and only one "
                "of them would be divided.",
                "Omit --little or --cores.",
            )
        if self.cores > 1 and self.finder is not None:
            raise UsageError(
                f"--finder does not go with --cores {self.cores}: both networks would share kernel files, and only one "
                "of them would be divided.",
                "Omit --finder, then the network scans the frame by itself; or omit --cores.",
            )
        if self.cores > 1 and (self.runtime, self.kernels) != ("c", "cortex-m4"):
            raise UsageError(
                f"--cores {self.cores} needs generated C with the cortex-m4 kernels; TFLM and the portable kernels "
                "compute whole layers on one core.",
                "Use --runtime c --kernels cortex-m4.",
            )
