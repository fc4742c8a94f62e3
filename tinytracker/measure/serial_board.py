"""A board on a serial port that speaks docs/protocol.md."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tinytracker.errors import UsageError
from tinytracker.measure.link import Link, open_link
from tinytracker.measure.opening import Request
from tinytracker.measure.transport import known_ports
from tinytracker.targets import Target


@contextmanager
def open_source(target: Target, request: Request) -> Iterator[Link]:
    """The board on the port that is named, or on the only one with hardware behind it.

    Raises:
        UsageError: there are several ports, or none.
        DeviceError: no board answers.
    """
    port = request.port or _only_port()
    # Over a socket both directions work: the other end is not the board's own USB.
    rpc = request.rpc or (None if "://" in port else target.rpc or None)
    with open_link(port, rpc=rpc, silence_s=request.patience_s(target), keep_raw=request.keep_raw) as link:
        yield link


def _only_port() -> str:
    ports = known_ports()
    if len(ports) == 1:
        return ports[0]
    said = (
        f"Ports with hardware: {', '.join(ports)}."
        if ports
        else "No port has hardware behind it; check that the board is plugged in."
    )
    raise UsageError("The serial port of the board is not known.", f"Give --port. {said}")
