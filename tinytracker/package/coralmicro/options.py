"""Options of `tinytracker package --target coralmicro`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

COMPILER_VARIABLE = "TINYTRACKER_EDGETPU_COMPILER"


@dataclass(frozen=True)
class Options:
    """Options of the Edge TPU compiler.

    Attributes:
        edgetpu_compiler: program to compile with; None looks at the environment, then on PATH.
        compiled: a file compiled elsewhere, used instead of running a compiler.
        allow_cpu_ops: accept a model that partly stays on the CPU.
        require_compiled: fail when neither a compiler nor a compiled file is available.
        compiler_timeout: time limit of the compiler in seconds.
        finder: the finder's .tflite file; None to search without one.
    """

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
