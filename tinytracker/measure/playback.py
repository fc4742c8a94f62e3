"""Parse the bytes of a recorded session again: every test run parses what real boards have sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinytracker.errors import InputFileError
from tinytracker.files import StrPath
from tinytracker.measure.board import Board, parse_hello
from tinytracker.measure.following import aim_numbers
from tinytracker.measure.gated import gate_numbers
from tinytracker.measure.protocol import ClockReply, Damaged, Event, FrameReply, Lost, Message, Receiver
from tinytracker.measure.session import Header, SessionWriter
from tinytracker.measure.session_reader import Session, read_raw, read_session
from tinytracker.words import counted


@dataclass(frozen=True)
class Replay:
    """The result of parsing a session's bytes with today's parser.

    Attributes:
        session: as it was recorded.
        board: description, or None when the bytes hold no complete one.
        events: frames, losses and damage in order.
        exchanges: as in the session.
        differences: in sentences; empty when everything recorded is found again.
    """

    session: Session
    board: Board | None
    events: tuple[FrameReply | Lost | Damaged, ...]
    exchanges: tuple[tuple[int, int, int, int], ...]
    differences: tuple[str, ...]

    @property
    def frames(self) -> tuple[FrameReply, ...]:
        """The frames among the events."""
        return tuple(event for event in self.events if isinstance(event, FrameReply))


def replay(path: Path | str) -> Replay:
    """Read a session's bytes again and compare.

    Raises:
        InputFileError: not a session, or one without bytes (of a camera that is not a serial device).
    """
    session = read_session(path)
    pieces = read_raw(path)
    if not pieces:
        raise InputFileError(path, "this session holds no received bytes to parse again")
    reader = _Reader(session.header)
    for direction, data, host_ns in pieces:
        if direction == "sent":
            reader.sent(data, host_ns)
        else:
            reader.received(data, host_ns)
    return Replay(
        session,
        reader.board,
        tuple(reader.events),
        tuple(reader.exchanges),
        tuple(_differences(session, reader)),
    )


def write_replay(found: Replay, out: StrPath) -> Path:
    """Write the parsed frames as a session of their own; its `source` is "replay".

    Returns:
        the file.

    Raises:
        OutputError: it cannot be written, or exists.
    """
    out = Path(out)
    header = found.session.header.model_copy(update={"source": "replay"})
    with SessionWriter(out, header) as writer:
        for exchange in found.exchanges:
            writer.exchange(*exchange)
        for event in found.events:
            if isinstance(event, FrameReply):
                numbers = aim_numbers(event.aim) | gate_numbers(event.gated, header.ticks_per_s)
                writer.frame(event.sequence, event.stamps, event.outputs, event.host_ns, numbers)
            elif isinstance(event, Lost):
                writer.lose(event.count, event.after)
            else:
                writer.damage(event.reason, event.text, event.host_ns)
    return out


class _Reader:
    """The receiving side of a link, fed from a recording."""

    def __init__(self, header: Header) -> None:
        self._receiver = Receiver(len(header.phases) + 1)
        self._asked: dict[int, int] = {}
        self._hello: list[Message] = []
        self.board: Board | None = None
        self.events: list[FrameReply | Lost | Damaged] = []
        self.exchanges: list[tuple[int, int, int, int]] = []

    def sent(self, data: bytes, host_ns: int) -> None:
        words = data.split()
        if words[:2] == [b"tt", b"frame"]:
            self._receiver.expect_frames()
        elif words[:2] == [b"tt", b"hello"]:
            self._hello = []
        elif words[:2] == [b"tt", b"clock"] and len(words) == 3 and words[2].isdigit():
            self._describe()
            self._asked[int(words[2])] = host_ns

    def received(self, data: bytes, host_ns: int) -> None:
        for event in self._receiver.feed(data, host_ns):
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, FrameReply | Lost | Damaged):
            self.events.append(event)
        elif isinstance(event, Message):
            self._hello.append(event)
        elif isinstance(event, ClockReply) and event.number in self._asked:
            self.exchanges.append((self._asked.pop(event.number), event.received, event.sent, event.host_ns))

    def _describe(self) -> None:
        if self.board is None and self._hello:
            try:
                self.board = parse_hello(self._hello)
            except ValueError:
                self.board = None


def _differences(session: Session, reader: _Reader) -> list[str]:
    said = []
    recorded = {
        (int(n), tuple(int(t) for t in stamps), outputs, int(at))
        for n, stamps, outputs, at in zip(
            session.sequence, session.stamps, session.outputs, session.host_ns, strict=True
        )
    }
    frames = {
        (f.sequence, f.stamps, f.outputs, f.host_ns) for f in reader.events if isinstance(f, FrameReply)
    }
    # Frames that arrive after Ctrl-C are in the bytes only, and so is the exchange that finds the board at first.
    if recorded - frames:
        said.append(
            f"When the bytes are parsed again, {counted(len(recorded - frames), 'recorded frame')} cannot be found."
        )
    if session.end == "done" and frames - recorded:
        said.append(f"Not recorded: {counted(len(frames - recorded), 'frame')} of the bytes.")
    exchanges = {tuple(int(t) for t in exchange) for exchange in session.exchanges}
    if exchanges - set(reader.exchanges):
        said.append(
            "When the bytes are parsed again, "
            f"{counted(len(exchanges - set(reader.exchanges)), 'clock exchange')} cannot be found."
        )
    if reader.board is None:
        said.append("The bytes hold no description of the board.")
    elif reader.board.model_sha256 != session.header.model.get("sha256"):
        said.append("The bytes describe a different network from the session's.")
    return said
