"""Runs a program on an emulated board of QEMU and reads what it prints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.emulate.cpu import CORTEX_M4, Cpu
from tinytracker.emulate.tools import EMULATOR, ToolError, find_tool, run_tool
from tinytracker.errors import UsageError
from tinytracker.words import counted

IMAGES_BYTES = 16 * 1024 * 1024
"""Memory for the images, outside the program's 1,536 KB."""

COUNTING = ("-icount", "shift=6,sleep=off")
"""Makes virtual time advance by 64 ns per instruction, so that the guest's 25 MHz counter counts instructions."""

INSTRUCTIONS_PER_US = 1000 / 64


def require_room(frames: NDArray[np.uint8], header_bytes: int) -> None:
    """Raise `UsageError` when frames (n, h, w, channels) and a header in front do not fit into `IMAGES_BYTES`."""
    count, height, width, _ = frames.shape
    if header_bytes + frames.nbytes > IMAGES_BYTES:
        raise UsageError(
            f"{counted(count, 'frame')} of {width} x {height} px do not fit into {IMAGES_BYTES >> 20} MB.",
            "Give fewer frames.",
        )


@dataclass(frozen=True)
class BatchRun:
    """Output of `deploy/qemu/batch_main.c`.

    Attributes:
        model_sha256: SHA-256 of the network inside the program.
        outputs: packed output bytes per image. steps: instructions per step, per image.
        arena_used: bytes of the arena used. stack_used: bytes of the stack used.
    """

    model_sha256: str
    outputs: tuple[bytes, ...]
    steps: tuple[tuple[int, ...], ...]
    arena_used: int
    stack_used: int


def emulator_command(elf: Path, options: Sequence[str] = COUNTING, cpu: Cpu = CORTEX_M4) -> list[str]:
    """Return the command that runs a program and counts instructions; the caller adds the target of UART 0."""
    return [
        find_tool(EMULATOR, "emulating the board"), "-M", cpu.machine, "-display", "none", "-monitor", "none",
        *options, "-semihosting-config", "enable=on,target=native", "-kernel", str(elf),
    ]  # fmt: skip


def batch_command(
    elf: Path,
    packed_images: list[bytes],
    work_dir: Path,
    options: Sequence[str] = COUNTING,
    cpu: Cpu = CORTEX_M4,
) -> list[str]:
    """Write these packed inputs to a file and return the command that runs the batch program on them."""
    content = len(packed_images).to_bytes(4, "little") + b"".join(packed_images)
    return _reading_command(elf, content, work_dir, options, cpu)


def _reading_command(
    elf: Path, content: bytes, work_dir: Path, options: Sequence[str], cpu: Cpu
) -> list[str]:
    """Write what a program reads to a file and return the command that runs it."""
    images = work_dir / "images.bin"
    images.write_bytes(content)
    loader = f"loader,file={images},addr={cpu.images:#x},force-raw=on"
    return [*emulator_command(elf, options, cpu), "-serial", "stdio", "-device", loader]


def run_batch(
    elf: Path, packed_images: list[bytes], work_dir: Path, timeout_s: float = 600.0, cpu: Cpu = CORTEX_M4
) -> BatchRun:
    """Run the batch program on these packed inputs.

    Raises:
        MissingDependencyError: the emulator is not installed.
        ToolError: the program faults, hangs or prints something unexpected.
    """
    command = batch_command(elf, packed_images, work_dir, cpu=cpu)
    return _parse(_printed(command, timeout_s), len(packed_images))


def run_program(elf: Path, content: bytes, work_dir: Path, timeout_s: float = 600.0) -> str:
    """Run a program for the Cortex-M4 that reads `content` where images lie; returns what it prints before "done".

    Raises:
        MissingDependencyError: the emulator is not installed.
        ToolError: the program faults or hangs.
    """
    return _printed(_reading_command(elf, content, work_dir, COUNTING, CORTEX_M4), timeout_s)


def _printed(command: list[str], timeout_s: float) -> str:
    """Run a program that ends with a line "done" and return its output."""
    done = run_tool(command, "The emulated board", timeout_s)
    text = done.stdout.replace("\r", "")
    if done.returncode != 0 or not text.endswith("done\n"):
        last = (text.strip().splitlines() or [""])[-1][:80]
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1][:200]
        raise ToolError(
            f"The emulated program ended with status {done.returncode} after {last!r}: {reason}.",
            "A fault often means that the stack is too small.",
        )
    return text


def _parse(text: str, images: int) -> BatchRun:
    sha256 = re.search(r"^model ([0-9a-f]{64})$", text, re.M)
    outputs = tuple(bytes.fromhex(found) for found in re.findall(r"^output ([0-9a-f]*)$", text, re.M))
    steps = tuple(tuple(map(int, found.split())) for found in re.findall(r"^steps((?: \d+)*)$", text, re.M))
    arena, stack = (re.search(rf"^{word} (\d+)$", text, re.M) for word in ("arena", "stack"))
    if sha256 is None or arena is None or stack is None or not len(outputs) == len(steps) == images:
        raise ToolError("The program on the emulated board printed an incomplete report.")
    return BatchRun(sha256[1], outputs, steps, int(arena[1]), int(stack[1]))
