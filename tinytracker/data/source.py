"""The source of a subject's bytes: a folder, or a `NNNNN.tar.gz` that is read without unpacking it."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tinytracker.data.gazecapture import SUBJECT_NAME
from tinytracker.data.reasons import Reason
from tinytracker.errors import InputFileError, SubjectError
from tinytracker.files import StrPath

_MAX_MEMBER_BYTES = 256 << 20
"""Size limit of a subject's files. Real ones are far smaller; a larger one is damage or an attack on the memory."""

_PACKED = ".tar.gz"
_LOOKED_FOR = "Looked for folders 00000/ with an info.json and for archives 00000.tar.gz"


@dataclass(frozen=True)
class Subject:
    """One subject on disk.

    Attributes:
        name: five digits.
        path: the folder or the archive.
    """

    name: str
    path: Path

    @property
    def packed(self) -> bool:
        """Whether the subject is a `.tar.gz`."""
        return self.path.name.endswith(_PACKED)

    def fingerprint(self) -> str:
        """Return a hex digest that changes when any of the subject's files does (names, sizes, modification times)."""
        digest = hashlib.sha256()
        files = [self.path] if self.packed else sorted(p for p in self.path.rglob("*") if p.is_file())
        for file in files:
            status = file.stat()
            relative = file.relative_to(self.path.parent)
            digest.update(f"{relative}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def documents(self, names: Collection[str]) -> dict[str, bytes]:
        """Return the content of those of the named JSON files that exist, by name.

        Raises:
            SubjectError: the archive is damaged or unsafe.
        """
        if self.packed:
            return dict(self._members("", names))
        return {name: content for name in names if (content := _read(self.path / name)) is not None}

    def frames(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (file name, encoded image) of those of the named frames that exist, in the order of the source.

        Raises:
            SubjectError: the archive is damaged or unsafe.
        """
        if self.packed:
            yield from self._members("frames", set(names))
            return
        for name in names:
            content = _read(self.path / "frames" / name)
            if content is not None:
                yield name, content

    def pictures(self, folder: str) -> list[bytes]:
        """Return the content of the .jpg files of one folder of the subject, by name; none if it does not exist.

        Raises:
            SubjectError: the archive is damaged or unsafe.
        """
        if self.packed:
            return [content for _, content in sorted(self._members(folder, None))]
        paths = sorted((self.path / folder).glob("*.jpg"))
        return [content for path in paths if (content := _read(path)) is not None]

    def _members(self, folder: str, names: Collection[str] | None) -> Iterator[tuple[str, bytes]]:
        # tarfile's own gzip stream accepts a truncated archive as a shorter one; the gzip module raises.
        with (
            _archive_errors(self.path),
            gzip.open(self.path) as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            for member in archive:
                parts = self._parts(member)
                if not member.isfile() or "/".join(parts[:-1]) != folder:
                    continue
                if names is not None and parts[-1] not in names:
                    continue
                if member.size > _MAX_MEMBER_BYTES:
                    raise SubjectError(
                        self.path, Reason.UNSAFE_ARCHIVE, f"{member.name!r} holds {member.size} bytes"
                    )
                file = archive.extractfile(member)
                assert file is not None  # a regular file always has content
                yield parts[-1], file.read()
            while stream.read(1 << 20):
                pass  # read to the end, where the checksum is compared

    def _parts(self, member: tarfile.TarInfo) -> tuple[str, ...]:
        """Return the member's path below the subject's own folder; rejects paths that could point outside."""
        path = PurePosixPath(member.name)
        unsafe = path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir())
        if unsafe:
            problem = f"member {member.name!r} is a link or points outside the subject"
            raise SubjectError(self.path, Reason.UNSAFE_ARCHIVE, problem)
        parts = path.parts
        return parts[1:] if parts and parts[0] == self.name and len(parts) > 1 else parts or ("",)


def iter_subjects(root: StrPath) -> list[Subject]:
    """Return every subject below `root`, ordered by name.

    Args:
        root: a folder of subjects, one subject's folder, or one `NNNNN.tar.gz`. Where a subject exists both
            unpacked and packed, the folder is used.

    Raises:
        InputFileError: `root` does not exist or holds no subject; says what was looked for.
    """
    root = Path(root)
    if not root.exists():
        raise InputFileError(root, "no such file or folder", "Give the folder that holds the subjects.")
    if _is_subject(root):
        return [_subject(root)]
    if not root.is_dir():
        raise InputFileError(root, "not a GazeCapture folder", f"{_LOOKED_FOR}.")
    found: dict[str, Subject] = {}
    for path in sorted(root.iterdir()):
        if _is_subject(path):
            subject = _subject(path)
            if subject.name not in found or found[subject.name].packed:
                found[subject.name] = subject
    if not found:
        hint = f"{_LOOKED_FOR}."
        if (root / "gazecapture.tar").exists():
            hint = f"Unpack the outer archive first: tar -xf {root / 'gazecapture.tar'} -C {root}"
        raise InputFileError(root, "no GazeCapture subject in this folder", hint)
    return [found[name] for name in sorted(found)]


def as_subject(path: StrPath) -> Subject:
    """Return the subject in this folder or archive.

    Raises:
        InputFileError: it is not a subject.
    """
    path = Path(path)
    if not _is_subject(path):
        raise InputFileError(path, "not a GazeCapture subject", f"{_LOOKED_FOR}.")
    return _subject(path)


def _subject(path: Path) -> Subject:
    return Subject(path.name.removesuffix(_PACKED), path)


def _is_subject(path: Path) -> bool:
    if path.is_dir():
        # A folder with the right name counts even when files are missing: damage is reported, not overlooked.
        return SUBJECT_NAME.fullmatch(path.name) is not None
    name = path.name.removesuffix(_PACKED)
    return name != path.name and SUBJECT_NAME.fullmatch(name) is not None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


@contextmanager
def _archive_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise SubjectError(path, Reason.BAD_ARCHIVE, f"the archive is damaged ({error})") from error
