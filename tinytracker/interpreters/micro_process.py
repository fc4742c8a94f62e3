"""TensorFlow Lite for Microcontrollers in a child process: a crash of its C++ ends the child, not this program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

import tinytracker
from tinytracker.errors import TinyTrackerError


class MicroCrashError(TinyTrackerError):
    """The child process ended.

    Args:
        returncode: of the process; -n for signal n.
    """

    kind = "crash"

    def __init__(self, returncode: int) -> None:
        self.signal = _signal_name(returncode)
        super().__init__(f"TFLM ended its process with {self.signal}.")


class MicroRefusalError(TinyTrackerError):
    """TFLM returned an error.

    Args:
        printed: what it printed, in one line, or else what its Python interface said.
    """

    kind = "refusal"

    def __init__(self, printed: str) -> None:
        super().__init__(printed)


class MicroProcess:
    """A child process with one TFLM interpreter in it; the process lives until `close`, a crash, or this program's end.

    Requests come from one thread at a time; the others wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as this object)
        ours, theirs = Pipe()
        self._connection: Connection = ours
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tinytracker.interpreters.micro_worker", str(theirs.fileno())],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, pass_fds=[theirs.fileno()],
            cwd=Path(tinytracker.__file__).parents[1], env=_environment(),
        )  # fmt: skip
        theirs.close()
        self._finalizer = weakref.finalize(self, _stop, self._process, ours, self._log)

    @property
    def pid(self) -> int:
        """Of the child."""
        return self._process.pid

    def load(self, model: bytes, arena_bytes: int) -> None:
        """Make an interpreter; raises like `request`."""
        self.request("load", model, arena_bytes)

    def reset(self) -> None:
        """Give the model its initial state; raises like `request`."""
        self.request("reset")

    def run(self, inputs: list[Any], outputs: int) -> list[list[Any]]:
        """Run frames, and give the first outputs of each; raises like `request`.

        Args:
            inputs: one array per input of the model, frames first.
            outputs: how many outputs the model has.
        """
        value, _ = self.request("run", inputs, outputs)
        frames: list[list[Any]] = value
        return frames

    def allocations(self) -> str:
        """TFLM's own report of its memory, as it prints it; raises like `request`."""
        return self.request("print_allocations")[1]

    def request(self, *message: Any) -> tuple[Any, str]:
        """Send a request and wait for the answer.

        Returns:
            The answer's value, and what TFLM printed meanwhile.

        Raises:
            MicroRefusalError: TFLM returned an error.
            MicroCrashError: the process ended.
        """
        with self._lock:
            begin = os.fstat(self._log.fileno()).st_size
            try:
                self._connection.send(message)
                status, value = self._connection.recv()
            except (EOFError, BrokenPipeError, ConnectionResetError):
                raise MicroCrashError(self._process.wait()) from None
            end = os.fstat(self._log.fileno()).st_size
            printed = os.pread(self._log.fileno(), end - begin, begin).decode(errors="replace")
        if status != "ok":
            raise MicroRefusalError(" ".join(printed.split()) or str(value))
        return value, printed

    def close(self) -> None:
        """End the process."""
        self._finalizer()


def _environment() -> dict[str, str]:
    """The child imports from where this program imports, whatever changed its path."""
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}


def _stop(process: subprocess.Popen[bytes], connection: Connection, log: IO[bytes]) -> None:
    connection.close()
    process.kill()  # it holds nothing that could be lost
    process.wait()
    log.close()


def _signal_name(returncode: int) -> str:
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"exit code {returncode}"
