"""Open the board of a target by its name, as the target's row describes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tinytracker.cascade.document import CascadeSettings
from tinytracker.hosts.runtimes import HostOptions
from tinytracker.measure.marks import Marker
from tinytracker.measure.measurement import Source
from tinytracker.measure.transport import SILENCE_S
from tinytracker.targets import Target, find_target


@dataclass(frozen=True)
class Request:
    """How to open a board; each opener uses the fields that concern it.

    Attributes:
        port: serial port or pyserial URL; None for the only one with hardware behind it.
        rpc: URL for commands; None for the target's.
        network: file that the board loads, for a target that `loads` one.
        content: of the .tflite file to emulate.
        finder: content of a finder's .tflite file, beside a network that aims; None to search without one.
        cascade: settings of a gate in front of a network that aims: for the firmware of the emulated board, and set on
            any other whose firmware has a gate; None to leave a board as it is.
        little: content of the .tflite file of the network that looks first behind the gate, or None.
        delay: frames until a camera applies a region, for a network that aims; None to measure it.
        fps: frames per second of a camera; None for what the package says.
        silence_s: timeout for a silent board; None for the target's.
        keep_raw: keep the received bytes, see `open_link`.
        marker: steps with each frame of a camera on this computer.
        pictures: keep the newest picture of such a camera, to be shown.
        whole: keep pictures of such a camera that can be recorded.
        host: runtime, threads and device of a network on this computer; None for the usual ones.
    """

    port: str | None = None
    rpc: str | None = None
    network: Path | None = None
    content: bytes | None = None
    finder: bytes | None = None
    cascade: CascadeSettings | None = None
    little: bytes | None = None
    delay: int | None = None
    fps: float | None = None
    silence_s: float | None = None
    keep_raw: bool = False
    marker: Marker | None = None
    pictures: bool = False
    whole: bool = False
    host: HostOptions | None = None

    def patience_s(self, target: Target) -> float:
        """Timeout for a silent board, s."""
        return self.silence_s or target.silence_s or SILENCE_S


@contextmanager
def open_board(target: str, request: Request) -> Iterator[Source]:
    """Reach a board by the name of its target.

    Args:
        target: a row of `tinytracker.targets` with a board.
        request: what is known about it.

    Raises:
        UnknownNameError: no such target, or it has no board.
        UsageError: the port or the network is missing.
        DeviceError: no board answers.
        MissingDependencyError: what reaches the board is not installed.
    """
    row = find_target(target, "board")
    opened: AbstractContextManager[Source] = row.part("board").open_source(row, request)
    with opened as source:
        yield source
