"""The emulated board as a serial device: a program runs in QEMU, and the host talks to it over a pty."""

from __future__ import annotations

import re
import select
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tinytracker import __version__
from tinytracker.cascade.networks import require_aim
from tinytracker.cascade.thresholds import Thresholds
from tinytracker.children import ends_with_parent
from tinytracker.codegen import generate
from tinytracker.codegen.cascade_files import with_cascade
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.kernel import KernelSet
from tinytracker.emulate.firmware import SERIAL_APPLICATION, build_firmware, with_finder
from tinytracker.emulate.qemu import emulator_command
from tinytracker.emulate.tools import ToolError
from tinytracker.errors import UsageError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel

_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class EmulatedBoard:
    """A running board.

    Attributes:
        port: path of the pseudo-terminal; open it like any serial port. The baud rate does not matter.
        pid: process id of the emulator.
    """

    port: str
    pid: int


@contextmanager
def emulated_board(
    model: Path | str | bytes | TfliteModel,
    *,
    optimise: str = "-O2",
    kernels: KernelSet | None = None,
    finder: bytes | None = None,
    gate: Thresholds | None = None,
    little: bytes | None = None,
    frame_px: tuple[int, int] = (320, 240),
) -> Iterator[EmulatedBoard]:
    """Build the serial firmware for a network, run it, and stop it at the end.

    What the board sends before the port is opened is lost; first send `%` and wait for `m-ready`
    (docs/protocol.md).

    Args:
        model: the network.
        optimise: optimization flag of the compiler.
        kernels: `CortexM4()` when omitted, as in a package for Spresense.
        finder: content of a finder's .tflite file, for a network that aims.
        gate: thresholds of a gate in front of a network that aims; None to run it on every frame.
        little: content of the .tflite file of a network that looks first behind the gate.
        frame_px: width and height of the whole frames that the board takes for such a network.

    Raises:
        MissingDependencyError: the compiler or the emulator is not installed.
        ModelError: C cannot be generated from a network, it does not fit, or it has no aim and a gate was given.
        UsageError: `little` without a gate.
        ToolError: the emulator does not start.
    """
    if little is not None and gate is None:
        raise UsageError("Without a gate, no network looks first.", "Give --cascade, or omit --little.")
    with tempfile.TemporaryDirectory(prefix="tinytracker-") as folder:
        work = Path(folder)
        if gate is not None:
            require_aim(model if isinstance(model, TfliteModel) else read_tflite(model))
        library = generate(model, work / "model", kernels=kernels or CortexM4())
        width, height = frame_px
        defines: tuple[str, ...] = (
            f'TT_BUILD="tinytracker-{__version__}"', f"FRAME_WIDTH={width}", f"FRAME_HEIGHT={height}",
        )  # fmt: skip
        if finder is not None:
            library, more = with_finder(library, finder, kernels or CortexM4())
            defines += more
        if gate is not None:
            library, more = with_cascade(library, gate, little, kernels or CortexM4())
            defines += more
        firmware = build_firmware(
            "serial", library, SERIAL_APPLICATION, work, defines=defines, optimise=optimise
        )
        command = [*emulator_command(firmware.elf), "-serial", "pty"]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=ends_with_parent(),
        ) as process:
            try:
                yield EmulatedBoard(_port(process), process.pid)
            finally:
                process.terminate()
                try:
                    process.wait(_STOP_TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    process.kill()


def _port(process: subprocess.Popen[str]) -> str:
    """Return the pseudo-terminal that the emulator announces in its first line."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_TIMEOUT_S)
    line = process.stdout.readline() if ready else ""
    found = re.search(r"(/dev/\S+)", line)
    if found is None:
        raise ToolError(f"The emulated board did not start: {line.strip() or 'no message'}.")
    return found[1]
