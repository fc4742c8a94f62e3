"""A network that aims, on the emulated board: crop, network and controller, frame after frame, and what each costs."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.controller import State
from tinytracker.aim.region import Region
from tinytracker.codegen import generate
from tinytracker.codegen.kernel import KernelSet
from tinytracker.codegen.library import aim_codes
from tinytracker.emulate.firmware import AIM_APPLICATION, build_firmware, with_finder
from tinytracker.emulate.qemu import require_room, run_program
from tinytracker.emulate.tools import ToolError
from tinytracker.errors import ModelError
from tinytracker.model.tflite_file import read_tflite

_HEADER_BYTES = 12


@dataclass(frozen=True)
class AimedFrame:
    """One frame of the loop.

    Attributes:
        region: that the network saw.
        state, has_eyes: of the controller after the frame.
        output: packed, as the network stores it.
        place, cut, run, update: instructions of the finder (a few when it does not run), of the crop, of the network,
            and of the controller.
    """

    region: Region
    state: State
    has_eyes: bool
    output: bytes
    place: int
    cut: int
    run: int
    update: int


@dataclass(frozen=True)
class AimRun:
    """A sequence.

    Attributes:
        frames: in order. stack_used_bytes: deepest use of the stack.
        ram_bytes: code, constants and variables of the program; the frames are not among them.
        reference_cut: instructions of a crop of the reference width, as while eyes are followed.
    """

    frames: tuple[AimedFrame, ...]
    reference_cut: int
    stack_used_bytes: int
    ram_bytes: int


def emulate_aim(
    model: bytes,
    frames: NDArray[np.uint8],
    *,
    kernels: KernelSet,
    finder: bytes | None = None,
    stack_bytes: int = 8192,
    timeout_s: float = 600.0,
) -> AimRun:
    """Run a network that aims on a sequence of whole frames, from a controller that has just been started.

    Args:
        model: content of the .tflite file.
        frames: (N, H, W, 3), RGB; as many as fit into 16 MB (72 of 320 × 240).
        kernels: as for `tinytracker.codegen.generate`.
        finder: content of the finder's .tflite file, or None to search without one.
        stack_bytes: to reserve for the stack.
        timeout_s: limit of the emulator.

    Raises:
        ModelError: the network has no aim, C cannot be generated from it, or it does not fit.
        UsageError: the frames do not fit into the emulator's memory.
        MissingDependencyError: compiler or emulator are not installed.
        ToolError: the program fails.
    """
    parsed = read_tflite(model)
    if not aim_codes(parsed):
        raise ModelError("This network has no aim: its output does not say where the eyes are.")
    count, height, width, _ = frames.shape
    require_room(frames, _HEADER_BYTES)
    with tempfile.TemporaryDirectory(prefix="tinytracker-") as folder:
        work = Path(folder)
        library, defines = generate(parsed, work / "model", kernels=kernels), tuple[str, ...]()
        if finder is not None:
            library, defines = with_finder(library, finder, kernels)
        firmware = build_firmware(
            "aim", library, AIM_APPLICATION, work, defines=defines, stack_bytes=stack_bytes
        )
        header = np.array([count, width, height], "<u4").tobytes()
        text = run_program(firmware.elf, header + np.ascontiguousarray(frames).tobytes(), work, timeout_s)
    return AimRun(
        _frames(text, count), _number("reference", text), _number("stack", text), firmware.ram_bytes
    )


def _frames(text: str, count: int) -> tuple[AimedFrame, ...]:
    found = re.findall(r"^frame((?: -?\d+){9}) ([0-9a-f]*)$", text, re.M)
    if len(found) != count:
        raise ToolError("The program on the emulated board printed an incomplete report.")
    rows = [(tuple(map(int, numbers.split())), bytes.fromhex(output)) for numbers, output in found]
    return tuple(AimedFrame(Region(*n[:3]), State(n[3]), n[4] != 0, output, *n[5:]) for n, output in rows)


def _number(word: str, text: str) -> int:
    found = re.search(rf"^{word} (\d+)$", text, re.M)
    if found is None:
        raise ToolError("The program on the emulated board printed an incomplete report.")
    return int(found[1])


def aim_cost(
    model: bytes, *, kernels: KernelSet, finder: bytes | None = None, seed: int = 0
) -> dict[str, int]:
    """Count what aiming adds to a network: instructions per QVGA frame, emulated.

    Args:
        model: content of the .tflite file of a network that aims.
        kernels: as for `tinytracker.codegen.generate`.
        finder: content of the finder's .tflite file, or None.
        seed: of the frames, which are noise.

    Returns:
        "crop" of a strip of the reference width, "crop_search" of one as wide as the frame, "network", "steering" (the
        largest), with a finder "finder" (one look and its view); and "ram_bytes" of the program.

    Raises:
        as `emulate_aim`.
    """
    frames = np.random.default_rng(seed).integers(0, 256, (2, 240, 320, 3)).astype(np.uint8)
    run = emulate_aim(model, frames, kernels=kernels, finder=finder)
    first = run.frames[0]
    cost = {
        "crop": run.reference_cut, "crop_search": first.cut, "network": first.run,
        "steering": max(frame.update for frame in run.frames), "ram_bytes": run.ram_bytes,
    }  # fmt: skip
    return cost if finder is None else cost | {"finder": first.place}
