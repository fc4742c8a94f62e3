"""Options of `tinytracker package --target coralmicro`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tinytracker.errors import UnknownNameError, UsageError

COMPILER_VARIABLE = "TINYTRACKER_EDGETPU_COMPILER"

RUNTIMES = ("edgetpu", "c")
"""The compiled model on the Edge TPU, or generated C on the Cortex-M7."""

KERNEL_SETS = ("cortex-m4", "portable")
"""The same as in `tinytracker.codegen.kernel_sets`, which imports numpy; this file is imported for --help."""


@dataclass(frozen=True)
class Options:
    """How the network runs on the board, and options of the Edge TPU compiler.

    Attributes:
        runtime: one of `RUNTIMES`.
        kernels: of generated C: one of `KERNEL_SETS`; those for Cortex-M4 run on the Cortex-M7 too.
        weights_budget: for these kernels: limit of code and constants, as a multiple of the model's bytes.
        edgetpu_compiler: program to compile with; None looks at the environment, then on PATH.
        compiled: a file compiled elsewhere, used instead of running a compiler.
        allow_cpu_ops: accept a model that partly stays on the CPU.
        require_compiled: fail when neither a compiler nor a compiled file is available.
        compiler_timeout: time limit of the compiler in seconds.
        finder: the finder's .tflite file; None to search without one.
        cascade: settings of a gate in front of a network that aims; None to run it on every frame.
    """

    runtime: str = field(
        default="edgetpu", metadata={"help": "edgetpu (the Edge TPU) or c (generated C on the Cortex-M7)."}
    )
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
    edgetpu_compiler: Path | None = field(
        default=None,
        metadata={
            "help": f"Program to compile with; default: ${COMPILER_VARIABLE}, then edgetpu_compiler on PATH."
        },
    )
    compiled: Path | None = field(
        default=None, metadata={"help": "Use this compiled file instead of running a compiler."}
    )
    allow_cpu_ops: bool = field(
        default=False, metadata={"help": "Accept operators that stay on the board's CPU."}
    )
    require_compiled: bool = field(
        default=False, metadata={"help": "Fail when neither a compiler nor a compiled file is available."}
    )
    compiler_timeout: int = field(default=180, metadata={"help": "Time limit of the compiler in seconds."})
    finder: Path | None = field(
        default=None,
        metadata={
            "help": "Finder beside a network that aims, a .tflite file; it runs in generated C on the M7."
        },
    )

    cascade: Path | None = field(
        default=None,
        metadata={
            "help": "Run a network that aims only when the gaze may have moved: a file of `tinytracker cascade fit`; "
            "the gate runs on the M7."
        },
    )

    def __post_init__(self) -> None:
        if self.runtime not in RUNTIMES:
            raise UnknownNameError("runtime", self.runtime, RUNTIMES)
        if self.kernels not in KERNEL_SETS:
            raise UnknownNameError("kernel set", self.kernels, KERNEL_SETS)
        if self.runtime == "c" and self.finder is not None:
            raise UsageError(
                "--runtime c has no finder: the network scans the frame by itself.",
                "Omit --finder or --runtime c.",
            )
        if self.runtime == "c" and (self.compiled is not None or self.require_compiled or self.allow_cpu_ops):
            raise UsageError(
                "--runtime c does not use the Edge TPU.",
                "Omit --compiled, --require-compiled and --allow-cpu-ops, or omit --runtime c.",
            )
