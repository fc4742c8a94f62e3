"""The source of a subject's bytes: a folder, or an archive that is read without unpacking it."""

from __future__ import annotations

import gzip
import hashlib
import re
import tarfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tinytracker.data.gazecapture import SUBJECT_NAME
from tinytracker.data.reasons import Reason
from tinytracker.errors import SubjectError

_MAX_MEMBER_BYTES = 256 << 20
"""Size limit of a subject's files. Real ones are far smaller; a larger one is damage or an attack on the memory."""

ARCHIVE_NAME = re.compile(r"(\d{5})(\.tar\.gz|\.tgz|\.tar)", re.IGNORECASE)
"""An archive of a subject. Its content decides whether it is compressed: repacked copies are often misnamed."""

_GZIP = b"\x1f\x8b"
_TAR_MARK = slice(257, 262)


@dataclass(frozen=True)
class Subject:
    """One subject on disk.

    Attributes:
        name: five digits.
        path: the folder or the archive.
        other: an archive of the same subject beside the folder, which is read when the folder is incomplete.
    """

    name: str
    path: Path
    other: Path | None = None

    @property
    def packed(self) -> bool:
        """Whether the subject is an archive."""
        return not self.path.is_dir()

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

    def missing_frames(self, names: Collection[str]) -> int:
        """Return how many of the named frames a folder lacks; 0 for an archive."""
        if self.packed:
            return 0
        folder = self.path / "frames"
        present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        return len(set(names) - present)

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
        with _archive_errors(self.path), _stream(self.path) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
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
        for _ in range(2):  # one copy of the data set packs NNNNN/NNNNN/info.json
            if len(parts) > 1 and parts[0] == self.name:
                parts = parts[1:]
        return parts or ("",)


def subject_at(path: Path) -> Subject | None:
    """Return the subject in a folder or archive with a subject's name; None for everything else.

    A folder with the right name counts even when files are missing: damage is reported, not overlooked. One copy of the
    data set has `NNNNN/NNNNN/info.json`; then the inner folder is the subject.
    """
    if path.is_dir():
        if not SUBJECT_NAME.fullmatch(path.name):
            return None
        inner = path / path.name
        nested = inner.is_dir() and not any(path.glob("*.json"))
        return Subject(path.name, inner if nested else path)
    archive = ARCHIVE_NAME.fullmatch(path.name)
    return Subject(archive[1], path) if archive and path.is_file() else None


def web_page(path: Path) -> str:
    """Return the start of a file that is a web page instead of an archive, as refused downloads are; else ""."""
    try:
        with path.open("rb") as file:
            head = file.read(60).lstrip()
    except OSError:
        return ""
    return head[:40].decode("ascii", "replace") if head[:1] == b"<" else ""


@contextmanager
def _stream(path: Path) -> Iterator[BinaryIO]:
    """Open an archive, compressed or not.

    tarfile's own gzip stream accepts a truncated archive as a shorter one; the gzip module raises.
    """
    with path.open("rb") as file:
        head = file.read(512)
        file.seek(0)
        if head.startswith(_GZIP):
            with gzip.open(file) as unpacked:
                yield unpacked  # type: ignore[misc]
            return
        if head[_TAR_MARK] != b"ustar":
            page = web_page(path)
            if page:
                raise SubjectError(
                    path,
                    Reason.BAD_ARCHIVE,
                    f"the file is a web page, not an archive ({page!r}): the download was refused",
                )
            what = "empty file" if not head else f"it starts with {head[:4].hex(' ')}"
            raise SubjectError(path, Reason.BAD_ARCHIVE, f"the file is not an archive ({what})")
        yield file
        size = path.stat().st_size
        # A tar file ends with blocks of zeros, and has no checksum that would show a missing end.
        file.seek(max(0, size - 1024))
        if size % 512 or any(file.read()):
            raise tarfile.ReadError("the end of the archive is missing")


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
