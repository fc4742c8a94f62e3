"""One command at a time writes to a folder: a lock that ends with its process, however that ends."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from tinytracker.errors import OutputError
from tinytracker.files import make_folder, writing

LOCK_FILE = ".lock"
"""The lock of a whole folder; present only while a command writes there, or after one was killed."""

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)
_TAKEN = (errno.EWOULDBLOCK, errno.EACCES)
_PAUSE_S = 0.05


def require_unused(folder: Path, what: str) -> None:
    """Refuse a folder that holds anything but its lock; one that does not exist is unused.

    Args:
        folder: that a command is about to begin in.
        what: the folder is not, for the message: "a run".

    Raises:
        OutputError: it holds something.
    """
    if folder.is_dir() and any(path.name != LOCK_FILE for path in folder.iterdir()):
        raise OutputError(folder, f"this folder is not empty and is not {what}", "Choose another --out.")


@contextmanager
def locked(folder: Path, what: str, name: str = LOCK_FILE, wait_s: float = 0.0) -> Iterator[None]:
    """Keep other processes from writing to a folder while the block runs.

    The operating system holds the lock (`flock`) and releases it when the process ends, even if it is killed, so a
    file that is left behind locks nothing. On a file system without locks, nothing is locked.

    Args:
        folder: created when missing; removed again if it was, and is empty at the end.
        what: the command, such as "train", for the message that others get.
        name: file name of the lock.
        wait_s: how long to wait for another process, s.

    Raises:
        OutputError: another process holds the lock, or the folder cannot be written.
    """
    created = not folder.exists()
    make_folder(folder)
    path = folder / name
    file = _acquire(path, time.monotonic() + wait_s)
    try:
        with writing(path):
            os.ftruncate(file, 0)
            since = datetime.now().astimezone().isoformat(timespec="seconds")
            owner = {"command": what, "pid": os.getpid(), "host": socket.gethostname(), "since": since}
            with suppress(OSError):  # on a full disk the lock holds, but cannot say whose it is
                os.pwrite(file, json.dumps(owner).encode(), 0)
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # before it is released: who waits finds another file and tries again
        os.close(file)
        if created:
            with suppress(OSError):
                folder.rmdir()


def _acquire(path: Path, until: float) -> int:
    """Return the open, locked file."""
    while True:
        with writing(path):
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return file
            if error.errno not in _TAKEN:
                os.close(file)
                with writing(path):
                    raise
            owner = _owner(file)
            os.close(file)
            if time.monotonic() < until:
                time.sleep(_PAUSE_S)
                continue
            raise OutputError(
                path.parent,
                f"another command is writing here ({owner})",
                "Wait until it has ended, or choose another folder.",
            ) from None
        if _still_named(file, path):
            return file
        os.close(file)  # its owner removed the file between our opening and locking it


def _still_named(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False


def _owner(file: int) -> str:
    try:
        owner = json.loads(os.pread(file, 4096, 0))
        return f"tinytracker {owner['command']}, process {owner['pid']} on {owner['host']}, since {owner['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has just started"
