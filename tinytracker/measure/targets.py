"""The boards that can be measured, by name, and how each is reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.measure.link import Link, open_link
from tinytracker.measure.transport import SILENCE_S, known_ports

CORAL_RPC = "http://10.10.10.1/jsonrpc"
"""Where the Coral Dev Board Micro serves over USB Ethernet."""


@dataclass(frozen=True)
class Target:
    """How a board is reached.

    Attributes:
        name: on the command line.
        has_port: it is on a serial port that the user can name.
        rpc: URL that takes its commands, or None when the port does.
        silence_s: how long it may say nothing.
    """

    name: str
    has_port: bool
    rpc: str | None = None
    silence_s: float = SILENCE_S


TARGETS = {
    target.name: target
    for target in (
        # Images of a large network take long at 100 million emulated instructions per second.
        Target("emulated", has_port=False, silence_s=120.0),
        Target("spresense", has_port=True),
        Target("coralmicro", has_port=True, rpc=CORAL_RPC),
    )
}
"""Boards that speak docs/protocol.md. The IMX500 has no program of ours in it: see `tinytracker.measure.imx500`."""


@contextmanager
def open_board(
    target: str,
    *,
    port: str | None = None,
    rpc: str | None = None,
    model: bytes | None = None,
    silence_s: float | None = None,
    keep_raw: bool = False,
) -> Iterator[Link]:
    """Reach a board by the name of its kind; the emulated one is built and started first.

    Args:
        target: a key of `TARGETS`.
        port: serial port or URL of pyserial's; None for the only one with hardware behind it.
        rpc: URL for commands; None for the target's.
        model: the .tflite file to emulate.
        silence_s: after so much silence the board is given up; None for the target's.
        keep_raw: see `open_link`.

    Raises:
        UnknownNameError: no such target.
        UsageError: the port or the model is missing.
        DeviceError: no board answers.
        MissingDependencyError: the emulator or the cross compiler is not installed.
    """
    if target not in TARGETS:
        raise UnknownNameError("target", target, TARGETS)
    chosen = TARGETS[target]
    patience = silence_s or chosen.silence_s
    if chosen.has_port:
        found = port or _only_port()
        # Over a socket both directions work: what is at its other end is no USB of the board's own.
        url = rpc or (None if "://" in found else chosen.rpc)
        with open_link(found, rpc=url, silence_s=patience, keep_raw=keep_raw) as link:
            yield link
        return
    if model is None:
        raise UsageError("The emulated board needs a network.", "Give --run or --model.")
    from tinytracker.emulate import emulated_board

    with (
        emulated_board(model) as board,
        open_link(board.port, silence_s=patience, keep_raw=keep_raw) as link,
    ):
        yield link


def _only_port() -> str:
    ports = known_ports()
    if len(ports) == 1:
        return ports[0]
    said = (
        f"Ports with hardware: {', '.join(ports)}."
        if ports
        else "None has hardware behind it: is the board plugged in?"
    )
    raise UsageError("Which serial port is the board on?", f"Give --port. {said}")
