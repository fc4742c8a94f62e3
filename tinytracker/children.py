"""Programs that we start end with us: also when we are killed, and nothing of ours runs any more to stop them."""

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
    """What `Popen(preexec_fn=...)` takes, so that Linux sends the child a signal when the thread that started it ends.

    For a single program. One that starts others needs `ended_with_us`.
    """
    libc, parent = ctypes.CDLL(None, use_errno=True), os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it ended before the request
            os.kill(os.getpid(), number)

    return ask


@contextmanager
def ended_with_us(process: subprocess.Popen[Any], number: signal.Signals = signal.SIGKILL) -> Iterator[None]:
    """Send a signal to a child's whole process group when this program dies within the block.

    A shell waits on a pipe whose other end is ours: Linux closes it however we end, and the shell sends the signal.

    Args:
        process: a child with a session of its own (`start_new_session=True`).
        number: for example `SIGINT` for a program that must close its file.
    """
    script = 'read -r word || kill -s "$1" -- "-$2"'
    # Without our standard streams, so that it keeps no terminal or pipe of the user's open.
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
    """Let SIGTERM and SIGHUP end this program as Ctrl-C does: what is finished is kept, children and files are closed.

    A signal that is ignored stays so (`nohup`).
    """

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        return  # Python takes signals in its main thread alone
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, interrupt)
