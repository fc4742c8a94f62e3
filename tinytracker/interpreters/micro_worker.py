"""The child process that runs TensorFlow Lite for Microcontrollers; `micro_process` starts it and sends requests.

    python -m tinytracker.interpreters.micro_worker FD

FD is one end of a `multiprocessing.Pipe`. A request is a tuple of a name and its arguments; the answer is ("ok", value)
or ("refused", message). TFLM prints to the descriptors 1 and 2, which are the parent's log.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

_POLL_SECONDS = 1.0


class _Worker:
    """One interpreter, recreated by each `load`."""

    def __init__(self) -> None:
        self._interpreter: Any = None

    def load(self, model: bytes, arena_bytes: int) -> None:
        from tflite_micro import runtime

        self._interpreter = None  # free its arena before the next one is allocated
        self._interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena_bytes)

    def reset(self) -> None:
        self._interpreter.reset()

    def run(self, inputs: list[NDArray[Any]], outputs: int) -> list[list[NDArray[Any]]]:
        """Return the outputs of each frame."""
        frames = []
        for k in range(len(inputs[0])):
            for i, array in enumerate(inputs):
                self._interpreter.set_input(array[k], i)
            self._interpreter.invoke()
            frames.append([np.array(self._interpreter.get_output(i)) for i in range(outputs)])
        return frames

    def print_allocations(self) -> None:
        self._interpreter.print_allocations()


def main(descriptor: int) -> None:
    """Answer requests until the other end is closed or the parent has ended."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # crashes in this process are expected; do not dump core
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and closes the pipe
    connection: Connection = Connection(descriptor)
    parent = os.getppid()
    worker = _Worker()
    while True:
        # Another child of the parent may hold a copy of its end, so waiting for the pipe to close is not enough.
        while not connection.poll(_POLL_SECONDS):
            if os.getppid() != parent:
                return
        try:
            name, *arguments = connection.recv()
        except EOFError:
            return
        connection.send(_answer(getattr(worker, name), arguments))


def _answer(method: Callable[..., Any], arguments: list[Any]) -> tuple[str, Any]:
    try:
        return "ok", method(*arguments)
    except Exception as error:  # TFLM's Python interface raises many types on unexpected models
        return "refused", str(error) or type(error).__name__


if __name__ == "__main__":
    main(int(sys.argv[1]))
