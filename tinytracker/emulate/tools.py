"""Programs that the emulated board needs, and the errors when one is missing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tinytracker.children import ends_with_parent
from tinytracker.errors import MissingDependencyError, TinyTrackerError

COMPILER = "arm-none-eabi-gcc"
SIZE = "arm-none-eabi-size"
OBJDUMP = "arm-none-eabi-objdump"
EMULATOR = "qemu-system-arm"

_APT = "sudo apt-get install --no-install-recommends"
_PACKAGES = {
    COMPILER: "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    SIZE: "binutils-arm-none-eabi",
    OBJDUMP: "binutils-arm-none-eabi",
    EMULATOR: "qemu-system-arm",
}


class ToolError(TinyTrackerError):
    """A compiler or the emulator ran and failed."""

    kind = "tool"


def find_tool(name: str, needed_for: str) -> str:
    """Return the path of a program.

    Raises:
        MissingDependencyError: the program is not installed; names the Debian packages.
    """
    path = shutil.which(name)
    if path is None:
        raise MissingDependencyError(name, needed_for, f"{_APT} {_PACKAGES[name]}")
    return path


def run_tool(
    command: Sequence[str | Path], what: str, timeout_s: float = 600.0
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its output is text.

    Args:
        command: program and arguments.
        what: the work, for messages.
        timeout_s: time limit after which the program is stopped.

    Raises:
        ToolError: the program cannot be started or does not end in time. The caller checks the exit status.
    """
    try:
        words = [str(part) for part in command]
        return subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            preexec_fn=ends_with_parent(),
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{what} did not end within {timeout_s:g} s.") from error
    except OSError as error:
        raise ToolError(f"{what} cannot be started ({error.strerror or error}).") from error


def missing_newlib() -> MissingDependencyError:
    """Return the error for a compiler without its C library."""
    package = "libnewlib-arm-none-eabi"
    return MissingDependencyError("newlib for Cortex-M", "building firmware", f"{_APT} {package}")
