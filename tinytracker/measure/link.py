"""Talk to a board: ask for its description and its time, send images, run frames.

    with open_link("/dev/ttyACM0") as link:
        print(link.board.name, link.board.phases)
        for event in link.frames(100):
            if isinstance(event, Frame):
                print(event.gaze_cm)

Nothing here is specific to one board: each describes itself (docs/protocol.md).
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, TypeAlias

from tinytracker.errors import DeviceError, UsageError
from tinytracker.measure.board import Board, parse_hello
from tinytracker.measure.host_clock import now_ns
from tinytracker.measure.memory import MemorySpeed, parse_memory
from tinytracker.measure.protocol import (
    PROTOCOL_VERSION,
    ClockReply,
    Complaint,
    Damaged,
    Event,
    FrameReply,
    FramesDone,
    Lost,
    Message,
    Ready,
    Receiver,
    Started,
)
from tinytracker.measure.transport import (
    BAUD_RATE,
    SILENCE_S,
    Transport,
    open_transport,
    port_of,
    usb_number,
)

FRAMES_MAX = 1_000_000

_CONNECT_TRIES = 5
_CONNECT_TRY_S = 3.0  # the board discards an unfinished image after 2 s
_HELLO_TRIES = 5
_CLOCK_TRIES = 3
_POLL_S = 0.5
_STOP_S = 5.0
_NUMBERS = 1 << 32
_RAW_BYTES = 1 << 16
"""Pieces of a line are kept up to this size plus one more read, so that no line of a session grows without end."""

RECONNECT_S = 10.0
"""A USB board that was unplugged, or reset, comes back within this time."""

_RECONNECT_EVERY_S = 0.2

# Spresense starts into a shell; the first return ends what our own first commands have left there.
_SHELL = "nsh>"
_RETURN = b"\r"  # a shell shows its prompt; the protocol ignores it
_SHELL_START = b"\rtinytracker\r"


@dataclass(frozen=True)
class Frame:
    """A frame that arrived whole.

    Attributes:
        sequence: number since the board's start.
        stamps: start of each phase of `Board.phases` and end of the last, in ticks.
        outputs: raw outputs. gaze_cm: decoded, x to the right and y up from the camera in cm; None when the first
            output is not a pair. It is the network's own answer: the caller applies a person's correction, if any.
        host_ns: when it had arrived, `host_clock.now_ns()`.
        extra: further numbers by name; boards with a serial line have none.
    """

    sequence: int
    stamps: tuple[int, ...]
    outputs: bytes
    gaze_cm: tuple[float, float] | None
    host_ns: int
    extra: Mapping[str, float] | None = None


FrameEvent: TypeAlias = "Frame | Lost | Damaged"


@dataclass(frozen=True)
class Exchange:
    """A clock exchange: host sends, device receives, device answers (ticks), host receives (ns); see `clock`."""

    sent_ns: int
    received_ticks: int
    answered_ticks: int
    arrived_ns: int


@dataclass(frozen=True)
class RawBytes:
    """What went over the line in one piece: a command that was sent, or bytes that arrived."""

    direction: Literal["sent", "received"]
    data: bytes
    host_ns: int


class Link:
    """A board at the other end of a transport; `open_link` makes one.

    Attributes:
        board: what it says about itself.
        name: of the port.
    """

    board: Board

    def __init__(
        self,
        transport: Transport,
        *,
        silence_s: float = SILENCE_S,
        keep_raw: bool = False,
        reopen: Callable[[], Transport] | None = None,
    ) -> None:
        self._reopen = reopen
        self.name = transport.name
        self._transport = transport
        self._receiver = Receiver()
        self._silence_s = silence_s
        self._number = time.time_ns() // 1000 % _NUMBERS
        self._raw: list[RawBytes] | None = [] if keep_raw else None
        self._unanswered: list[Event] = []  # to the last `tt clock`

    def __enter__(self) -> Link:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the port."""
        self._transport.close()

    def connect(self) -> Board:
        """Find a board in whatever state it is in, and ask for its description.

        Raises:
            DeviceError: it does not answer, or speaks a newer protocol.
            UnpluggedError: it was disconnected.
        """
        self._synchronize()
        self.board = self._hello()
        if self.board.protocol > PROTOCOL_VERSION:
            raise DeviceError(
                self.name,
                f"the board speaks protocol version {self.board.protocol}; {PROTOCOL_VERSION} is the newest known",
                "Update tinytracker.",
            )
        self._receiver.stamps = len(self.board.phases) + 1
        return self.board

    def reconnect(self, seconds: float | None = None) -> bool:
        """Wait for a board that was disconnected; True when the same board with the same network is back.

        Args:
            seconds: to wait at most; None for `RECONNECT_S`.
        """
        if self._reopen is None:
            return False
        before = self.board
        self._transport.close()
        end = time.monotonic() + (RECONNECT_S if seconds is None else seconds)
        while time.monotonic() < end:
            time.sleep(_RECONNECT_EVERY_S)
            with suppress(DeviceError):
                self._transport = self._reopen()
                self._receiver = Receiver()
                self.connect()
                return self.board == before
        return False

    def take_raw(self) -> list[RawBytes]:
        """What went over the line since the last call; empty unless the link keeps it."""
        if self._raw is None:
            return []
        taken, self._raw = self._raw, []
        return taken

    def exchange(self) -> Exchange:
        """Ask the board's time.

        Raises:
            DeviceError: it does not answer.
        """
        for _ in range(_CLOCK_TRIES):
            number = self._next_number()
            sent = self._send(f"tt clock {number}")
            replies = [e for e in self._until_ready() if isinstance(e, ClockReply) and e.number == number]
            if replies and replies[0].sent >= replies[0].received:
                return Exchange(sent, replies[0].received, replies[0].sent, replies[0].host_ns)
        raise DeviceError(
            self.name, "the board does not answer `tt clock`", "Look at its output in a terminal."
        )

    def load(self, image: bytes) -> None:
        """Send the inputs of the next frames, packed as the network stores them.

        Raises:
            UsageError: their size is not that of the network's inputs.
            DeviceError: the board does not accept them.
        """
        if len(image) != self.board.input_bytes:
            raise UsageError(f"An image of {len(image)} bytes; the board takes {self.board.input_bytes}.")
        said = ""
        for _ in range(_CLOCK_TRIES):
            self._send(f"tt load {len(image)} {zlib.crc32(image):08x}")
            asked = False
            for event in self._until_ready():
                if isinstance(event, Message) and event.name == "send" and not asked:
                    asked = True
                    self._transport.send_bytes(image)
                elif isinstance(event, Message) and event.name == "loaded":
                    said = "loaded"
                elif isinstance(event, Complaint):
                    said = event.text
            if said == "loaded":
                return
        raise DeviceError(self.name, f"the board does not accept an image ({said or 'no answer'})")

    def frames(self, count: int) -> Generator[FrameEvent, None, None]:
        """Run `count` frames; yields each as it arrives, and what was lost or damaged.

        A caller that stops early, or is stopped, ends them on the board too.

        Raises:
            UsageError: `count` is not 1 to 1,000,000.
            DeviceError: the board reports an error, falls silent or restarts.
            UnpluggedError: it was disconnected.
        """
        if not 1 <= count <= FRAMES_MAX:
            raise UsageError(f"{count} frames are out of range, 1 to {FRAMES_MAX:,}.")
        self._receiver.expect_frames()
        self._send(f"tt frame {count}")
        done = False
        try:
            for event in self._until_ready():
                if isinstance(event, FrameReply):
                    yield Frame(
                        event.sequence,
                        event.stamps,
                        event.outputs,
                        self.board.gaze_cm(event.outputs),
                        event.host_ns,
                    )
                elif isinstance(event, Lost | Damaged):
                    yield event
                elif isinstance(event, FramesDone):
                    done = True
                elif isinstance(event, Complaint):
                    raise DeviceError(self.name, f"the board says: {event.text}")
            done = True
        except DeviceError:
            done = True
            raise
        finally:
            if not done:
                self.stop()

    def bursts(self, count: int, inferences: int) -> Generator[FrameEvent, None, None]:
        """Run `count` frames with so many inferences back to back in each; see `frames`.

        Raises:
            UsageError: a number is not 1 to 1,000,000.
            DeviceError: the board's firmware does not support it; or as in `frames`.
        """
        if not 1 <= inferences <= FRAMES_MAX:
            raise UsageError(f"{inferences} inferences per frame are out of range, 1 to {FRAMES_MAX:,}.")
        self._send(f"tt burst {inferences}")
        answer = [e for e in self._until_ready() if isinstance(e, Message) and e.name == "burst"]
        if not answer or answer[-1].value != str(inferences):
            raise DeviceError(self.name, "the board does not run bursts", "Flash its firmware again.")
        yield from self.frames(count)

    def bench_memory(self) -> list[MemorySpeed]:
        """Measure how fast the board reads data from each place of its memory.

        Raises:
            DeviceError: the board's firmware does not support it, or its answers arrive damaged.
        """
        self._send("tt bench memory")
        said = [e.value for e in self._until_ready() if isinstance(e, Message) and e.name == "memory"]
        try:
            found = [parse_memory(value) for value in said]
        except ValueError as error:
            raise DeviceError(self.name, f"an answer to `tt bench memory` is damaged: {error}") from None
        if not found:
            raise DeviceError(
                self.name, "the board does not answer `tt bench memory`", "Flash its firmware again."
            )
        return found

    def stop(self) -> None:
        """End frames that are running; what still arrives is discarded. Never fails: the board may be disconnected."""
        with suppress(DeviceError):
            self._send("tt stop")
            number = self._next_number()
            self._send(f"tt clock {number}")
            self._until_number(number, _STOP_S)
        self._receiver.in_frames = False

    # What goes over the line.

    def _next_number(self) -> int:
        self._number = (self._number + 1) % _NUMBERS
        return self._number

    def _send(self, command: str) -> int:
        """Send; returns the host's time just before."""
        now = now_ns()
        if self._raw is not None:
            self._raw.append(RawBytes("sent", command.encode("ascii"), now))
        self._transport.send_command(command)
        return now

    def _receive(self, timeout_s: float) -> list[Event]:
        data = self._transport.read(timeout_s)
        now = now_ns()
        if not data:
            return []
        if self._raw is not None:
            self._keep(data, now)
        return self._receiver.feed(data, now)

    def _keep(self, data: bytes, now: int) -> None:
        """Record what arrived. Pieces of a line become one, with the time of the last: that is the line's time."""
        assert self._raw is not None
        before = self._raw[-1] if self._raw else None
        joins = before is not None and before.direction == "received" and b"\n" not in before.data
        if before is not None and joins and len(before.data) < _RAW_BYTES:
            self._raw[-1] = RawBytes("received", before.data + data, now)
        else:
            self._raw.append(RawBytes("received", data, now))

    def _until_ready(self) -> Iterator[Event]:
        """Events up to the board's "m-ready"."""
        heard = time.monotonic()
        while True:
            events = self._receive(min(_POLL_S, self._silence_s))
            now = time.monotonic()
            if events:
                heard = now
            elif now - heard > self._silence_s:
                raise DeviceError(
                    self.name, f"the board has sent nothing for {self._silence_s:g} s",
                    "Reset it; a network that takes longer needs a larger --silence.",
                )  # fmt: skip
            for event in events:
                if isinstance(event, Started):
                    raise DeviceError(
                        self.name,
                        "the board has restarted",
                        "Check that its supply is strong enough, and measure again.",
                    )
                if isinstance(event, Ready):
                    return
                yield event

    def _until_number(self, number: int, seconds: float) -> list[Event] | None:
        """Read until the answer to `tt clock NUMBER` and the "m-ready" behind it; what came before, or None."""
        before: list[Event] = []
        end = time.monotonic() + seconds
        found = False
        while (left := end - time.monotonic()) > 0:
            for event in self._receive(min(_POLL_S, left)):
                found = found or (isinstance(event, ClockReply) and event.number == number)
                if found and isinstance(event, Ready):
                    return before
                before.append(event)
        self._unanswered = before
        return None

    def _synchronize(self) -> None:
        """Bring the board to where it waits for a command, whatever it was doing."""
        for _ in range(_CONNECT_TRIES):
            number = self._next_number()
            self._send("")  # ends half a command, and frames that run
            self._send(f"tt clock {number}")
            if self._until_number(number, _CONNECT_TRY_S) is not None:
                return
            said = [getattr(event, "text", "") for event in self._unanswered]
            at_shell = any(_SHELL in text for text in [*said, self._receiver.unfinished])
            self._transport.send_bytes(_SHELL_START if at_shell else _RETURN)
        complaints = [event for event in self._unanswered if isinstance(event, Complaint)]
        if complaints:
            raise DeviceError(self.name, f"the board says: {complaints[-1].text}")
        heard = "something other than the protocol" if self._unanswered else "nothing"
        raise DeviceError(
            self.name, f"no board answers on this port; received: {heard}",
            "Check that the port is right and that the board runs the firmware (docs/protocol.md).",
        )  # fmt: skip

    def _hello(self) -> Board:
        """The description, once the same one has arrived twice: its lines have no checksum."""
        before: list[Message] | None = None
        problem = "its answers differ each time"
        for _ in range(_HELLO_TRIES):
            self._send("tt hello")
            messages = [event for event in self._until_ready() if isinstance(event, Message)]
            if messages == before:
                try:
                    return parse_hello(messages)
                except ValueError as error:
                    problem = str(error)
                    break
            before = messages
        raise DeviceError(
            self.name, f"the board does not describe itself properly: {problem}", "Flash its firmware again."
        )


@contextmanager
def open_link(
    port: str, *, rpc: str | None = None, baud_rate: int = BAUD_RATE, silence_s: float = SILENCE_S,
    keep_raw: bool = False,
) -> Iterator[Link]:  # fmt: skip
    """Open a port, find the board and ask for its description.

    Args:
        port: serial port, pty, or a URL of pyserial's (`socket://HOST:PORT`).
        rpc: URL of the JSON-RPC server that takes commands, when the port cannot (Coral Dev Board Micro).
        baud_rate: of a real serial line.
        silence_s: timeout for a board that sends nothing, or accepts nothing.
        keep_raw: keep what goes over the line, for `Link.take_raw`.

    Raises:
        DeviceError: no board answers.
    """
    transport = open_transport(port, rpc=rpc, baud_rate=baud_rate, silence_s=silence_s)
    number = usb_number(port)

    def reopen() -> Transport:
        again = port_of(number) or port
        return open_transport(again, rpc=rpc, baud_rate=baud_rate, silence_s=silence_s)

    with Link(transport, silence_s=silence_s, keep_raw=keep_raw, reopen=reopen) as link:
        link.connect()
        yield link
