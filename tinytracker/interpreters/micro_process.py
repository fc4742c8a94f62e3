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
        returncode: exit code of the process; -n for signal n.
    """

    kind = "crash"

    def __init__(self, returncode: int) -> None:
        self.signal = _signal_name(returncode)
        super().__init__(f"TFLM ended its process with {self.signal}.")


class MicroRefusalError(TinyTrackerError):
    """TFLM returned an error.

    Args:
        printed: its output in one line, or else the message of its Python interface.
    """

    kind = "refusal"

    def __init__(self, printed: str) -> None:
        super().__init__(printed)


class MicroTimeoutError(TinyTrackerError):
    """The child process did not answer.

    Args:
        seconds: for which it was waited.
    """

    kind = "timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"TFLM has not answered for {seconds:g} s; its process was ended.",
            "Run fewer frames at a time, or a smaller network.",
        )


TIMEOUT_S = 600.0
"""For one request, which may be a thousand frames of a large network on a busy computer."""


class MicroProcess:
    """A child process with one TFLM interpreter; it runs until `close`, a crash, or the end of this program.

    Requests are served one at a time; other threads wait.
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
        """Process ID of the child."""
        return self._process.pid

    def load(self, model: bytes, arena_bytes: int) -> None:
        """Create an interpreter; raises like `request`."""
        self.request("load", model, arena_bytes)

    def reset(self) -> None:
        """Reset the model to its initial state; raises like `request`."""
        self.request("reset")

    def run(self, inputs: list[Any], outputs: int) -> list[list[Any]]:
        """Run frames and return the outputs of each; raises like `request`.

        Args:
            inputs: one array per input of the model, frames first.
            outputs: number of outputs of the model.
        """
        value, _ = self.request("run", inputs, outputs)
        frames: list[list[Any]] = value
        return frames

    def allocations(self) -> str:
        """Return TFLM's memory report, as it prints it; raises like `request`."""
        return self.request("print_allocations")[1]

    def request(self, *message: Any) -> tuple[Any, str]:
        """Send a request and wait for the answer.

        Returns:
            The value of the answer, and what TFLM printed during the request.

        Raises:
            MicroRefusalError: TFLM returned an error.
            MicroCrashError: the process ended.
            MicroTimeoutError: no answer within `TIMEOUT_S`; the process was ended.
        """
        with self._lock:
            begin = os.fstat(self._log.fileno()).st_size
            try:
                self._connection.send(message)
                if not self._connection.poll(TIMEOUT_S):
                    self._process.kill()
                    self._process.wait()
                    raise MicroTimeoutError(TIMEOUT_S)
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
    """Return an environment with which the child imports from the same paths as this program."""
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}


def _stop(process: subprocess.Popen[bytes], connection: Connection, log: IO[bytes]) -> None:
    connection.close()
    process.kill()  # it has no data to lose
    process.wait()
    log.close()


def _signal_name(returncode: int) -> str:
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"exit code {returncode}"
