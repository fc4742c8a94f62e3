"""What a board says (docs/protocol.md), byte by byte into events; no input or output happens here.

A line can arrive cut, merged with the next, or with wrong bytes in it. `Receiver` never stops for that: it names the
damage, continues with the next line, and counts the records whose numbers are missing.
"""

from __future__ import annotations

import itertools
import re
import zlib
from dataclasses import dataclass
from typing import TypeAlias

PROTOCOL_VERSION = 3
"""Newest that is read. Boards with a gate speak version 3, others that aim their crop version 2, all others 1."""

LINE_BYTES_MAX = 1024
"""Boards send at most 256; a longer line has lost its end."""

_FRAME = b"m-tt-frame-["
_CLOCK = b"m-tt-clock-["
_STARTS = re.compile(rb"m-tt-|m-ready|m-init-done|(?<![a-z])e-\[")  # not the end of "m-tt-time-["
_MESSAGE = re.compile(rb"m-tt-([a-z]+)-\[(.*)\]", re.DOTALL)
_AIM = re.compile(rb"(-?\d{1,7}):(-?\d{1,7}):(\d{1,7}):(\d)")
_GATED = re.compile(rb"(\d):(\d{1,7}):(\d{1,10}):(\d{1,10}):(\d{1,10})")
_STATES = 3
_PATHS = 4
REGION_STEPS = 16
"""Positions and widths of regions are counted in 1/16 px."""

_EYES = 4
"""Bit of a record's state that says that there are eyes in the region."""
_NUMBER_LIMIT = 1 << 63


@dataclass(frozen=True)
class Ready:
    """`m-ready`: the board takes the next command."""


@dataclass(frozen=True)
class Started:
    """`m-init-done`: the board has just started."""


@dataclass(frozen=True)
class Message:
    """`m-tt-NAME-[VALUE]`, for example name "board"."""

    name: str
    value: str


@dataclass(frozen=True)
class Complaint:
    """`e-[text]`."""

    text: str


@dataclass(frozen=True)
class ClockReply:
    """Answer to `tt clock`: its number, and device times in ticks. `host_ns`: when it had arrived."""

    number: int
    received: int
    sent: int
    host_ns: int


@dataclass(frozen=True)
class Aimed:
    """Which region of the whole frame a network saw, and what its aim made of it.

    Attributes:
        x, y: centre of the region, 1/16 px of the whole frame.
        width: of the region, 1/16 px.
        state: of the controller after this frame, a `tinytracker.aim.controller.State`.
        has_eyes: whether the region held eyes where the network expects them; without them there is no gaze.
    """

    x: int
    y: int
    width: int
    state: int
    has_eyes: bool


@dataclass(frozen=True)
class Gated:
    """What a board's gate did with a frame.

    Attributes:
        path: 0 the last answer was kept, 1 only Little ran, 2 the network ran, 3 nobody is there, so that the frame
            was not looked at (`tinytracker.measure.gate.PATH_NAMES`).
        answered_width: of the region that the outputs are to, 1/16 px; 0 before the first. An answer that was kept
            is to another region than that of its frame.
        gate_ticks: of the gate with its strip. little_ticks, big_ticks: of the networks, without cutting their inputs.
    """

    path: int
    answered_width: int
    gate_ticks: int
    little_ticks: int
    big_ticks: int


@dataclass(frozen=True)
class FrameReply:
    """One frame's record.

    Attributes:
        sequence: number since the board's start.
        stamps: start of each phase and end of the last, ticks, not falling.
        outputs: raw outputs, packed as the network stores them.
        host_ns: when the record had arrived, `host_clock.now_ns()`.
        aim: where the board had aimed; None for a frame that it did not cut by itself.
        gated: what its gate did; None for a board without one, and for a frame that did not go through it.
    """

    sequence: int
    stamps: tuple[int, ...]
    outputs: bytes
    host_ns: int
    aim: Aimed | None = None
    gated: Gated | None = None


@dataclass(frozen=True)
class Lost:
    """Records that did not arrive, after the frame `after` (None: before the first)."""

    count: int
    after: int | None


@dataclass(frozen=True)
class Damaged:
    """A line that arrived damaged, as it was (bytes beyond ASCII escaped)."""

    reason: str
    text: str
    host_ns: int


@dataclass(frozen=True)
class FramesDone:
    """`m-tt-frames-[N]`: the end of `tt frame`; N records were sent."""

    count: int


@dataclass(frozen=True)
class Other:
    """A line outside the protocol's `tt` part: one of the board's own log lines, a shell prompt."""

    text: str


Event: TypeAlias = (
    "Ready | Started | Message | Complaint | ClockReply | FrameReply | Lost | Damaged | FramesDone | Other"
)


def as_text(line: bytes) -> str:
    """Bytes of a line, for display and JSON: what is not printable ASCII is escaped."""
    return line.decode("ascii", "backslashreplace").encode("unicode_escape").decode("ascii")


class Receiver:
    """Bytes in, events out.

    Attributes:
        stamps: time stamps that a record must have, phases + 1; None to take any number.
        in_frames: `tt frame` is running: lines outside the protocol count as damage then.
    """

    def __init__(self, stamps: int | None = None) -> None:
        self.stamps = stamps
        self.in_frames = False
        self._rest = b""
        self._too_long = False
        self._last: int | None = None
        self._announced = 0  # lost after the last frame, already reported
        self._since_command = 0

    def expect_frames(self) -> None:
        """`tt frame` is being sent: count its records."""
        self.in_frames = True
        self._since_command = 0

    @property
    def unfinished(self) -> str:
        """The part of an unfinished line that has arrived: a shell's prompt, for example."""
        return as_text(self._rest)

    def feed(self, data: bytes, host_ns: int) -> list[Event]:
        """Take what has just arrived, at this time; the events that it completes."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        events: list[Event] = []
        for line in lines:
            if self._too_long:
                self._too_long = False  # the rest of it
                continue
            events += self._line(line.rstrip(b"\r"), host_ns)
        if len(self._rest) > LINE_BYTES_MAX:
            if not self._too_long:
                events.append(Damaged("no end of line", as_text(self._rest[:LINE_BYTES_MAX]), host_ns))
            self._rest, self._too_long = b"", True
        return events

    def _line(self, line: bytes, host_ns: int) -> list[Event]:
        # Where an end of line was lost, the last start of a message in the line begins a line of its own.
        starts = [found.start() for found in _STARTS.finditer(line)]
        if not starts:
            if not line:
                return []
            if self.in_frames:
                return [Damaged("not a line of the protocol", as_text(line), host_ns)]
            return [Other(as_text(line))]
        events: list[Event] = []
        last = starts[-1]
        if last > 0 and not line.startswith(b"e-["):
            events.append(Damaged("merged with the next line", as_text(line[:last]), host_ns))
            line = line[last:]
        return events + self._message(line, host_ns)

    def _message(self, line: bytes, host_ns: int) -> list[Event]:
        if line.startswith(_FRAME):
            reply = parse_frame(line, self.stamps, host_ns)
            return [reply] if isinstance(reply, Damaged) else self._counted(reply)
        if line.startswith(_CLOCK):
            return [parse_clock(line, host_ns)]
        if line == b"m-ready":
            return [Ready()]
        if line == b"m-init-done":
            self._last, self._announced = None, 0
            return [Started()]
        if line.startswith(b"e-["):
            return [Complaint(as_text(line[3:].removesuffix(b"]")))]
        found = _MESSAGE.fullmatch(line)
        if found is None:
            return [Damaged("not a whole message", as_text(line), host_ns)]
        if found[1] == b"frames":
            return self._done(found[2], line, host_ns)
        return [Message(found[1].decode("ascii"), as_text(found[2]))]

    def _counted(self, frame: FrameReply) -> list[Event]:
        """The frame, and the loss before it that its number shows."""
        events: list[Event] = []
        if self._last is not None and frame.sequence <= self._last:
            # Numbers only ever fall when the board has restarted, and its "m-init-done" was lost.
            events.append(Started())
        elif self._last is not None:
            missing = frame.sequence - self._last - 1 - self._announced
            if missing > 0:
                events.append(Lost(missing, self._last))
                self._since_command += missing
        self._last, self._announced = frame.sequence, 0
        self._since_command += 1
        return [*events, frame]

    def _done(self, digits: bytes, line: bytes, host_ns: int) -> list[Event]:
        count = _number(digits)
        if count is None:
            return [Damaged("not a number", as_text(line), host_ns)]
        events: list[Event] = []
        if self.in_frames and count > self._since_command:
            missing = count - self._since_command
            events.append(Lost(missing, self._last))
            self._announced = missing
        self.in_frames = False
        return [*events, FramesDone(count)]


def parse_frame(line: bytes, stamps: int | None, host_ns: int) -> FrameReply | Damaged:
    """A record whose checksum is right and whose every field is valid.

    Args:
        line: without its end.
        stamps: how many time stamps it must have; None for any number from 2 on.
        host_ns: when it had arrived.
    """
    body, _, crc = line[len(_FRAME) :].rpartition(b",")
    if line[-1:] != b"]" or not _same_crc(body, crc[:-1]):
        return Damaged("checksum", as_text(line), host_ns)
    fields = body.split(b",")
    aim = gated = None
    if fields[-1].count(b":") == _GATED.groups - 1:
        gated = _gated(fields.pop())
        if gated is None or b":" not in fields[-1]:
            return Damaged("not a gate", as_text(line), host_ns)
    if b":" in fields[-1]:
        aim = _aimed(fields.pop())
        if aim is None:
            return Damaged("not a region", as_text(line), host_ns)
    numbers = [_number(field) for field in fields[:-1]]
    times = tuple(n for n in numbers[1:] if n is not None)
    if not numbers or numbers[0] is None or len(times) != len(numbers) - 1:
        return Damaged("not a number", as_text(line), host_ns)
    if len(times) < 2 or (stamps is not None and len(times) != stamps):
        return Damaged(f"{len(times)} time stamps", as_text(line), host_ns)
    if any(a > b for a, b in itertools.pairwise(times)):
        return Damaged("time runs backwards", as_text(line), host_ns)
    try:
        outputs = bytes.fromhex(fields[-1].decode("ascii"))
    except ValueError:
        return Damaged("outputs are not hexadecimal", as_text(line), host_ns)
    return FrameReply(numbers[0], times, outputs, host_ns, aim, gated)


def _gated(field: bytes) -> Gated | None:
    """`PATH:WIDTH:GATE:LITTLE:BIG`, or None when it is something else."""
    found = _GATED.fullmatch(field)
    numbers = [] if found is None else [int(number) for number in found.groups()]
    return Gated(*numbers) if numbers and numbers[0] < _PATHS else None


def _aimed(field: bytes) -> Aimed | None:
    """`X:Y:WIDTH:STATE`, or None when it is something else."""
    found = _AIM.fullmatch(field)
    if found is None:
        return None
    x, y, width, bits = (int(number) for number in found.groups())
    state = bits % _EYES
    if width == 0 or state >= _STATES or bits >= 2 * _EYES:
        return None
    return Aimed(x, y, width, state, bits >= _EYES)


def parse_clock(line: bytes, host_ns: int) -> ClockReply | Damaged:
    """The answer to `tt clock`, its checksum verified."""
    body, _, crc = line[len(_CLOCK) :].rpartition(b",")
    if line[-1:] != b"]" or not _same_crc(body, crc[:-1]):
        return Damaged("checksum", as_text(line), host_ns)
    numbers = [_number(field) for field in body.split(b",")]
    if len(numbers) != 3 or numbers[0] is None or numbers[1] is None or numbers[2] is None:
        return Damaged("not three numbers", as_text(line), host_ns)
    return ClockReply(numbers[0], numbers[1], numbers[2], host_ns)


def _same_crc(body: bytes, digits: bytes) -> bool:
    return len(digits) == 8 and b"%08x" % zlib.crc32(body) == digits.lower()


def _number(digits: bytes) -> int | None:
    """An unsigned decimal below 2^63; Python's own rule would also take signs, spaces and underscores."""
    if not digits.isdigit() or len(digits) > 19:
        return None
    value = int(digits)
    return value if value < _NUMBER_LIMIT else None
