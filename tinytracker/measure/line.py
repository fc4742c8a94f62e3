"""One serial line: commands out, events in, and what went over it, byte by byte."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from tinytracker.errors import DeviceError
from tinytracker.measure.frame import RawBytes
from tinytracker.measure.host_clock import now_ns
from tinytracker.measure.protocol import ClockReply, Event, Ready, Receiver, Started
from tinytracker.measure.transport import Transport

_POLL_S = 0.5
_NUMBERS = 1 << 32
_RAW_BYTES = 1 << 16
"""Pieces of a line are kept up to this size plus one more read, so that no line of a session grows without end."""


class Line:
    """A transport with the reader of the protocol behind it.

    Attributes:
        transport: what carries bytes; `replace` puts another in its place.
        receiver: makes events of bytes.
        silence_s: timeout for a board that sends nothing.
        unanswered: events that came before the last answer that was waited for in vain.
    """

    def __init__(self, transport: Transport, silence_s: float, keep_raw: bool) -> None:
        self.transport = transport
        self.receiver = Receiver()
        self.silence_s = silence_s
        self.unanswered: list[Event] = []
        self._pending: deque[Event] = deque()  # received, and not taken yet by who was interrupted
        self._number = time.time_ns() // 1000 % _NUMBERS
        self._raw: list[RawBytes] | None = [] if keep_raw else None

    @property
    def name(self) -> str:
        """Of the port."""
        return self.transport.name

    def replace(self, transport: Transport) -> None:
        """Go on with another transport, from a clean state."""
        self.transport = transport
        self.receiver = Receiver()
        self._pending.clear()

    def take_raw(self) -> list[RawBytes]:
        """What went over the line since the last call; empty unless the line keeps it."""
        if self._raw is None:
            return []
        taken, self._raw = self._raw, []
        return taken

    def next_number(self) -> int:
        """A number that was not used before, for `tt clock`."""
        self._number = (self._number + 1) % _NUMBERS
        return self._number

    def send(self, command: str) -> int:
        """Send; returns the host's time just before."""
        now = now_ns()
        if self._raw is not None:
            self._raw.append(RawBytes("sent", command.encode("ascii"), now))
        self.transport.send_command(command)
        return now

    def _receive(self, timeout_s: float) -> bool:
        """Put new events behind those that are pending; returns whether any are there."""
        if not self._pending:
            data = self.transport.read(timeout_s)
            now = now_ns()
            if data:
                if self._raw is not None:
                    self._keep(data, now)
                self._pending.extend(self.receiver.feed(data, now))
        return bool(self._pending)

    def _keep(self, data: bytes, now: int) -> None:
        """Record what arrived. Pieces of a line become one, with the time of the last: that is the line's time."""
        assert self._raw is not None
        before = self._raw[-1] if self._raw else None
        joins = before is not None and before.direction == "received" and b"\n" not in before.data
        if before is not None and joins and len(before.data) < _RAW_BYTES:
            self._raw[-1] = RawBytes("received", before.data + data, now)
        else:
            self._raw.append(RawBytes("received", data, now))

    def until_ready(self) -> Iterator[Event]:
        """Events up to the board's "m-ready".

        Raises:
            DeviceError: the board falls silent or restarts.
            UnpluggedError: it was disconnected.
        """
        heard = time.monotonic()
        while True:
            arrived = self._receive(min(_POLL_S, self.silence_s))
            now = time.monotonic()
            if arrived:
                heard = now
            elif now - heard > self.silence_s:
                raise DeviceError(
                    self.name, f"the board has sent nothing for {self.silence_s:g} s",
                    "Reset it; a network that takes longer needs a larger --silence.",
                )  # fmt: skip
            while self._pending:
                event = self._pending.popleft()
                if isinstance(event, Started):
                    raise DeviceError(
                        self.name,
                        "the board has restarted",
                        "Check that its supply is strong enough, and measure again.",
                    )
                if isinstance(event, Ready):
                    self._pending.clear()
                    return
                yield event
                heard = time.monotonic()  # the caller may have sent an image meanwhile, for many seconds

    def until_number(self, number: int, seconds: float) -> list[Event] | None:
        """Read until the answer to `tt clock NUMBER` and the "m-ready" behind it; what came before, or None."""
        before: list[Event] = []
        end = time.monotonic() + seconds
        found = False
        while (left := end - time.monotonic()) > 0:
            self._receive(min(_POLL_S, left))
            while self._pending:
                event = self._pending.popleft()
                found = found or (isinstance(event, ClockReply) and event.number == number)
                if found and isinstance(event, Ready):
                    self._pending.clear()
                    return before
                before.append(event)
        self.unanswered = before
        return None
