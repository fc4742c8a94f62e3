"""Options of `tinytracker package --target coralmicro`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

COMPILER_VARIABLE = "TINYTRACKER_EDGETPU_COMPILER"


@dataclass(frozen=True)
class Options:
    """What the user may say about the Edge TPU compiler.

    Attributes:
        edgetpu_compiler: program to compile with; None looks at the environment, then on PATH.
        compiled: a file that was compiled elsewhere, taken instead of running a compiler.
        allow_cpu_ops: accept a model of which a part stays on the CPU.
        require_compiled: fail when there is nothing to compile with.
        compiler_timeout: seconds that the compiler may take.
    """

    edgetpu_compiler: Path | None = field(
        default=None,
        metadata={
            "help": f"Program to compile with; default: ${COMPILER_VARIABLE}, then edgetpu_compiler on PATH."
        },
    )
    compiled: Path | None = field(
        default=None, metadata={"help": "Take this compiled file instead of running a compiler."}
    )
    allow_cpu_ops: bool = field(
        default=False, metadata={"help": "Accept operators that stay on the board's CPU."}
    )
    require_compiled: bool = field(
        default=False, metadata={"help": "Fail when there is no compiler and no compiled file."}
    )
    compiler_timeout: int = field(default=180, metadata={"help": "Seconds that the compiler may take."})
