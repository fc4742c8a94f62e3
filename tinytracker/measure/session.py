"""The session: everything that was measured, raw, one JSON document a line (docs/measurement.md).

Lines are written whole, so a session that was cut off anywhere (Ctrl-C, kill, a pulled cable) can be read up to there.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tinytracker import __version__
from tinytracker.errors import InputFileError, OutputError
from tinytracker.files import json_bytes, make_folder, opened_for_reading, writing

SCHEMA_VERSION = 1
SOURCES = ("hardware", "emulated", "replay")
_SYNC_INTERVAL_S = 1.0
_MAX_LINE = 1 << 20
_NUMBERS_MAX = 1 << 63

EndReason = Literal["done", "stopped", "unplugged", "failed"]


class Header(BaseModel):
    """First line of a session: who measured what with what.

    Attributes:
        source: "hardware", or "emulated" when no real time passed, or "replay" of an earlier session.
        board: name, build, protocol and whatever else the board says about itself.
        model: sha256 of the .tflite file, and its name when known.
        phases: names in order; a frame has one time stamp more.
        ticks_per_s: of the time stamps.
        clock: "device", or "emulated" when stamps are counted instructions.
        inputs, outputs: tensor metadata as the board says it.
        warmup: first frames that do not count.
        host: of the computer: unix_ns and monotonic_ns of one instant, platform, versions.
        created: ISO 8601, UTC.
        metadata: anything else worth keeping: meter, supply, ambient temperature, command line.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Literal["session"] = "session"
    schema_version: int = SCHEMA_VERSION
    source: Literal["hardware", "emulated", "replay"]
    board: dict[str, Any]
    model: dict[str, Any]
    phases: tuple[str, ...] = Field(min_length=1, max_length=32)
    ticks_per_s: float = Field(gt=0, allow_inf_nan=False)
    clock: Literal["device", "emulated"] = "device"
    inputs: tuple[dict[str, Any], ...] = ()
    outputs: tuple[dict[str, Any], ...] = ()
    warmup: int = Field(default=10, ge=0)
    host: dict[str, Any] = Field(default_factory=dict)
    created: str = ""
    metadata: dict[str, Any] = Field(default_factory=dict)

    @field_validator("phases")
    @classmethod
    def _distinct(cls, phases: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(phases)) < len(phases) or not all(phases):
            raise ValueError("phases must have different names")
        return phases

    @property
    def is_emulated(self) -> bool:
        """Whether the times are not those of hardware; must be said wherever a number of this session is shown."""
        return self.source == "emulated" or self.clock == "emulated"


def host_description() -> dict[str, Any]:
    """This computer and this instant, for `Header.host`."""
    return {
        "unix_ns": time.time_ns(),
        "monotonic_ns": time.monotonic_ns(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "tinytracker": __version__,
    }


class SessionWriter:
    """Appends lines to a session file; use it as a context manager.

    Each line is one write to a file opened for appending: after a kill the file ends with a whole line, or at worst
    with one that is visibly cut. Once a second what was written is forced to the disk, so that a computer that loses
    power loses a second.

    Attributes:
        frames, lost, damaged, exchanges: lines written so far, and frames in them.
    """

    def __init__(self, path: Path, header: Header) -> None:
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
                raise OutputError(
                    path,
                    "there is a session already",
                    "Choose another --out; sessions are never overwritten.",
                ) from None
        self._synced = time.monotonic()
        self._put(header.model_dump(mode="json"))
        self._sync()

    def __enter__(self) -> SessionWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._ended:
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
        """Records that did not arrive, behind the frame `after`."""
        self.lost += count
        self._put({"type": "lost", "count": count, "after": after})

    def damage(self, reason: str, text: str, host_ns: int) -> None:
        """A record that arrived damaged, as it was."""
        self.damaged += 1
        self._put({"type": "damaged", "reason": reason, "text": text[:1000], "host_ns": host_ns})

    def pause(self, after: int | None = None) -> None:
        """The host makes the board wait behind the frame `after`: the next frame's period says nothing."""
        self._put({"type": "pause", "after": after})

    def raw(self, direction: Literal["sent", "received"], data: bytes, host_ns: int) -> None:
        """What went over the line, so that it can be read again; a character a byte."""
        self._put({"type": direction, "text": data.decode("latin-1"), "host_ns": host_ns})

    def note(self, text: str) -> None:
        """Something worth knowing, in a sentence."""
        self._put({"type": "note", "text": text, "host_ns": time.monotonic_ns()})

    def end(self, reason: EndReason) -> None:
        """The last line. "done": as many frames as asked; "stopped": by the user; "unplugged"; "failed"."""
        self._put(
            {"type": "end", "reason": reason, "frames": self.frames, "lost": self.lost, "damaged": self.damaged,
             "exchanges": self.exchanges, "host_ns": time.monotonic_ns()}
        )  # fmt: skip
        self._ended = True
        self._sync()
        with writing(self.path):
            os.close(self._file)

    def _put(self, line: dict[str, Any]) -> None:
        data = json_bytes(line)
        with writing(self.path):
            # A full disk takes a part: the rest must follow, or fail, before the next line.
            while data:
                data = data[os.write(self._file, data) :]
        if time.monotonic() - self._synced > _SYNC_INTERVAL_S:
            self._sync()

    def _sync(self) -> None:
        with writing(self.path):
            os.fsync(self._file)
        self._synced = time.monotonic()


@dataclass(frozen=True)
class Session:
    """What is in a session file, as far as it can be read.

    Attributes:
        path: the file. header: its first line.
        sequence: (N,) numbers of the frames. stamps: (N, P + 1) ticks. host_ns: (N,) arrival.
        outputs: N raw outputs.
        extra: numbers that came with each frame, (N,) float64 by name, NaN where a frame has none.
        exchanges: (M, 4), see `tinytracker.measure.clock`.
        resumed: (N,) true where the host had made the board wait before the frame.
        notes: what was noted while measuring.
        lost: frames whose numbers are missing. damaged: records that arrived damaged.
        end: why it ended, or None when there is no last line: it was cut off.
        problems: what is wrong with the file, in sentences.
    """

    path: Path
    header: Header
    sequence: NDArray[np.int64]
    stamps: NDArray[np.int64]
    host_ns: NDArray[np.int64]
    outputs: tuple[bytes, ...]
    extra: dict[str, NDArray[np.float64]]
    exchanges: NDArray[np.int64]
    resumed: NDArray[np.bool_]
    notes: tuple[str, ...]
    lost: int
    damaged: int
    end: str | None
    problems: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sequence)


@dataclass
class _Lines:
    """Raw content, while it is gathered."""

    sequence: list[int]
    stamps: list[list[int]]
    host_ns: list[int]
    outputs: list[bytes]
    extra: list[dict[str, float]]
    exchanges: list[list[int]]
    resumed: list[int]
    notes: list[str]
    announced_lost: int = 0
    damaged: int = 0
    end: str | None = None


def read_session(path: Path | str) -> Session:
    """Read a session. A damaged line costs that line and is reported; a file that was cut off is read up to there.

    Raises:
        InputFileError: missing, not a session, or written by a newer version.
    """
    path = Path(path)
    found = _Lines([], [], [], [], [], [], [], [])
    broken: list[int] = []
    cut = False
    with opened_for_reading(path, "`tinytracker measure` makes sessions.") as file:
        first = file.readline(_MAX_LINE)
        header = _header(path, first)
        number = 1
        while line := file.readline(_MAX_LINE):
            number += 1
            if not line.endswith(b"\n") and len(line) < _MAX_LINE:
                cut = True
                break
            if not _take(line, header, found):
                broken.append(number)
    problems = []
    if cut:
        problems.append("The last line was cut off and is left out.")
    if broken:
        shown = ", ".join(map(str, broken[:5])) + (", ..." if len(broken) > 5 else "")
        problems.append(f"{len(broken)} damaged lines are left out ({shown}).")
    if found.end is None:
        problems.append("There is no last line: the measurement was cut off.")
    sequence = np.array(found.sequence, np.int64)
    steps = np.diff(sequence)
    lost = int((steps[steps > 0] - 1).sum())
    if np.any(steps <= 0):
        problems.append(f"{int(np.count_nonzero(steps <= 0))} times the frame numbers do not ascend.")
    names = sorted({name for values in found.extra for name in values})
    return Session(
        path,
        header,
        sequence,
        np.array(found.stamps, np.int64).reshape(len(sequence), len(header.phases) + 1),
        np.array(found.host_ns, np.int64),
        tuple(found.outputs),
        {name: np.array([values.get(name, np.nan) for values in found.extra]) for name in names},
        np.array(found.exchanges, np.int64).reshape(-1, 4),
        np.isin(np.arange(len(sequence)), found.resumed),
        tuple(found.notes),
        max(lost, found.announced_lost),
        found.damaged,
        found.end,
        tuple(problems),
    )


def read_raw(path: Path | str) -> list[tuple[str, bytes, int]]:
    """What went over the line: ("sent" or "received", bytes, host's time in ns) in order; damaged lines are left out.

    Raises:
        InputFileError: missing, or cannot be read.
    """
    pieces = []
    with opened_for_reading(Path(path)) as file:
        while line := file.readline(_MAX_LINE):
            if not line.startswith((b'{"type": "sent"', b'{"type": "received"')):
                continue
            try:
                document = json.loads(line)
                pieces.append(
                    (document["type"], document["text"].encode("latin-1"), int(document["host_ns"]))
                )
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue
    return pieces


def _header(path: Path, line: bytes) -> Header:
    hint = "The first line of a session describes it; this file has another one."
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise InputFileError(path, "not a session", hint) from None
    if not isinstance(document, dict) or document.get("type") != "session":
        raise InputFileError(path, "not a session", hint)
    version = document.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InputFileError(path, f"the session's schema_version is {version!r}")
    if version > SCHEMA_VERSION:
        raise InputFileError(
            path,
            f"the session has schema version {version}, {SCHEMA_VERSION} is the newest known",
            "Update tinytracker.",
        )
    try:
        return Header.model_validate(document)
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(map(str, detail["loc"])) or "the header"
        raise InputFileError(path, f"the session's header is damaged: {where}: {detail['msg']}") from None


def _take(line: bytes, header: Header, found: _Lines) -> bool:
    """Add one line; False when it is damaged. Kinds of a later version are no damage."""
    try:
        document = json.loads(line)
        kind = document["type"]
        if kind == "frame":
            return _take_frame(document, header, found)
        if kind == "clock":
            exchange = document["t"]
            if not _integers(exchange, 4):
                return False
            found.exchanges.append(exchange)
        elif kind == "lost":
            if not _integers([document["count"]], 1) or document["count"] < 0:
                return False
            found.announced_lost += document["count"]
        elif kind == "damaged":
            found.damaged += 1
        elif kind == "pause":
            found.resumed.append(len(found.sequence))
        elif kind == "note":
            found.notes.append(str(document["text"]))
        elif kind == "end":
            found.end = str(document["reason"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return True


def _take_frame(document: dict[str, Any], header: Header, found: _Lines) -> bool:
    stamps, extra = document["t"], document.get("extra", {})
    outputs = bytes.fromhex(document["out"])
    rising = _integers(stamps, len(header.phases) + 1) and all(a <= b for a, b in itertools.pairwise(stamps))
    if not rising or not _integers([document["seq"], document["host_ns"]], 2) or not isinstance(extra, dict):
        return False
    found.sequence.append(document["seq"])
    found.stamps.append(stamps)
    found.host_ns.append(document["host_ns"])
    found.outputs.append(outputs)
    found.extra.append(
        {k: float(v) for k, v in extra.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    )
    return True


def _integers(values: Any, count: int) -> bool:
    """Whether this is a list of so many integers that fit into 64 bits."""
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(v, int) and not isinstance(v, bool) and abs(v) < _NUMBERS_MAX for v in values)
    )
