"""Child processes that end with this program, even when it is killed and cannot stop them itself."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_PR_SET_PDEATHSIG = 1


def ends_with_parent(number: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """Return a `preexec_fn` for `Popen`: Linux signals the child when the thread that started it ends.

    For a single program. A program that starts others needs `ended_with_us`.
    """
    libc, parent = ctypes.CDLL(None, use_errno=True), os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # the parent ended before the request
            os.kill(os.getpid(), number)

    return ask


@contextmanager
def ended_with_us(process: subprocess.Popen[Any], number: signal.Signals = signal.SIGKILL) -> Iterator[None]:
    """Send a signal to a child's whole process group when this program dies within the block.

    A shell waits on a pipe whose other end this process holds: Linux closes it however this process ends, and the
    shell then sends the signal.

    Args:
        process: a child in its own session (`start_new_session=True`).
        number: for example `SIGINT` for a program that must close its file.
    """
    script = 'read -r word || kill -s "$1" -- "-$2"'
    # Without our standard streams, so that it does not keep the user's terminal or pipe open.
    with subprocess.Popen(
        ["/bin/sh", "-c", script, "watch", signal.Signals(number).name[3:], str(process.pid)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as watch:  # fmt: skip
        try:
            yield
        finally:
            with suppress(OSError):
                watch.communicate(b"done\n")


def stop_on_signals() -> None:
    """Make SIGTERM and SIGHUP end this program as Ctrl-C does: finished work is kept, children and files are closed.

    A signal that is already ignored (`nohup`) stays ignored.
    """

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        return  # Python handles signals only in its main thread
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, interrupt)
