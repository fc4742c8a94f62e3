"""Run a power meter's own recording program around a measurement.

Meters' libraries stay out of this environment: Joulescope's needs numpy 2, Nordic's community library is GPL. Their
programs record a file when they are asked on a command line and stop on Ctrl-C; that is all that is needed here.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from tinytracker.children import ended_with_us
from tinytracker.errors import MissingDependencyError, OutputError, TinyTrackerError, UsageError
from tinytracker.files import StrPath
from tinytracker.progress import say

IDLE_S = 6.0
"""Recorded before the first frame and after the last one: the idle power comes from there."""

_STOP_S = 30.0
FILE = "{file}"
"""Stands for the file in a recording command."""


class RecorderError(TinyTrackerError):
    """The recording program failed."""

    kind = "recorder"


@contextmanager
def recorded_power(command: str, file: StrPath, idle_s: float | None = None) -> Iterator[None]:
    """Record power while the block runs.

    Args:
        command: of the recording program; `{file}` stands for the file. It must end on an interrupt (Ctrl-C).
        file: that it writes.
        idle_s: recorded before and after the block; None for `IDLE_S`.

    Raises:
        UsageError: the command does not name the file.
        MissingDependencyError: the program is not installed.
        OutputError: the file exists.
        RecorderError: it ends early, with an error, or not at all.
    """
    file = Path(file)
    seconds = IDLE_S if idle_s is None else idle_s
    words = [word.replace(FILE, str(file)) for word in shlex.split(command)]
    if not words or FILE not in command:
        raise UsageError(f"The recording command {command!r} does not name its file.", f"Write {FILE} in it.")
    if shutil.which(words[0]) is None:
        raise MissingDependencyError(
            words[0], "recording power", "the meter's instructions (docs/measurement.md)"
        )
    if file.exists():
        raise OutputError(file, "the file exists already", "Choose another --power.")
    # A session of its own: Ctrl-C in the terminal ends the measurement first, then the recording.
    # What it prints goes to a file: a pipe that nobody reads would stop it when full.
    with (
        tempfile.TemporaryFile() as printed,
        subprocess.Popen(
            words,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_hear_interrupts,
        ) as process,
        ended_with_us(process, signal.SIGINT),
    ):
        try:
            say(f"{seconds:g} s of idle before the first frame")
            _idle(process, seconds, printed)
            yield
            say(f"{seconds:g} s of idle after the last frame")
            _idle(process, seconds, printed)
        finally:
            _stop(process)
        said = _last_line(printed)
    if not file.exists():
        raise RecorderError(f"The recording program wrote no {file}: {said.rstrip('.')}.")


def _hear_interrupts() -> None:
    """A shell's background job ignores Ctrl-C and hands that down; the program must stop on it all the same."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _idle(process: subprocess.Popen[bytes], seconds: float, printed: BinaryIO) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if process.poll() is not None:
            said = _last_line(printed)
            raise RecorderError(
                f"The recording program ended early, with status {process.returncode}: {said.rstrip('.')}."
            )
        time.sleep(min(left, 0.1))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupt it and wait until it has closed its file."""
    _signal(process, signal.SIGINT)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        raise RecorderError(
            f"The recording program did not stop within {_STOP_S:g} s of an interrupt; its file may be truncated."
        ) from None


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal it and what it has started, as a terminal does."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def _last_line(printed: BinaryIO) -> str:
    printed.seek(0)
    lines = printed.read().decode(errors="replace").strip().splitlines()
    return (lines or ["it printed nothing"])[-1][:200]
