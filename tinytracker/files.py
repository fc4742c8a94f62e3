"""Files that are complete or absent: atomic writes, hashes, and disk errors as readable messages."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from tinytracker.errors import InputFileError, OutputError

StrPath: TypeAlias = str | os.PathLike[str]
"""What public functions accept as a file or folder: a string or a path-like object; they convert it to a `Path`."""

DISK_FULL = (
    "the disk is full",
    "Free some space or choose another folder, then run the same command again.",
)
"""Problem and way out of an `OutputError`."""

_WAY_OUT = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: (
        "the disk quota is used up",
        "Free some space or choose another folder, then run the same command again.",
    ),
    errno.EACCES: ("no permission to write here", "Choose a folder that you own."),
    errno.EPERM: ("no permission to write here", "Choose a folder that you own."),
    errno.EROFS: ("the file system is read-only", "Choose another folder."),
    errno.ENOTDIR: ("a file is in the way of a folder", "Move that file or choose another folder."),
    errno.EISDIR: ("a folder is where a file is needed", "Move that folder or choose another name."),
    errno.EEXIST: ("a file is in the way", "Move it or choose another name."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter one."),
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError raised while `path` is written into an OutputError that says how to fix it."""
    try:
        yield
    except OSError as error:
        problem, hint = _WAY_OUT.get(error.errno or 0, (f"cannot be written ({error.strerror or error})", ""))
        raise OutputError(path, problem, hint) from error


def make_folder(path: Path) -> Path:
    """Create a folder and its parents; raises OutputError when that fails.

    Returns:
        The folder.
    """
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def require_writable(path: Path) -> None:
    """Find out before long work whether a file or folder can be written; nothing is left behind.

    Raises:
        OutputError: its folder cannot be written, or cannot be made.
    """
    with writing(path):
        folder = path.absolute().parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        with tempfile.TemporaryDirectory(dir=folder, prefix=".tinytracker-"):
            pass


def write_bytes(path: Path, data: bytes) -> Path:
    """Write a file atomically: a reader sees the old content or the new, never part of it.

    Returns:
        The file.
    """
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with writing(path):
            with temporary.open("wb") as f:
                f.write(data)
                f.flush()
                os.fsync(f.fileno())
            temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def write_text(path: Path, text: str) -> Path:
    """`write_bytes` for UTF-8 text."""
    return write_bytes(path, text.encode())


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """Return JSON in UTF-8, keys in the given order, newline at the end; equal values give equal bytes.

    Raises:
        ValueError: NaN or infinity, which JSON cannot hold.
    """
    return (json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_json(path: Path, value: Any) -> Path:
    """`write_bytes` for a JSON document that people read: indented."""
    return write_bytes(path, json_bytes(value, indent=2))


def write_arrays(path: Path, arrays: Mapping[str, Any], *, compressed: bool = False) -> Path:
    """`write_bytes` for arrays by name, as .npz; equal arrays give equal bytes.

    numpy's own `savez` writes into the file itself: whoever is killed meanwhile leaves half of it under its final name.
    """
    import numpy as np  # not every command needs it

    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, **arrays)
    return write_bytes(path, buffer.getvalue())


@contextmanager
def opened_for_reading(path: Path, hint: str = "") -> Iterator[BinaryIO]:
    """Open a file; any error of the operating system, also while the block reads, becomes an InputFileError.

    Raises:
        InputFileError: when it is missing, a folder, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise InputFileError(path, "there is no such file", hint) from None
    except IsADirectoryError:
        raise InputFileError(path, "this is a folder, but a file is needed", hint) from None
    except OSError as error:
        raise InputFileError(path, f"cannot be read ({error.strerror})", hint) from error


def read_bytes(path: Path, hint: str = "") -> bytes:
    """Return the content of a file.

    Raises:
        InputFileError: when it is missing, a folder, or cannot be read.
    """
    with opened_for_reading(path, hint) as file:
        return file.read()


def read_json(path: Path, hint: str = "") -> Any:
    """Return the JSON document in a file.

    Raises:
        InputFileError: when it is missing, unreadable or not JSON.
    """
    data = read_bytes(path, hint)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputFileError(path, f"not valid JSON ({error})", hint) from None


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hex."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's content in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as f:
        for chunk in iter(lambda: f.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()
