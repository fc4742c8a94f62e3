"""Cross-compiles programs for the emulated board: network, board files, application, linker script."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import tinytracker
from tinytracker.codegen import GeneratedLibrary, generate
from tinytracker.codegen.kernel import KernelSet
from tinytracker.emulate.cpu import CORTEX_M4, Cpu
from tinytracker.emulate.tools import COMPILER, SIZE, ToolError, find_tool, missing_newlib, run_tool
from tinytracker.errors import MissingDependencyError, ModelError
from tinytracker.files import StrPath
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.quant.contract import IoContract
from tinytracker.quant.finder import require_finder
from tinytracker.requirements import install_hint

RAM_BYTES = 1536 * 1024
"""Bytes of memory for a program of a Spresense main core: code, constants, variables and stack together."""

CPU_FLAGS = ("-mthumb", "-mfloat-abi=hard")
WARNING_FLAGS = (
    "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wstrict-prototypes",
    "-Wmissing-prototypes", "-Wundef", "-Werror",
)  # fmt: skip

BATCH_APPLICATION = ("qemu/batch_main.c",)
"""The program that runs on images in memory and prints counts; build it with TT_STEP_HOOK defined."""

_AIMING = (
    "common/tt_aim.c", "common/tt_aim_answer.c", "common/tt_crop.c", "common/tt_find.c", "common/tt_fixed.c",
    "common/tt_frame.c", "common/tt_region.c", "common/tt_resize.c", "common/tt_search.c", "common/tt_steer.c",
    "common/tt_track.c",
)  # fmt: skip

AIM_APPLICATION = ("qemu/aim_main.c", *_AIMING)
"""The program that runs the whole loop of a network that aims on frames in memory."""

_GATE = (
    "common/tt_arena.c", "common/tt_cascade.c", "common/tt_counterturn.c", "common/tt_flow.c", "common/tt_gate.c",
    "common/tt_judge.c", "common/tt_normal.c", "common/tt_strip.c",
)  # fmt: skip

CASCADE_APPLICATION = ("qemu/cascade_main.c", *_GATE, *_AIMING)
"""The program that runs a network that aims behind a gate, on frames in memory."""

SERIAL_APPLICATION = (
    "qemu/serial_main.c", "common/tt_answer.c", "common/tt_bench.c", "common/tt_command_cascade.c",
    "common/tt_commands_mlperf.c", "common/tt_commands_own.c", "common/tt_crc32.c", "common/tt_gated.c",
    "common/tt_gaze.c", "common/tt_inputs.c", "common/tt_phases.c", "common/tt_presence.c", "common/tt_record.c",
    "common/tt_ring.c", "common/tt_session.c", "common/tt_text.c", "common/tt_transfer.c", *_GATE, *_AIMING,
)  # fmt: skip
"""The program that speaks the serial protocol."""


@dataclass(frozen=True)
class Firmware:
    """A linked program.

    Attributes:
        name: configuration. elf: the file.
        code_bytes: instructions and constants. data_bytes: initialized variables.
        zero_bytes: zeroed variables and the reserved stack.
    """

    name: str
    elf: Path
    code_bytes: int
    data_bytes: int
    zero_bytes: int

    @property
    def ram_bytes(self) -> int:
        """Return the total, which is limited by `RAM_BYTES`."""
        return self.code_bytes + self.data_bytes + self.zero_bytes


def deploy_dir() -> Path:
    """Return the folder with the C sources of the boards: in a source checkout, or in an installation.

    Raises:
        MissingDependencyError: neither exists.
    """
    checkout = Path(tinytracker.__file__).resolve().parent.parent / "deploy"
    installed = Path(sysconfig.get_path("data")) / "share" / "tinytracker" / "deploy"
    for folder in (checkout, installed):
        if (folder / "qemu" / "board.ld").is_file():
            return folder
    raise MissingDependencyError("the firmware sources (deploy/)", "building firmware", install_hint())


def build_firmware(
    name: str,
    library: GeneratedLibrary,
    applications: Sequence[str],
    out_dir: StrPath,
    *,
    defines: Sequence[str] = (),
    optimise: str = "-O2",
    stack_bytes: int = 8192,
    cpu: Cpu = CORTEX_M4,
) -> Firmware:
    """Compile and link one configuration for the emulated board.

    Args:
        name: name of the configuration; the result is `OUT_DIR/NAME.elf`.
        library: the generated network, which must be called "model".
        applications: C files below the deploy folder ("qemu/batch_main.c").
        out_dir: folder for the result; created when missing.
        defines: preprocessor definitions.
        optimise: optimization flag of the compiler.
        stack_bytes: bytes to reserve for the stack.
        cpu: processor to build for.

    Raises:
        MissingDependencyError: the compiler, the C library or the firmware sources are missing.
        ModelError: the program does not fit into `RAM_BYTES`.
        ToolError: the compiler fails for another reason.
    """
    out_dir = Path(out_dir)
    compiler = find_tool(COMPILER, "building firmware")
    deploy = deploy_dir()
    out_dir.mkdir(parents=True, exist_ok=True)
    elf = out_dir / f"{name}.elf"
    sources = [*library.sources, deploy / "qemu" / "board.c", *(deploy / path for path in applications)]
    command: list[str | Path] = [
        compiler, *cpu.flags, *CPU_FLAGS, "-std=c99", optimise, "-ffunction-sections", "-fdata-sections",
        *WARNING_FLAGS,
        *(f"-D{define}" for define in (*defines, *cpu.defines, f"BOARD_IMAGES={cpu.images:#x}u")),
        "-I", library.directory, "-I", deploy / "qemu", "-I", deploy / "common", *sources,
        "-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections", f"-Wl,--defsym=STACK_BYTES={stack_bytes}",
        f"-Wl,--defsym=VECTORS={cpu.vectors:#x}", f"-Wl,--defsym=RAM_START={cpu.ram:#x}",
        "-T", deploy / "qemu" / "board.ld", "-o", elf,
    ]  # fmt: skip
    done = run_tool(command, f"{COMPILER} for {name}")
    if done.returncode != 0:
        raise _explain(name, done.stderr)
    return _measure(name, elf)


def with_finder(
    library: GeneratedLibrary, finder: bytes, kernels: KernelSet
) -> tuple[GeneratedLibrary, tuple[str, ...]]:
    """Generate a finder beside a network that aims.

    Args:
        library: the network, called "model".
        finder: content of the finder's .tflite file.
        kernels: as for `generate`.

    Returns:
        both networks as one library, whose arena is the larger one; and the definitions with which applications use the
        second one.

    Raises:
        ModelError: it is not a finder, or C cannot be generated from it.
    """
    parsed = read_tflite(finder)
    require_finder(IoContract.of(parsed))
    second = generate(parsed, library.directory, name="finder", kernels=kernels)
    files = tuple(sorted({*library.files, *second.files}))
    both = replace(
        library,
        files=files,
        constant_bytes=library.constant_bytes + second.constant_bytes,
        arena_bytes=max(library.arena_bytes, second.arena_bytes),
    )
    return both, ("TT_FINDER",)


def build_all(model: Path | str | bytes | TfliteModel, out_dir: StrPath) -> tuple[Firmware, ...]:
    """Build every configuration for one network; raises like `generate` and `build_firmware`."""
    out_dir = Path(out_dir)
    library = generate(model, out_dir / "model")
    return (
        build_firmware("batch", library, BATCH_APPLICATION, out_dir, defines=["TT_STEP_HOOK"]),
        build_firmware(
            "batch-small", library, BATCH_APPLICATION, out_dir, defines=["TT_STEP_HOOK"], optimise="-Os"
        ),
        build_firmware("serial", library, SERIAL_APPLICATION, out_dir),
    )


def _explain(name: str, messages: str) -> Exception:
    overflow = re.search(r"overflowed by (\d+) bytes", messages)
    if overflow:
        return ModelError(
            f"{name} needs {int(overflow[1]):,} bytes more than the {RAM_BYTES // 1024:,} KB of the board.",
            "Use a smaller preset.",
        )
    if "nano.specs" in messages or "string.h: No such file" in messages:
        return missing_newlib()
    lines = [line for line in messages.splitlines() if "error" in line] or messages.splitlines()
    return ToolError(f"{COMPILER} cannot build {name}: {' / '.join(lines[:3])}.")


def _measure(name: str, elf: Path) -> Firmware:
    done = run_tool([find_tool(SIZE, "measuring firmware"), elf], SIZE)
    numbers = re.search(r"^\s*(\d+)\s+(\d+)\s+(\d+)", done.stdout, re.M)
    if done.returncode != 0 or numbers is None:
        raise ToolError(f"{SIZE} cannot read {elf}.")
    return Firmware(name, elf, int(numbers[1]), int(numbers[2]), int(numbers[3]))
