"""Deletes what was recorded: a sitting, a person, or all. Nothing else in the folder is touched."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tinytracker.collect.journal import journals
from tinytracker.collect.subject import write_report
from tinytracker.data.gazecapture import SUBJECT_NAME
from tinytracker.data.sitting import SITTING_FILE, read_sitting
from tinytracker.errors import UsageError
from tinytracker.files import writing


def remove_sitting(session: Path, subject: str) -> int:
    """Delete one sitting, finished or not; returns 1.

    Raises:
        UsageError: there is no such sitting, or `collect` did not record it.
        OutputError: it cannot be deleted.
    """
    for folder, name, _ in _recorded(session):
        if name == subject:
            _remove(folder)
            write_report(session)
            return 1
    raise UsageError(f"There is no sitting {subject!r} in {session}.", "Reload the page.")


def remove_person(session: Path, person: str) -> int:
    """Delete all sittings of a person; returns their number; raises `OutputError`."""
    return _remove_those(session, lambda who: who == person)


def remove_all(session: Path) -> int:
    """Delete all sittings, and with the last one the report; returns their number; raises `OutputError`."""
    return _remove_those(session, lambda _: True)


def _remove_those(session: Path, wanted: Callable[[str], bool]) -> int:
    found = [folder for folder, _, person in _recorded(session) if wanted(person)]
    for folder in found:
        _remove(folder)
    write_report(session)
    return len(found)


def _recorded(session: Path) -> list[tuple[Path, str, str]]:
    """Return folder, name and person of all sittings that `collect` recorded here."""
    found = []
    for path in sorted(session.iterdir()):
        if SUBJECT_NAME.fullmatch(path.name) and (path / SITTING_FILE).is_file():
            sitting = read_sitting(path)
            assert sitting is not None
            found.append((path, path.name, sitting.person))
    return found + [(j.path, j.name, j.head().person) for j in journals(session)]


def _remove(folder: Path) -> None:
    with writing(folder):
        shutil.rmtree(folder)
