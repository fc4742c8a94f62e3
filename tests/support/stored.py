"""Fixtures that take long to make, made once for all workers and kept in pytest's cache until a source changes."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from support.tree import ROOT

STORE = ROOT / ".pytest_cache" / "made"
DAY_S = 86_400


@cache
def sources_key() -> str:
    """Of everything that a fixture can depend on: the package, the tests' helpers, the libraries, Python."""
    digest = hashlib.sha256(sys.version.encode())
    tests = ROOT / "tests"
    files = [*(ROOT / "tinytracker").rglob("*"), *(tests / "support").rglob("*"), *tests.rglob("conftest.py")]
    for path in sorted([ROOT / "requirements/lock.txt", ROOT / "pyproject.toml", *files]):
        # Caches of compiled code appear and disappear while other workers run.
        if "__pycache__" not in path.parts and path.is_file():
            digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process at a time; a killed one leaves no lock behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def stored(name: str, make: Callable[[Path], object], *settings: object) -> Path:
    """The folder that `make` fills, unless a worker or an earlier run with the same sources has filled it.

    Tests only read it; one that changes something takes a copy.

    Args:
        name: what it is; one word per kind of content.
        make: gets the path of a folder that does not exist.
        settings: everything besides the sources that `make` depends on, by its `repr`.
    """
    key = hashlib.sha256(f"{sources_key()}{settings!r}".encode()).hexdigest()[:16]
    folder, whole = STORE / f"{name}-{key}", STORE / f"{name}-{key}.whole"
    with locked(STORE / f"{name}.lock"):
        if not (whole.is_file() and folder.is_dir()):
            _forget_old(name)
            whole.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
        whole.touch()
    return folder


def _forget_old(name: str) -> None:
    """What nobody has used for a day; another run of the tests may still read what is younger."""
    for stamp in STORE.glob(f"{name}-*.whole"):
        if stamp.stat().st_mtime < time.time() - DAY_S:
            stamp.unlink()
            shutil.rmtree(stamp.with_suffix(""), ignore_errors=True)
