"""This computer as a source of frames: a network in one of its runtimes, timed phase by phase."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.errors import UsageError
from tinytracker.files import sha256_bytes
from tinytracker.hosts import open_runtime
from tinytracker.interpreters.base import Array
from tinytracker.interpreters.phased import PhasedInterpreter
from tinytracker.measure.board import Board, gaze_cm
from tinytracker.measure.frame import Exchange, Frame, FrameEvent, RawBytes
from tinytracker.measure.host_clock import now_ns
from tinytracker.measure.opening import Request
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract
from tinytracker.targets import Target

PHASES = ("preprocess", "inference", "retrieve")
"""Handing the image to the runtime, running the network, and fetching its outputs."""

_MODEL_FILE = Path("/proc/device-tree/model")
_PROCESSORS = Path("/proc/cpuinfo")


@contextmanager
def open_source(target: Target, request: Request) -> Iterator[HostBoard]:
    """Load the network into the runtime that `request.host` names.

    Raises:
        UsageError: no network was given, or an option that the runtime does not have.
        MissingDependencyError: the runtime is not installed.
        ModelError: it cannot run the network.
    """
    if request.content is None:
        raise UsageError("This computer needs a network to run.", "Give --run or --model.")
    runtime = open_runtime(request.content, request.host)
    yield HostBoard(request.content, runtime, target.name)


class HostBoard:
    """A `measurement.Source` whose network runs in this process.

    Args:
        model: content of the .tflite file.
        runtime: with the network loaded.
        name: of the board in sessions.

    Attributes:
        board: its description. description: of computer and runtime, for the session's header.
    """

    def __init__(self, model: bytes, runtime: PhasedInterpreter, name: str) -> None:
        io = IoContract.of(read_tflite(model))
        self._runtime = runtime
        self._image = b""
        self._sequence = 0
        self.board = Board(
            name=name,
            build=runtime.name,
            model_sha256=sha256_bytes(model),
            ticks_per_s=1e9,
            clock="device",
            source="loaded",
            phases=PHASES,
            io=io,
            stamps_are_host=True,
            is_exact=False,
        )
        self.description: dict[str, Any] = {"runtime": runtime.name, **describe_computer()}

    def exchange(self) -> Exchange:
        """Read the clock; device and host have the same."""
        before, now, after = now_ns(), now_ns(), now_ns()
        return Exchange(before, now, now, after)

    def load(self, image: bytes) -> None:
        """Set the image of the next frames, packed as the network stores it."""
        if len(image) != self.board.input_bytes:
            raise UsageError(
                f"An image of {len(image):,} bytes does not fit the network's {self.board.input_bytes:,}."
            )
        self._image = image

    def frames(self, count: int) -> Generator[FrameEvent, None, None]:
        """Run frames."""
        return self.bursts(count, 1)

    def bursts(self, count: int, inferences: int) -> Generator[FrameEvent, None, None]:
        """Run frames with so many inferences in each."""
        runtime = self._runtime
        for _ in range(count):
            start = now_ns()
            runtime.load(self._unpacked())
            loaded = now_ns()
            for _ in range(inferences):
                runtime.infer()
            inferred = now_ns()
            outputs = runtime.retrieve()
            end = now_ns()
            packed = b"".join(array.tobytes() for array in outputs)
            gaze = gaze_cm(self.board.io, packed)
            yield Frame(self._sequence, (start, loaded, inferred, end), packed, gaze, end)
            self._sequence += 1

    def _unpacked(self) -> list[Array]:
        """The image as arrays, without a copy."""
        arrays, begin = [], 0
        for tensor in self.board.io.inputs:
            count = math.prod(tensor.shape)
            dtype = np.dtype(tensor.dtype)
            arrays.append(np.frombuffer(self._image, dtype, count, begin).reshape(tensor.shape))
            begin += count * dtype.itemsize
        return arrays

    def take_raw(self) -> list[RawBytes]:
        """Nothing goes over a line."""
        return []

    def stop(self) -> None:
        """Nothing runs between frames."""

    def reconnect(self) -> bool:
        """Return False: it cannot be unplugged."""
        return False


def describe_computer() -> dict[str, Any]:
    """What a session's header says about this computer: its model, processor, cores, governor and load."""
    return {
        "machine": _machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "governor": _text(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _machine() -> str:
    """Such as "Raspberry Pi 4 Model B Rev 1.4"; boards with a device tree say it, a PC does not."""
    return _text(_MODEL_FILE).strip("\0 ")


def _processor() -> str:
    for line in _text(_PROCESSORS).splitlines():
        if line.lower().startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text().strip()
    return ""
