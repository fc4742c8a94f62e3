"""Writing files so that a reader never meets half of one, and saying in one sentence why it did not work."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinytracker.errors import OutputError

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space or choose another folder; finished parts are kept."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space or choose another folder."),
    errno.EACCES: ("no permission to write here", "Choose a folder that you may write to."),
    errno.EPERM: ("no permission to write here", "Choose a folder that you may write to."),
    errno.EROFS: ("the file system is read-only", "Choose a folder that you may write to."),
    errno.ENOTDIR: ("a file is in the way of a folder", "Move it away or choose another folder."),
}


def output_error(path: Path, error: OSError) -> OutputError:
    """The `OutputError` that says why `path` could not be written."""
    problem, hint = _REASONS.get(error.errno or 0, (f"cannot be written ({error.strerror or error})", ""))
    return OutputError(path, problem, hint)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn any `OSError` of the block into an `OutputError` about `path`."""
    try:
        yield
    except OSError as error:
        raise output_error(path, error) from error


def make_folder(path: Path) -> Path:
    """Create the folder and its parents.

    Raises:
        OutputError: when a file is in the way or it is not permitted.
    """
    with writing(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise OutputError(
                path, "a file is in the way of a folder", "Move it or choose another."
            ) from error
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path` by way of a temporary neighbour, so that `path` is old or new, never half.

    Raises:
        OutputError: disk full, no permission.
    """
    partial = path.with_name(f".{path.name}.partial")
    with writing(path):
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """JSON in UTF-8 with a final newline; the same value always gives the same bytes.

    Raises:
        ValueError: NaN or infinity, which JSON cannot hold.
    """
    return (json.dumps(value, indent=indent, allow_nan=False, ensure_ascii=False) + "\n").encode()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
