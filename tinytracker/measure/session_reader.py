"""Reading a session back, as far as it can be read: see `tinytracker.measure.session`."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import InputFileError
from tinytracker.files import opened_for_reading
from tinytracker.measure.marks import CHANNELS, Mark
from tinytracker.measure.session import Header
from tinytracker.measure.stretches import Stretch
from tinytracker.words import counted

_MAX_LINE = 1 << 20
_NUMBERS_MAX = 1 << 63


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
        marks: steps that the meter sees too. stretches: baselines.
        gaps: where the board was disconnected: index of the first frame after it, and host's times, ns.
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
    marks: tuple[Mark, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    gaps: tuple[tuple[int, int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.sequence)


@dataclass
class _Lines:
    """Raw content, while it is gathered."""

    sequence: list[int] = field(default_factory=list)
    stamps: list[list[int]] = field(default_factory=list)
    host_ns: list[int] = field(default_factory=list)
    outputs: list[bytes] = field(default_factory=list)
    extra: list[dict[str, float]] = field(default_factory=list)
    exchanges: list[list[int]] = field(default_factory=list)
    resumed: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    gaps: list[tuple[int, int, int]] = field(default_factory=list)
    announced_lost: int = 0
    damaged: int = 0
    end: str | None = None


def read_session(path: Path | str) -> Session:
    """Read a session. A damaged line costs that line and is reported; a file that was cut off is read up to there.

    Raises:
        InputFileError: missing, not a session, or written by a newer version.

    Example:
        >>> from tinytracker.measure import read_session
        >>> read_session("session.jsonl").header.phases
        ('capture', 'preprocess', 'inference')
    """
    path = Path(path)
    found = _Lines()
    broken: list[int] = []
    cut = False
    with opened_for_reading(path, "`tinytracker measure` writes sessions.") as file:
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
    return _session(path, header, found, _problems(found, broken, cut))


def _problems(found: _Lines, broken: list[int], cut: bool) -> tuple[str, ...]:
    """What is wrong with a file, a sentence each; `broken` are numbers of lines."""
    problems = []
    if cut:
        problems.append("The last line was cut off and is skipped.")
    if broken:
        shown = ", ".join(map(str, broken[:5])) + (", ..." if len(broken) > 5 else "")
        problems.append(f"{counted(len(broken), 'damaged line')} skipped ({shown}).")
    if found.end is None:
        problems.append("The last line is missing: the measurement was cut off.")
    # A board that reconnected counts from 0 again: its first number after a gap may be lower.
    steps = np.diff(np.array(found.sequence, np.int64))
    falls = np.setdiff1d(np.flatnonzero(steps <= 0) + 1, [at for at, _, _ in found.gaps])
    if len(falls):
        problems.append(f"The frame numbers do not ascend, {counted(len(falls), 'time')}.")
    for at, began, ended in found.gaps:
        gone_s = (ended - began) / 1e9
        problems.append(f"The board was disconnected for {gone_s:.1f} s before frame {at} of the session.")
    return tuple(problems)


def _session(path: Path, header: Header, found: _Lines, problems: tuple[str, ...]) -> Session:
    """Lines as arrays."""
    sequence = np.array(found.sequence, np.int64)
    steps = np.diff(sequence)
    lost = int((steps[steps > 0] - 1).sum())
    names = sorted({name for values in found.extra for name in values})
    extra = {name: np.array([values.get(name, np.nan) for values in found.extra]) for name in names}
    return Session(
        path=path,
        header=header,
        sequence=sequence,
        stamps=np.array(found.stamps, np.int64).reshape(len(sequence), len(header.phases) + 1),
        host_ns=np.array(found.host_ns, np.int64),
        outputs=tuple(found.outputs),
        extra=extra,
        exchanges=np.array(found.exchanges, np.int64).reshape(-1, 4),
        resumed=np.isin(np.arange(len(sequence)), found.resumed),
        notes=tuple(found.notes),
        lost=max(lost, found.announced_lost),
        damaged=found.damaged,
        end=found.end,
        problems=problems,
        marks=tuple(found.marks),
        stretches=tuple(found.stretches),
        gaps=tuple(found.gaps),
    )


def read_raw(path: Path | str) -> list[tuple[str, bytes, int]]:
    """What went over the line: ("sent" or "received", bytes, host's time in ns) in order; damaged lines are skipped.

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
    hint = "The first line of a session describes it; this file begins with something else."
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise InputFileError(path, "not a session", hint) from None
    if not isinstance(document, dict) or document.get("type") != "session":
        raise InputFileError(path, "not a session", hint)
    return Header.parse(path, document)


def _take(line: bytes, header: Header, found: _Lines) -> bool:
    """Add one line; False when it is damaged. Kinds of a later version do not count as damage."""
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
        elif kind == "mark":
            before, after = document["t"]
            if not _integers([document["level"], before, after], 3) or document["channel"] not in CHANNELS:
                return False
            found.marks.append(Mark(document["channel"], document["level"], before, after))
        elif kind == "gap":
            began, ended = document["t"]
            if not _integers([began, ended], 2):
                return False
            found.gaps.append((len(found.sequence), began, ended))
            found.resumed.append(len(found.sequence))
        elif kind == "stretch":
            begin, end = document["t"]
            if not _integers([begin, end], 2) or begin > end:
                return False
            found.stretches.append(Stretch(str(document["name"]), begin, end))
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
