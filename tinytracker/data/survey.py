"""What a source folder holds: subjects, and everything else by name, so that nothing is passed over in silence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tinytracker.data.gazecapture import SYNTHETIC_MARK
from tinytracker.data.sitting import unfinished
from tinytracker.data.source import Subject, subject_at, web_page
from tinytracker.errors import InputFileError
from tinytracker.files import StrPath
from tinytracker.kinds import CLIPS, COLLECTED, SUBJECTS, kind_of, wrong_kind

_LOOKED_FOR = "Looked for folders 00000/ with an info.json and for archives 00000.tar.gz"
_NEAR = re.compile(r"\d+(\..*)?")
"""Names that were probably meant as a subject: digits, with or without an ending."""


@dataclass(frozen=True)
class NotRead:
    """An entry of the source folder that is not read.

    Attributes:
        name: of the file or folder.
        why: in a few words.
        lost: whether it is probably a subject.
    """

    name: str
    why: str
    lost: bool = False


@dataclass(frozen=True)
class Survey:
    """The content of a source folder: subjects by name, and what is not read."""

    subjects: list[Subject]
    not_read: list[NotRead]


def survey(root: StrPath) -> Survey:
    """Look through a folder of subjects, one subject's folder, or one archive.

    Raises:
        InputFileError: `root` does not exist or holds no subject; says what was looked for, and what to do.
    """
    root = Path(root)
    if not root.exists():
        raise InputFileError(root, "no such file or folder", "Give the folder that holds the subjects.")
    if (kind := kind_of(root)) is CLIPS:  # whose folders have subjects' names
        raise InputFileError(root, f"no GazeCapture subject, but {kind.what}", kind.hint)
    alone = subject_at(root)
    if alone is not None:
        return Survey([alone], [])
    if not root.is_dir():
        raise _not_a_folder(root)
    found: dict[str, Subject] = {}
    not_read: list[NotRead] = []
    for path in sorted(root.iterdir()):
        subject = subject_at(path)
        if subject is None:
            not_read += _not_read(path)
        elif subject.name not in found:
            found[subject.name] = subject
        elif not found[subject.name].packed and found[subject.name].other is None:
            found[subject.name] = Subject(subject.name, found[subject.name].path, subject.path)
        else:
            not_read.append(NotRead(path.name, f"{found[subject.name].path.name} is read"))
    if not found:
        if kind is not None and kind not in (COLLECTED, SUBJECTS):
            raise InputFileError(root, f"no GazeCapture subject, but {kind.what}", kind.hint)
        raise InputFileError(root, "no GazeCapture subject in this folder", _hint(root))
    return Survey([found[name] for name in sorted(found)], not_read)


def iter_subjects(root: StrPath) -> list[Subject]:
    """Return every subject below `root`, ordered by name.

    Args:
        root: a folder of subjects, one subject's folder, or one archive `NNNNN.tar.gz`. Where a subject exists both
            unpacked and packed, the folder is used, and the archive is its `other`.

    Raises:
        InputFileError: `root` does not exist or holds no subject; says what was looked for.
    """
    return survey(root).subjects


def as_subject(path: StrPath) -> Subject:
    """Return the subject in this folder or archive.

    Raises:
        InputFileError: it is not a subject.
    """
    subject = subject_at(Path(path))
    if subject is None:
        raise InputFileError(Path(path), "not a GazeCapture subject", f"{_LOOKED_FOR}.")
    return subject


def _not_read(path: Path) -> list[NotRead]:
    """Return why an entry that is not a subject is not read; nothing for our own files."""
    if path.name == SYNTHETIC_MARK or (
        path.name.startswith(".") and path.name.endswith((".partial", ".lock"))
    ):
        return []
    if path.is_symlink() and not path.exists():
        return [NotRead(path.name, "a link to nothing", bool(_NEAR.fullmatch(path.name)))]
    if path.is_dir() and (path / "info.json").is_file():
        return [NotRead(path.name, "a subject whose name is not five digits", True)]
    if _NEAR.fullmatch(path.name):
        return [NotRead(path.name, "neither NNNNN/ nor NNNNN.tar.gz, with five digits", True)]
    return [NotRead(path.name, "not a subject")]


def _not_a_folder(root: Path) -> InputFileError:
    page = web_page(root)
    if page:
        return InputFileError(
            root,
            f"the file is a web page, not an archive ({page!r})",
            "The download was refused: open the link in a browser, log in, and download again.",
        )
    hint = f"{_LOOKED_FOR}."
    if root.name.lower().endswith((".tar", ".tar.gz", ".tgz")):
        hint = f"Unpack the outer archive first: tar -xf {root} -C FOLDER, then give FOLDER."
    return wrong_kind(root, "a GazeCapture folder", "not a GazeCapture folder", hint)


def _hint(root: Path) -> str:
    """Return what to do about a folder without subjects."""
    if unfinished(root):
        return (
            f"A recording in it is not finished: tinytracker collect --out {root} continues or finishes it."
        )
    for path in sorted(root.iterdir()):
        if path.is_dir() and any(subject_at(child) for child in path.iterdir()):
            return f"The subjects are one level deeper: give {path}."
    for path in sorted(root.glob("*.tar*")):
        page = web_page(path)
        if page:
            return f"{path.name} is a web page ({page!r}), not an archive: the download was refused. Download it again."
        return f"Unpack the outer archive first: tar -xf {path} -C {root}"
    return f"{_LOOKED_FOR}."
