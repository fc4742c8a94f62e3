"""Which recorded frames train, which choose, and which only measure.

With several people, whole people are held out; with one, the last minutes: frames of one dot, and of neighbouring dots,
are alike, so a random share would say that everything learns everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.data.gazecapture import SYNTHETIC_MARK, Boxes, Recording, is_synthetic, write_recording
from tinytracker.data.reader import read_recording
from tinytracker.data.sitting import adopt_devices, read_sitting, unfinished
from tinytracker.data.source import Subject
from tinytracker.data.survey import iter_subjects
from tinytracker.errors import InputFileError, OutputError, UsageError
from tinytracker.files import json_bytes, make_folder, read_json, write_bytes, write_json
from tinytracker.locks import require_unused
from tinytracker.progress import say
from tinytracker.words import counted, too_few

TRAINED, CHOOSING = 0.7, 0.15
"""Shares of one person's dots, in the order of time; the rest measures."""
HELD_OUT = 0.2
"""Share of people of whom half choose and half measure."""
LEAST_DOTS, LEAST_DOTS_HELD_OUT = 20, 3
"""Of everything, and of those that choose and those that measure."""
DIVISION_FILE = "division.json"


@dataclass(frozen=True)
class Sat:
    """One recorded subject: whose it is, when it began, and its usable frames in the order of time."""

    subject: Subject
    recording: Recording
    person: str
    began: str

    @property
    def dots(self) -> list[int]:
        """Numbers of the dots with usable frames, in the order of time."""
        usable = self.recording.dot_num[self.recording.usable]
        return [int(number) for number in dict.fromkeys(usable.tolist())]


@dataclass(frozen=True)
class Piece:
    """The dots of one subject that belong to one split."""

    sat: Sat
    split: str
    dots: frozenset[int]

    @property
    def indices(self) -> NDArray[np.int64]:
        """Frames of these dots that can be used."""
        recording = self.sat.recording
        chosen = recording.usable & np.isin(recording.dot_num, sorted(self.dots))
        return np.flatnonzero(chosen)


@dataclass(frozen=True)
class Division:
    """All pieces, and how they were made.

    Attributes:
        by: "people" or "time". people: all labels. held_out: of whom no frame is trained on.
        pieces: in the order of time.
    """

    by: str
    people: tuple[str, ...]
    held_out: tuple[str, ...]
    pieces: tuple[Piece, ...]

    def count(self, what: str) -> dict[str, int]:
        """Return the number of "frames" or "dots" by split."""
        found = {"train": 0, "val": 0, "test": 0}
        for piece in self.pieces:
            found[piece.split] += len(piece.dots) if what == "dots" else len(piece.indices)
        return found


def read_sessions(sessions: Sequence[Path]) -> list[Sat]:
    """Return the subjects of sessions, in the order of time; a subject that `collect` did not record is a person.

    Raises:
        InputFileError: a session holds no subject, or one is damaged.
        UsageError: a session is given twice.
    """
    found = []
    places = [session.resolve() for session in sessions]
    for number, session in enumerate(sessions):
        if places[number] in places[:number]:
            raise UsageError(
                f"{session} is given twice: its frames would train the network and judge it.",
                "Give each session once.",
            )
        adopt_devices(session)
        subjects = iter_subjects(session)
        if open_ := unfinished(session):
            say(
                f"{session}: {counted(len(open_), 'sitting')} not finished and left out; "
                f"tinytracker collect --out {session} continues or finishes it."
            )
        for subject in subjects:
            recording = read_recording(subject, strict=False, motion=False)
            sitting = None if subject.packed else read_sitting(subject.path)
            person = sitting.person if sitting is not None else f"{session}/{subject.name}"
            found.append(Sat(subject, recording, person, sitting.began if sitting is not None else ""))
    return sorted(found, key=lambda sat: (sat.began, str(sat.subject.path)))


def divide(sats: Sequence[Sat]) -> Division:
    """Divide what was recorded.

    Raises:
        UsageError: too little was recorded.
    """
    people = tuple(dict.fromkeys(sat.person for sat in sats))
    dots = sum(len(sat.dots) for sat in sats)
    if dots < LEAST_DOTS:
        raise UsageError(
            f"{too_few(dots, 'dot')} to adapt a network and to tell whether that helped; {LEAST_DOTS} are the least.",
            "Record more with `tinytracker collect`: 230 dots, about ten minutes, are a good choice.",
        )
    if len(people) == 1:
        pieces = _by_time(sats, (("train", TRAINED), ("val", TRAINED + CHOOSING), ("test", 1.0)))
        return Division("time", people, (), tuple(pieces))
    count = max(1, round(HELD_OUT * len(people)))
    held_out = people[-count:]
    pieces = [Piece(sat, "train", frozenset(sat.dots)) for sat in sats if sat.person not in held_out]
    if count == 1:
        pieces += _by_time([sat for sat in sats if sat.person in held_out], (("val", 0.5), ("test", 1.0)))
    else:
        for number, person in enumerate(held_out):
            split = "val" if number < count / 2 else "test"
            pieces += [Piece(sat, split, frozenset(sat.dots)) for sat in sats if sat.person == person]
    division = Division("people", people, held_out, tuple(piece for piece in pieces if piece.dots))
    _require_dots_of_held_out(division)
    return division


def _require_dots_of_held_out(division: Division) -> None:
    """Check that those who are held out were recorded long enough."""
    dots = division.count("dots")
    for split, task in (("val", "choose the best weights"), ("test", "tell whether they help")):
        if dots[split] < LEAST_DOTS_HELD_OUT:
            raise UsageError(
                f"{', '.join(division.held_out)}: held out, because the network must also work for others; "
                f"{too_few(dots[split], 'dot')} to {task}; {LEAST_DOTS_HELD_OUT} are the least.",
                "Record more of them with `tinytracker collect`, or leave their session out.",
            )


def _by_time(sats: Sequence[Sat], ends: Sequence[tuple[str, float]]) -> list[Piece]:
    """Give each split the dots up to its share of all, in the order of time."""
    line = [(sat, dot) for sat in sats for dot in sat.dots]
    pieces, start = [], 0
    for split, share in ends:
        end = round(share * len(line))
        for sat in sats:
            chosen = frozenset(dot for of, dot in line[start:end] if of is sat)
            if chosen:
                pieces.append(Piece(sat, split, chosen))
        start = end
    return pieces


def claim(division: Division, start: str, run: Path, options: Mapping[str, int | None]) -> None:
    """Write down what a run folder is made of, or compare it with what it was made of before.

    Args:
        division: of the frames.
        start: the weights it begins with.
        run: the run folder.
        options: epochs and seed of training; None for what follows from the frames.

    Raises:
        OutputError: it holds something else, began with other frames, weights or options, or cannot be written.
    """
    path = run / DIVISION_FILE
    pieces = [
        [str(piece.sat.subject.path.resolve()), piece.split, piece.indices.tolist()]
        for piece in division.pieces
    ]
    mine = {"start": start, "options": dict(options), "pieces": pieces}
    if path.is_file():
        # An older file does not say the options.
        before = {"options": dict(options)} | read_json(path, "Copy it again, or choose another --out.")
        if before != mine:
            raise OutputError(run, f"this folder began with {_other(before, mine)}", "Choose another --out.")
        return
    require_unused(run, "a run of tinytracker adapt")
    make_folder(run)
    write_json(path, mine)


def _other(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return what a run folder began with that is different now."""
    if before.get("start") != now["start"]:
        return "other weights"
    if before.get("pieces") != now["pieces"]:
        return "other sessions, or fewer frames"
    options = (
        f"--{name} {'left out' if value is None else value}"
        for name, value in before["options"].items()
        if now["options"].get(name) != value
    )
    return ", ".join(options)


def write_division(division: Division, sessions: Iterable[Path], out: Path) -> Path:
    """Write the pieces as subjects of their splits, for `prepare`; those that are there already are kept.

    Raises:
        OutputError: the folder cannot be written.
        InputFileError: a frame cannot be read.
    """
    make_folder(out)
    if all(is_synthetic(session) for session in sessions):
        write_bytes(out / SYNTHETIC_MARK, json_bytes({}))
    for number, piece in enumerate(division.pieces):
        name = f"{number:05d}"
        if not (out / name).is_dir():
            _write_piece(out, name, piece)
    return out


def _write_piece(out: Path, name: str, piece: Piece) -> None:
    recording, indices = piece.sat.recording, piece.indices
    part = replace(_taken(recording, indices), name=name, dataset=piece.split)
    contents = dict(piece.sat.subject.frames(part.frame_names))
    missing = [frame for frame in part.frame_names if frame not in contents]
    if missing:
        raise InputFileError(piece.sat.subject.path, f"frames/{missing[0]} is missing", "Record again.")
    write_recording(out, part, (contents[frame] for frame in part.frame_names))


def _taken(recording: Recording, indices: NDArray[np.int64]) -> Recording:
    """Return a recording of some of the frames."""
    changes: dict[str, Any] = {}
    for item in fields(recording):
        value = getattr(recording, item.name)
        if isinstance(value, np.ndarray):
            changes[item.name] = value[indices]
        elif isinstance(value, Boxes):
            changes[item.name] = Boxes(
                *(getattr(value, key)[indices] for key in ("x", "y", "w", "h", "valid"))
            )
    names = tuple(recording.frame_names[i] for i in indices)
    return replace(recording, frame_names=names, motion=(), rejected=(), corrections=(), **changes)
