"""Progress of long work, on stderr, so that stdout stays free for results.

The same calls serve a terminal (a live bar with the time left), a pipe or CI (a plain line every 15 s) and `--quiet`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Advance = Callable[..., None]
"""`advance(n=1, note="")`: n more units are done; the note replaces the text behind the bar."""

_PLAIN_INTERVAL_S = 15.0
_quiet = False


def set_quiet(quiet: bool) -> None:
    """Silence bars and notes (errors are still shown)."""
    global _quiet
    _quiet = quiet


def console() -> Console:
    """Return a console on the current stderr (looked up at each call, so that tests can capture it)."""
    return Console(stderr=True, quiet=_quiet, soft_wrap=True)


def say(text: str) -> None:
    """Print one line of status."""
    console().print(text, highlight=False)


def _interactive() -> bool:
    return sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


@contextmanager
def bar(title: str, total: int | None, unit: str = "") -> Iterator[Advance]:
    """Show progress over `total` units (None when it is not known); yields `advance(n=1, note="")`."""
    if _quiet:
        yield lambda n=1, note="": None
        return
    if _interactive():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=console()) as progress:
            task = progress.add_task(title, total=total, note="")

            def advance(n: int = 1, note: str = "") -> None:
                progress.advance(task, n)
                if note:
                    progress.update(task, note=note)

            yield advance
        return

    done = 0
    start = last = time.monotonic()

    def advance_plain(n: int = 1, note: str = "") -> None:
        nonlocal done, last
        done += n
        now = time.monotonic()
        if now - last >= _PLAIN_INTERVAL_S or done == total:
            last = now
            rate = done / max(now - start, 1e-9)
            left = f", {(total - done) / rate:.0f} s left" if total and rate > 0 and done < total else ""
            of = f"/{total}" if total else ""
            say(f"{title}: {done}{of} {unit} in {now - start:.0f} s{left} {note}".rstrip())

    yield advance_plain
