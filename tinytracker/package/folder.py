"""Writes a package folder completely or not at all: it is filled beside its place and then renamed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinytracker.files import make_folder, writing
from tinytracker.locks import locked


@contextmanager
def replaced_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it takes the place of `out` when the block ends without an error.

    Raises:
        OutputError: one of the two folders cannot be written, or another command is packaging into `out`.
    """
    with locked(out.parent, f"package --out {out.name}", f".{out.name}.lock"), _filled(out) as folder:
        yield folder


@contextmanager
def _filled(out: Path) -> Iterator[Path]:
    temporary = out.with_name(f".{out.name}.partial")
    with writing(out):
        shutil.rmtree(temporary, ignore_errors=True)
    make_folder(temporary)
    try:
        yield temporary
        with writing(out):
            if out.exists():
                shutil.rmtree(out)
            temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
