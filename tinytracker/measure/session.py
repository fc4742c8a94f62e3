"""Writing a session: everything that was measured, raw, one JSON document a line (docs/measurement.md).

Lines are written whole, so a session that was cut off anywhere (Ctrl-C, kill, a pulled cable) can be read up to there.
"""

from __future__ import annotations

import errno
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from tinytracker import __version__
from tinytracker.documents import Versioned
from tinytracker.errors import OutputError
from tinytracker.files import StrPath, json_bytes, make_folder, writing
from tinytracker.measure import host_clock
from tinytracker.measure.marks import Mark
from tinytracker.measure.stretches import Stretch
from tinytracker.targets import TARGETS

SCHEMA_VERSION = 1
SOURCES = ("hardware", "emulated", "replay")
LEAST_TICKS_PER_S, MOST_TICKS_PER_S = 1.0, 1e12
"""From a tick a second to one a picosecond: what counts slower or faster is not a clock, and µs are divided by it."""
_SYNC_INTERVAL_S = 1.0

STAMPS_ARE_HOST, RUNS_BETWEEN_FRAMES, IS_EXACT = "stamps_are_host", "runs_between_frames", "is_exact"
"""Fields of a header's board, see `tinytracker.measure.board`; missing in older sessions."""

EndReason = Literal["done", "stopped", "unplugged", "failed"]


class Header(Versioned):
    """First line of a session: what was measured, on which board, with which tools.

    Attributes:
        source: "hardware", or "emulated" when no real time passed, or "replay" of an earlier session.
        board: name, build, protocol and everything else the board says about itself.
        model: sha256 of the .tflite file, and its name when known.
        phases: names in order; a frame has one time stamp more.
        ticks_per_s: of the time stamps, 1 to 1e12.
        clock: "device", or "emulated" when stamps are counted instructions.
        inputs, outputs: tensor metadata as the board says it.
        warmup: first frames that do not count.
        burst: inferences in each frame's inference phase, back to back.
        host: of the computer: unix_ns and monotonic_ns of one instant, platform, versions, and the name of the `clock`
            that monotonic_ns and all host times are read from (CLOCK_MONOTONIC in older sessions).
        created: ISO 8601, UTC.
        metadata: anything else worth keeping: meter, supply, ambient temperature, command line.
    """

    title: ClassVar[str] = "the header of a session"
    way_out: ClassVar[str] = "Measure again."
    newest: ClassVar[int] = SCHEMA_VERSION

    type: Literal["session"] = "session"
    schema_version: int = SCHEMA_VERSION
    source: Literal["hardware", "emulated", "replay"]
    board: dict[str, Any]
    model: dict[str, Any]
    phases: tuple[str, ...] = Field(min_length=1, max_length=32)
    ticks_per_s: float = Field(ge=LEAST_TICKS_PER_S, le=MOST_TICKS_PER_S)
    clock: Literal["device", "emulated"] = "device"
    inputs: tuple[dict[str, Any], ...] = ()
    outputs: tuple[dict[str, Any], ...] = ()
    warmup: int = Field(default=10, ge=0)
    burst: int = Field(default=1, ge=1)
    host: dict[str, Any] = Field(default_factory=dict)
    created: str = ""
    metadata: dict[str, Any] = Field(default_factory=dict)

    @field_validator("phases")
    @classmethod
    def _distinct(cls, phases: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(phases)) < len(phases) or not all(phases):
            raise ValueError("phases must have different names")
        return phases

    def as_json(self) -> dict[str, Any]:
        """The first line, with every field."""
        document: dict[str, Any] = self.model_dump(mode="json")
        return document

    @property
    def is_emulated(self) -> bool:
        """Whether the times are not those of hardware; must be stated wherever a number of this session is shown."""
        return self.source == "emulated" or self.clock == "emulated"

    @property
    def stamps_are_host(self) -> bool:
        """Whether the time stamps are on the host's clock already."""
        return self.board.get(STAMPS_ARE_HOST) is True

    @property
    def is_exact(self) -> bool:
        """Whether outputs that differ from the oracle's are a defect."""
        return self.board.get(IS_EXACT) is not False

    @property
    def runs_between_frames(self) -> bool:
        """Whether the board does the same between the frames as during them, so that it is never idle."""
        # Older sessions do not say; a board that loads a network from here has it in a camera.
        target = TARGETS.get(str(self.board.get("name")))
        return bool(self.board.get(RUNS_BETWEEN_FRAMES, target is not None and target.loads))


def host_description() -> dict[str, Any]:
    """This computer and this instant, for `Header.host`."""
    return {
        "unix_ns": time.time_ns(),
        "monotonic_ns": host_clock.now_ns(),
        "clock": host_clock.NAME,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "tinytracker": __version__,
    }


@contextmanager
def _keeping(path: Path) -> Iterator[None]:
    """As `writing`, for a file that is kept: running the same command again would find it there."""
    try:
        with writing(path):
            yield
    except OutputError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                path,
                "the disk is full",
                "What was measured until then is kept. Free some space, then measure again with another --out.",
            ) from error
        raise


class SessionWriter:
    """Appends lines to a session file; use it as a context manager.

    Each line is one write to a file opened for appending: after a kill the file ends with a whole line, or at worst
    with one that is visibly cut. What was written is flushed to the disk once a second, so that a loss of power costs
    one second.

    Attributes:
        frames, lost, damaged, exchanges: lines written so far, and frames in them.
    """

    def __init__(self, path: StrPath, header: Header) -> None:
        path = Path(path)
        self.path = path
        self.header = header
        self.frames = self.lost = self.damaged = self.exchanges = 0
        self._ended = False
        make_folder(path.parent)
        with writing(path):
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
                self._file = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)
            except FileExistsError:
                if path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)) from None
                raise OutputError(
                    path,
                    "a session exists already",
                    "Choose another --out; sessions are never overwritten.",
                ) from None
        self._synced = time.monotonic()
        self._put(header.as_json())
        self._sync()

    def __enter__(self) -> SessionWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, OutputError):
            self._close()  # nothing more can be written
        elif not self._ended:
            stopped = kind is not None and issubclass(kind, KeyboardInterrupt)
            self.end("stopped" if stopped else "done" if kind is None else "failed")

    def exchange(self, t1_ns: int, t2_ticks: int, t3_ticks: int, t4_ns: int) -> None:
        """A clock exchange: host sends, device receives, device answers, host receives."""
        self.exchanges += 1
        self._put({"type": "clock", "t": [t1_ns, t2_ticks, t3_ticks, t4_ns]})

    def frame(
        self,
        sequence: int,
        stamps: Sequence[int],
        outputs: bytes,
        host_ns: int,
        extra: Mapping[str, float | int | str] | None = None,
    ) -> None:
        """A frame: its number, start of each phase and end of the last in ticks, raw outputs, arrival on the host."""
        if len(stamps) != len(self.header.phases) + 1:
            raise ValueError(f"{len(stamps)} stamps for {len(self.header.phases)} phases")
        self.frames += 1
        line: dict[str, Any] = {
            "type": "frame", "seq": sequence, "t": list(stamps), "out": outputs.hex(), "host_ns": host_ns,
        }  # fmt: skip
        self._put(line | {"extra": dict(extra)} if extra else line)

    def lose(self, count: int, after: int | None = None) -> None:
        """Records that did not arrive, after the frame `after`."""
        self.lost += count
        self._put({"type": "lost", "count": count, "after": after})

    def damage(self, reason: str, text: str, host_ns: int) -> None:
        """A record that arrived damaged, as it was."""
        self.damaged += 1
        self._put({"type": "damaged", "reason": reason, "text": text[:1000], "host_ns": host_ns})

    def pause(self, after: int | None = None) -> None:
        """The host makes the board wait after the frame `after`: the next frame's period has no meaning."""
        self._put({"type": "pause", "after": after})

    def mark(self, mark: Mark) -> None:
        """A step that the meter sees too."""
        self._put(
            {
                "type": "mark",
                "channel": mark.channel,
                "level": mark.level,
                "t": [mark.before_ns, mark.after_ns],
            }
        )

    def stretch(self, stretch: Stretch) -> None:
        """A time in which the device did one thing throughout."""
        self._put({"type": "stretch", "name": stretch.name, "t": [stretch.begin_ns, stretch.end_ns]})

    def gap(self, after: int | None, began_ns: int, ended_ns: int) -> None:
        """The board was disconnected after the frame `after`, and is back. Numbers and clock may have restarted."""
        self._put({"type": "gap", "after": after, "t": [began_ns, ended_ns]})

    def raw(self, direction: Literal["sent", "received"], data: bytes, host_ns: int) -> None:
        """What went over the line, so that it can be parsed again; one character per byte."""
        self._put({"type": direction, "text": data.decode("latin-1"), "host_ns": host_ns})

    def note(self, text: str) -> None:
        """A remark, in a sentence."""
        self._put({"type": "note", "text": text, "host_ns": host_clock.now_ns()})

    def end(self, reason: EndReason) -> None:
        """The last line. "done": as many frames as requested; "stopped": by the user; "unplugged"; "failed"."""
        self._put(
            {"type": "end", "reason": reason, "frames": self.frames, "lost": self.lost, "damaged": self.damaged,
             "exchanges": self.exchanges, "host_ns": host_clock.now_ns()}
        )  # fmt: skip
        self._ended = True
        self._sync()
        self._close()

    def _close(self) -> None:
        self._ended = True
        with writing(self.path):
            os.close(self._file)

    def _put(self, line: dict[str, Any]) -> None:
        data = json_bytes(line)
        with _keeping(self.path):
            # A full disk accepts a part: the rest must follow, or fail, before the next line.
            while data:
                data = data[os.write(self._file, data) :]
        if time.monotonic() - self._synced > _SYNC_INTERVAL_S:
            self._sync()

    def _sync(self) -> None:
        with _keeping(self.path):
            os.fsync(self._file)
        self._synced = time.monotonic()
