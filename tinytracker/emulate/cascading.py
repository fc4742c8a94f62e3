"""A network behind a gate, on the emulated board: which frames it runs on, and what every frame costs."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.controller import State
from tinytracker.aim.region import Region
from tinytracker.cascade.judge import limit_of
from tinytracker.cascade.networks import require_aim
from tinytracker.cascade.rule import GateSettings
from tinytracker.codegen import generate
from tinytracker.codegen.cascade_files import with_little
from tinytracker.codegen.kernel import KernelSet
from tinytracker.emulate.firmware import CASCADE_APPLICATION, build_firmware
from tinytracker.emulate.qemu import require_room, run_program
from tinytracker.emulate.tools import ToolError
from tinytracker.model.tflite_file import read_tflite

_HEADER_BYTES = 44


@dataclass(frozen=True)
class CascadeFrame:
    """One frame.

    Attributes:
        region: of the frame, for gate and networks. state, has_eyes: of the controller after the frame.
        path: 0 when no network ran, 1 when Little alone did, 2 when Big ran (`simulation.REUSED` and so on).
        output: Big's, packed; if it did not run, that of an earlier frame.
        strip, gate, cut, little, big, steer: instructions of the gate's strip, of the gate, of cutting inputs, of both
            networks, and of the controller.
    """

    region: Region
    state: State
    has_eyes: bool
    path: int
    output: bytes
    strip: int
    gate: int
    cut: int
    little: int
    big: int
    steer: int

    @property
    def instructions(self) -> int:
        """Of the whole frame."""
        return self.strip + self.gate + self.cut + self.little + self.big + self.steer


@dataclass(frozen=True)
class CascadeRun:
    """A sequence.

    Attributes:
        frames: in order. stack_used_bytes: deepest use of the stack.
        ram_bytes: code, constants and variables of the program; the frames are not among them.
    """

    frames: tuple[CascadeFrame, ...]
    stack_used_bytes: int
    ram_bytes: int


def emulate_cascade(
    model: bytes,
    frames: NDArray[np.uint8],
    gate: GateSettings,
    *,
    kernels: KernelSet,
    little: bytes | None = None,
    moved_cm: float = 1.5,
    stack_bytes: int = 8192,
    timeout_s: float = 600.0,
) -> CascadeRun:
    """Run a network that aims behind a gate on a sequence of whole frames.

    Args:
        model: content of the .tflite file.
        frames: (N, H, W, 3), RGB; as many as fit into 16 MB (72 of 320 × 240).
        gate: thresholds, of `tinytracker.cascade`.
        kernels: as for `tinytracker.codegen.generate`.
        little: content of a second .tflite file that looks first, or None. Both networks then work in one arena.
        moved_cm: Big runs when Little's answer has moved by more since Big's last run, cm at the reference width.
        stack_bytes: to reserve for the stack.
        timeout_s: limit of the emulator.

    Raises:
        ModelError: the network has no aim, C cannot be generated from it, or it does not fit.
        UsageError: the frames do not fit into the emulator's memory.
        MissingDependencyError: compiler or emulator are not installed.
        ToolError: the program fails.
    """
    networks = [read_tflite(content) for content in (model, little) if content is not None]
    for parsed in networks:
        require_aim(parsed)
    count, height, width, _ = frames.shape
    require_room(frames, _HEADER_BYTES)
    with tempfile.TemporaryDirectory(prefix="tinytracker-") as folder:
        work = Path(folder)
        library, defines = generate(networks[0], work / "model", kernels=kernels), tuple[str, ...]()
        if little is not None:
            library, defines = with_little(library, networks[1], kernels)
        firmware = build_firmware(
            "cascade", library, CASCADE_APPLICATION, work, defines=defines, stack_bytes=stack_bytes
        )
        numbers = [count, width, height, limit_of(moved_cm), *vars(gate).values()]
        header = np.array(numbers, "<i4").tobytes()
        text = run_program(firmware.elf, header + np.ascontiguousarray(frames).tobytes(), work, timeout_s)
    found = re.findall(r"^frame((?: -?\d+){12}) ([0-9a-f]*)$", text, re.M)
    stack = re.search(r"^stack (\d+)$", text, re.M)
    if len(found) != count or stack is None:
        raise ToolError("The program on the emulated board printed an incomplete report.")
    rows = [(tuple(map(int, numbers.split())), bytes.fromhex(output)) for numbers, output in found]
    return CascadeRun(tuple(_frame(n, output) for n, output in rows), int(stack[1]), firmware.ram_bytes)


def _frame(n: tuple[int, ...], output: bytes) -> CascadeFrame:
    return CascadeFrame(Region(*n[:3]), State(n[3]), n[4] != 0, n[5], output, *n[6:])
