"""A sitting while it is being recorded: one folder per dot, complete or absent, so that a crash loses nothing.

    SESSION/.00003.dots.partial/
      head.json          who sits where; written first
      0000/ 0001/ ...    one folder per dot that was shown: dot.json and the frames that were kept
      events.jsonl       what went wrong, a line each

A finished sitting becomes the subject SESSION/00003, and this folder is removed. `prepare` passes over it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tinytracker.data.gazecapture import SUBJECT_NAME
from tinytracker.data.sitting import UNFINISHED, SeenFrame, SittingDot, SittingEvent, SittingHead
from tinytracker.documents import Document, JsonValue
from tinytracker.errors import InputFileError
from tinytracker.files import json_bytes, make_folder, read_bytes, writing

_HEAD, _DOT, _EVENTS = "head.json", "dot.json", "events.jsonl"


class Head(SittingHead):
    """What is known of a sitting before its first frame, and the seed of its dots."""

    title: ClassVar[str] = "the head of a sitting"

    seed: int = 0


class KeptFrame(SeenFrame):
    """A frame of a dot: its file, size, time, and what was seen in it; see `tinytracker.collect.eyes.Sight`."""

    file: str
    width: int
    height: int
    since_dot_s: float
    strip: tuple[float, float, float]
    roll: float


class StoredDot(Document):
    """One dot that was shown, and the frames of it that were kept."""

    title: ClassVar[str] = "a recorded dot"

    dot: SittingDot
    rate: float | None = None
    frames: tuple[KeptFrame, ...] = ()


@dataclass(frozen=True)
class Journal:
    """The folder of an unfinished sitting."""

    path: Path

    @property
    def name(self) -> str:
        """Name of the subject that it will be: five digits."""
        return self.path.name[1:6]

    @classmethod
    def begin(cls, session: Path, head: Head) -> Journal:
        """Create the folder of a new sitting, with the next free number.

        Raises:
            OutputError: it cannot be written.
        """
        make_folder(session)
        taken = {path.name for path in session.iterdir()}
        number = 0
        while f"{number:05d}" in taken or f".{number:05d}{UNFINISHED}" in taken:
            number += 1
        journal = cls(session / f".{number:05d}{UNFINISHED}")
        make_folder(journal.path)
        head.write(journal.path / _HEAD)
        return journal

    def head(self) -> Head:
        """Return what is known of the sitting.

        Raises:
            InputFileError: it is damaged.
        """
        return Head.read(self.path / _HEAD)

    def add(self, stored: StoredDot, jpegs: Sequence[bytes]) -> None:
        """Write one dot, completely or not at all; its frames are named by `stored.frames`.

        Raises:
            OutputError: the disk is full, or permission is missing.
        """
        target = self.path / f"{stored.dot.number:04d}"
        partial = self.path / f".{target.name}.partial"
        with writing(target):
            shutil.rmtree(partial, ignore_errors=True)
        try:
            with writing(target):
                partial.mkdir()
                for frame, jpeg in zip(stored.frames, jpegs, strict=True):
                    _write_through(partial / frame.file, jpeg)
                _write_through(partial / _DOT, json_bytes(stored.as_json()))
                partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def dots(self) -> list[tuple[Path, StoredDot]]:
        """Return the folders and contents of all dots, in order.

        Raises:
            InputFileError: one is damaged.
        """
        folders = sorted(p for p in self.path.iterdir() if p.is_dir() and not p.name.startswith("."))
        return [(folder, StoredDot.read(folder / _DOT)) for folder in folders]

    def note(self, event: SittingEvent) -> None:
        """Write down that something went wrong; on a full disk it is only shown.

        Raises:
            OutputError: it cannot be written.
        """
        path = self.path / _EVENTS
        with writing(path), path.open("ab") as file:
            file.write(json_bytes(event.as_json()))

    def events(self) -> list[SittingEvent]:
        """Return what went wrong; a last line that was cut off in a crash is passed over."""
        try:
            lines = read_bytes(self.path / _EVENTS).splitlines()
        except InputFileError:
            return []
        found = []
        for line in lines:
            try:
                found.append(SittingEvent.model_validate(json.loads(line)))
            except ValueError:
                continue
        return found

    def delete(self) -> None:
        """Remove the folder and everything in it.

        Raises:
            OutputError: it cannot be removed.
        """
        with writing(self.path):
            shutil.rmtree(self.path)


def journals(session: Path) -> list[Journal]:
    """Return the unfinished sittings of a session, in order; those that have become subjects are removed.

    Raises:
        OutputError: one that is no longer needed cannot be removed.
    """
    found = []
    for path in sorted(session.glob(f".*{UNFINISHED}")):
        journal = Journal(path)
        if not SUBJECT_NAME.fullmatch(journal.name) or not (path / _HEAD).is_file():
            continue  # killed before its first file was complete: there is nothing in it
        if (session / journal.name).is_dir():
            journal.delete()
        else:
            found.append(journal)
    return found


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def as_row(device: Any) -> dict[str, JsonValue]:
    """Return a device as a row of devices.toml."""
    from dataclasses import asdict

    return {key: value for key, value in asdict(device).items() if value is not None}
