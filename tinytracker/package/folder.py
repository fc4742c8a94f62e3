"""Writes a package folder completely or not at all: it is filled beside its place and then renamed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinytracker.files import make_folder, writing


@contextmanager
def replaced_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it takes the place of `out` when the block ends without an error.

    Each run fills a folder of its own, so that two runs into one `out` do not mix: the last to finish stays. What a
    killed run left beside `out` is removed.

    Raises:
        OutputError: `out` cannot be written.
    """
    make_folder(out.absolute().parent)
    with writing(out):
        _remove_leftovers(out)
        temporary = Path(
            tempfile.mkdtemp(prefix=f".{out.name}.{os.getpid()}-", suffix=".partial", dir=out.parent)
        )
        temporary.chmod(0o777 & ~_umask())
    try:
        yield temporary
        with writing(out):
            if out.exists():
                shutil.rmtree(out)
            temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_leftovers(out: Path) -> None:
    """Remove the folders of processes that no longer run."""
    pattern = re.compile(rf"\.{re.escape(out.name)}\.(\d+)-\w+\.partial")
    for path in out.parent.iterdir():
        found = pattern.fullmatch(path.name)
        if found and not _runs(int(found[1])):
            shutil.rmtree(path, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _umask() -> int:
    """The process's mask for new files: `mkdtemp` ignores it, and the folder is for everyone who may read the rest."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
