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
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from tinytracker.cascade.thresholds import Thresholds
from tinytracker.errors import DeviceError, UsageError
from tinytracker.measure.board import Board
from tinytracker.measure.frame import Exchange, Frame, FrameEvent, RawBytes
from tinytracker.measure.handshake import describe, synchronize
from tinytracker.measure.inputs import join_inputs
from tinytracker.measure.line import Line
from tinytracker.measure.memory import MemorySpeed, parse_memory
from tinytracker.measure.protocol import (
    PROTOCOL_VERSION,
    ClockReply,
    Complaint,
    Damaged,
    FrameReply,
    FramesDone,
    Lost,
    Message,
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

_TRIES = 3
_STOP_S = 5.0

RECONNECT_S = 10.0
"""A USB board that was unplugged, or reset, comes back within this time."""

_RECONNECT_EVERY_S = 0.2


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
        self._line = Line(transport, silence_s, keep_raw)
        self._late: list[FrameEvent] = []
        self._thresholds: Thresholds | None = None  # that the host has set

    def __enter__(self) -> Link:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the port."""
        self._line.transport.close()

    def connect(self) -> Board:
        """Find a board in whatever state it is in, and ask for its description.

        Raises:
            DeviceError: it does not answer, or speaks a newer protocol.
            UnpluggedError: it was disconnected.
        """
        synchronize(self._line)
        self.board = describe(self._line)
        if self.board.protocol > PROTOCOL_VERSION:
            raise DeviceError(
                self.name,
                f"the board speaks protocol version {self.board.protocol}; {PROTOCOL_VERSION} is the newest known",
                "Update tinytracker.",
            )
        self._line.receiver.stamps = len(self.board.phases) + 1
        return self.board

    def reconnect(self, seconds: float | None = None) -> bool:
        """Wait for a board that was disconnected; True when the same board with the same network is back.

        Args:
            seconds: to wait at most; None for `RECONNECT_S`.
        """
        if self._reopen is None:
            return False
        before = self.board
        self._line.transport.close()
        end = time.monotonic() + (RECONNECT_S if seconds is None else seconds)
        while time.monotonic() < end:
            time.sleep(_RECONNECT_EVERY_S)
            with suppress(DeviceError):
                self._line.replace(self._reopen())
                self.connect()
                if self._thresholds is not None:
                    self.set_thresholds(self._thresholds)
                return self.board == before
        return False

    def take_raw(self) -> list[RawBytes]:
        """What went over the line since the last call; empty unless the link keeps it."""
        return self._line.take_raw()

    def exchange(self) -> Exchange:
        """Ask the board's time.

        Raises:
            DeviceError: it does not answer.
        """
        for _ in range(_TRIES):
            number = self._line.next_number()
            sent = self._line.send(f"tt clock {number}")
            replies = [
                e for e in self._line.until_ready() if isinstance(e, ClockReply) and e.number == number
            ]
            if replies and replies[0].sent >= replies[0].received:
                return Exchange(sent, replies[0].received, replies[0].sent, replies[0].host_ns)
        raise DeviceError(
            self.name, "the board does not answer `tt clock`", "Look at its output in a terminal."
        )

    def load(self, image: bytes) -> None:
        """Send the inputs of the next frames, packed as the network stores them; or the whole frame that they see.

        Args:
            image: the inputs or, for a board that `takes_frames`, a frame of `frame_px`: RGB or grey, row after row.

        Raises:
            UsageError: it has another size.
            DeviceError: the board does not accept them.
        """
        if len(image) not in self.board.loads_bytes:
            takes = " or ".join(str(size) for size in self.board.loads_bytes)
            raise UsageError(f"An image of {len(image)} bytes; the board takes {takes}.")
        said = ""
        for _ in range(_TRIES):
            self._line.send(f"tt load {len(image)} {zlib.crc32(image):08x}")
            asked = False
            for event in self._line.until_ready():
                if isinstance(event, Message) and event.name == "send" and not asked:
                    asked = True
                    self._line.transport.send_bytes(image)
                elif isinstance(event, Message) and event.name == "loaded":
                    said = "loaded"
                elif isinstance(event, Complaint):
                    said = event.text
            if said == "loaded":
                return
        raise DeviceError(self.name, f"the board does not accept an image ({said or 'no answer'})")

    def search(self) -> None:
        """Let a board that aims forget where the eyes were, and search the next frames.

        Raises:
            DeviceError: it does not aim.
        """
        self._line.send("tt search")
        for event in self._line.until_ready():
            if isinstance(event, Complaint):
                raise DeviceError(self.name, f"the board says: {event.text}")

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Set the thresholds of the board's gate; a restart brings back those of its firmware.

        Raises:
            DeviceError: its firmware has no gate, or does not accept them.
        """
        if self.board.gate is None:
            raise DeviceError(
                self.name,
                "the firmware of this board has no cascade",
                "Package the network again with --cascade and flash it, or omit --cascade.",
            )
        for name, value in thresholds.numbers().items():
            self._line.send(f"tt cascade {name} {value}")
            for event in self._line.until_ready():
                if isinstance(event, Complaint):
                    raise DeviceError(self.name, f"the board says: {event.text}")
        board = describe(self._line)
        if board.gate is None or board.gate.thresholds != thresholds:
            raise DeviceError(self.name, "the board has not taken the thresholds of its gate", "Try again.")
        self.board, self._thresholds = board, thresholds

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
        self._line.receiver.expect_frames()
        self._line.send(f"tt frame {count}")
        done = False
        try:
            for event in self._line.until_ready():
                if isinstance(event, FrameReply | Lost | Damaged):
                    yield self._frame_event(event)
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
        self._line.send(f"tt burst {inferences}")
        answer = [e for e in self._line.until_ready() if isinstance(e, Message) and e.name == "burst"]
        if not answer or answer[-1].value != str(inferences):
            raise DeviceError(self.name, "the board does not run bursts", "Flash its firmware again.")
        yield from self.frames(count)

    def inputs(self) -> bytes:
        """Return what the network saw in the last frame: its packed inputs.

        Raises:
            DeviceError: there was no frame, the firmware does not support it, or the answer arrives damaged each time.
        """
        said = "no answer"
        for _ in range(_TRIES):
            self._line.send("tt inputs")
            parts = []
            for event in self._line.until_ready():
                if isinstance(event, Message) and event.name == "inputs":
                    parts.append(event.value)
                elif isinstance(event, Complaint):
                    said = event.text
            found = join_inputs(parts, self.board.input_bytes)
            if found is not None:
                return found
            said = "its answer arrived damaged" if parts else said
        raise DeviceError(
            self.name, f"the board does not send its inputs ({said})", "Flash its firmware again."
        )

    def bench_memory(self) -> list[MemorySpeed]:
        """Measure how fast the board reads data from each place of its memory.

        Raises:
            DeviceError: the board's firmware does not support it, or its answers arrive damaged.
        """
        self._line.send("tt bench memory")
        said = [e.value for e in self._line.until_ready() if isinstance(e, Message) and e.name == "memory"]
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
        """End frames that are running. Never fails: the board may be disconnected.

        Frames that still arrive, or had arrived and were not taken, are kept for `take_late`.
        """
        with suppress(DeviceError):
            self._line.send("tt stop")
            number = self._line.next_number()
            self._line.send(f"tt clock {number}")
            before = self._line.until_number(number, _STOP_S)
            events = self._line.unanswered if before is None else before
            self._late += [self._frame_event(e) for e in events if isinstance(e, FrameReply | Lost | Damaged)]
        self._line.receiver.in_frames = False

    def take_late(self) -> list[FrameEvent]:
        """What arrived behind the last `stop`, once."""
        late, self._late = self._late, []
        return late

    def _frame_event(self, event: FrameReply | Lost | Damaged) -> FrameEvent:
        if not isinstance(event, FrameReply):
            return event
        gaze = self.board.gaze_cm(event.outputs, event.aim, event.gated)
        return Frame(
            event.sequence,
            event.stamps,
            event.outputs,
            gaze,
            event.host_ns,
            aim=event.aim,
            gated=event.gated,
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
