"""A pool of worker processes that ends with its parent, even if the parent is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import TracebackType
from typing import TypeVar

from tinytracker.errors import TinyTrackerError

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """`jobs` processes, started by "spawn" because a fork of a process that runs TensorFlow can hang.

    With one job, everything runs in this process. Use it as a context manager.
    """

    def __init__(self, jobs: int) -> None:
        self._pool: ProcessPoolExecutor | None = None
        if jobs > 1:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(jobs, context, initializer=_start)

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is None:
            return
        if kind is not None and not issubclass(kind, Exception):
            # Ctrl-C: do not wait for work that will be discarded; files already written are complete.
            for child in multiprocessing.active_children():
                child.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield results as they are finished, in any order.

        Raises:
            TinyTrackerError: a worker was killed. Exceptions of `work` are passed on.
        """
        if self._pool is None:
            yield from (work(item) for item in items)
            return
        with _interrupts_kept_from_workers():
            futures: list[Future[R]] = [self._pool.submit(work, item) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise TinyTrackerError(
                "A worker process was killed, most likely because the system ran out of memory.",
                "Run again with fewer jobs; finished parts are kept.",
            ) from error


@contextmanager
def _interrupts_kept_from_workers() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, which a terminal sends to all processes at once.

    A worker that ended on Ctrl-C would look as if it had been killed, which would hide the real cause. Processes
    inherit blocked signals; this process receives the signal when the block ends.
    """
    resource_tracker.ensure_running()  # starting it later would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start() -> None:
    """Prepare a worker: silence TensorFlow, and end with the parent."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)  # a killed parent cannot stop its workers

    threading.Thread(target=follow, daemon=True).start()
