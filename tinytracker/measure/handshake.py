"""Finding a board at the other end of a line, in whatever state it is in, and having it describe itself."""

from __future__ import annotations

from tinytracker.errors import DeviceError
from tinytracker.measure.board import Board, parse_hello
from tinytracker.measure.line import Line
from tinytracker.measure.protocol import Complaint, Message

_CONNECT_TRIES = 5
_CONNECT_TRY_S = 3.0  # the board discards an unfinished image after 2 s
_HELLO_TRIES = 5

# Spresense starts into a shell; the first return ends what our own first commands have left there.
_SHELL = "nsh>"
_RETURN = b"\r"  # a shell shows its prompt; the protocol ignores it
_SHELL_START = b"\rtinytracker\r"


def synchronize(line: Line) -> None:
    """Bring the board to where it waits for a command, whatever it was doing.

    Raises:
        DeviceError: no board answers.
        UnpluggedError: it was disconnected.
    """
    for _ in range(_CONNECT_TRIES):
        number = line.next_number()
        line.send("")  # ends half a command, and frames that run
        line.send(f"tt clock {number}")
        if line.until_number(number, _CONNECT_TRY_S) is not None:
            return
        said = [getattr(event, "text", "") for event in line.unanswered]
        at_shell = any(_SHELL in text for text in [*said, line.receiver.unfinished])
        line.transport.send_bytes(_SHELL_START if at_shell else _RETURN)
    complaints = [event for event in line.unanswered if isinstance(event, Complaint)]
    if complaints:
        raise DeviceError(line.name, f"the board says: {complaints[-1].text}")
    heard = "something other than the protocol" if line.unanswered else "nothing"
    raise DeviceError(
        line.name, f"no board answers on this port; received: {heard}",
        "Check that the port is right and that the board runs the firmware (docs/protocol.md).",
    )  # fmt: skip


def describe(line: Line) -> Board:
    """Return the board's description, once the same one has arrived twice: its lines have no checksum.

    Raises:
        DeviceError: it is incomplete, or differs each time.
        UnpluggedError: the board was disconnected.
    """
    before: list[Message] | None = None
    problem = "its answers differ each time"
    for _ in range(_HELLO_TRIES):
        line.send("tt hello")
        messages = [event for event in line.until_ready() if isinstance(event, Message)]
        if messages == before:
            try:
                return parse_hello(messages)
            except ValueError as error:
                problem = str(error)
                break
        before = messages
    raise DeviceError(
        line.name, f"the board does not describe itself properly: {problem}", "Flash its firmware again."
    )
