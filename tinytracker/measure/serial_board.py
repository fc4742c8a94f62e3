"""A board on a serial port that speaks docs/protocol.md."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tinytracker.errors import UsageError
from tinytracker.measure.gate import require_little
from tinytracker.measure.link import Link, open_link
from tinytracker.measure.opening import Request
from tinytracker.measure.transport import known_ports
from tinytracker.targets import Target


@contextmanager
def open_source(target: Target, request: Request) -> Iterator[Link]:
    """The board on the port that is named, or on the only one with hardware behind it.

    Raises:
        UsageError: there are several ports, or none.
        DeviceError: no board answers, or its firmware has no gate and thresholds were named.
        ModelError: another network than the named one looks first on the board.
    """
    port = request.port or _only_port()
    # Over a socket both directions work: the other end is not the board's own USB.
    rpc = request.rpc or (None if "://" in port else target.rpc or None)
    with open_link(port, rpc=rpc, silence_s=request.patience_s(target), keep_raw=request.keep_raw) as link:
        _set_gate(link, request)
        yield link


def _set_gate(link: Link, request: Request) -> None:
    """Set the thresholds that were named, after comparing Little with the board's.

    Raises:
        DeviceError: the firmware has no gate.
        ModelError: another network looks first on the board.
    """
    gate = link.board.gate
    if gate is not None and request.little is not None:
        require_little(gate, request.little)
    if request.cascade is not None:
        link.set_thresholds(
            request.cascade.thresholds(little=gate is not None and gate.little_sha256 is not None)
        )


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
