"""Builds and talks to the Coral application on this computer: serial line on stdout, JSON-RPC on stdin."""

from __future__ import annotations

import json
import subprocess
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

import numpy as np
from support.edgetpu_builder import gaze_net

from tinytracker.model.tflite_file import read_tflite
from tinytracker.package.coralmicro.header import header, image_layout
from tinytracker.quant.contract import IoContract

APP = Path(__file__).parents[2] / "deploy" / "coralmicro"
SIZE = 324
SANITIZE = "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all"


def contract(shape=(1, 16, 16, 1), dtype: str = "uint8") -> IoContract:
    return IoContract.of(read_tflite(gaze_net(shape, dtype=dtype)))


def write_header(folder: Path, io: IoContract, methods: tuple[str, ...] = (), arena: int = 70_000) -> Path:
    text = header(io, "5" * 64, image_layout(io, None), arena, methods)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gaze_model.h").write_text(text)
    return folder


def make(package: Path, build: Path, goal: str, extra: str = "") -> str:
    """Run the application's Makefile; returns what it printed."""
    command = ["make", "-j2", "-C", str(APP), goal, f"PACKAGE={package}", f"BUILD={build}", f"EXTRA={extra}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@dataclass(frozen=True)
class Frame:
    """One record."""

    sequence: int
    stamps: tuple[int, ...]
    outputs: bytes
    aim: tuple[int, ...] = ()


def parse_frame(line: str, stamps: int | None = None) -> Frame:
    """A record, its checksum verified; with an aim, its number of stamps must be given."""
    assert line.startswith("m-tt-frame-[")
    assert line.endswith("]")
    body, crc = line[len("m-tt-frame-[") : -1].rsplit(",", 1)
    assert int(crc, 16) == zlib.crc32(body.encode())
    if stamps is not None:
        sequence, *times, outputs, aim = body.split(",")
        assert len(times) == stamps
        return Frame(
            int(sequence), tuple(map(int, times)), bytes.fromhex(outputs), tuple(map(int, aim.split(":")))
        )
    sequence, *times, outputs = body.split(",")
    return Frame(int(sequence), tuple(map(int, times)), bytes.fromhex(outputs))


def averaged(pixels: np.ndarray, side: int) -> np.ndarray:
    """Mean of whole blocks in integers, halves up: (n·side, n·side, 3) to (side, side, 3)."""
    n = len(pixels) // side
    sums = pixels.astype(np.int64).reshape(side, n, side, n, 3).sum((1, 3))
    return (2 * sums + n * n) // (2 * n * n)


class Board:
    """The running program."""

    def __init__(
        self, program: Path, folder: Path, frame: np.ndarray | None = None, broken: str = ""
    ) -> None:
        models = folder / "fs" / "models"
        models.mkdir(parents=True, exist_ok=True)
        (models / "gaze_model_edgetpu.tflite").write_bytes(b"any")
        if broken == "model":
            (models / "gaze_model_edgetpu.tflite").unlink()
        self.pins = folder / "pins"
        environment = {
            "FAKE_FILES": str(folder / "fs"), "FAKE_PINS": str(self.pins), "FAKE_BROKEN": broken, "FAKE_FRAME": "",
        }  # fmt: skip
        if frame is not None:
            (folder / "frame").write_bytes(frame.tobytes())
            environment["FAKE_FRAME"] = str(folder / "frame")
        self._process = subprocess.Popen(
            [program], env=environment, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.lines: Queue[str] = Queue()
        self.answers: Queue[str] = Queue()
        self._threads = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self._process.stdout, self.lines), (self._process.stderr, self.answers))
        ]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _read(stream, queue: Queue[str]) -> None:
        for line in stream:
            queue.put(line.rstrip("\r\n"))
        queue.put("(end)")

    @staticmethod
    def take(queue: Queue[str]) -> str:
        """Next line; a hang is a failure, not a wait."""
        try:
            return queue.get(timeout=120)
        except Empty:
            raise AssertionError("the board is silent") from None

    def until_ready(self) -> list[str]:
        """Lines up to m-ready."""
        found = []
        while (line := self.take(self.lines)) != "m-ready":
            assert line != "(end)", found
            found.append(line)
        return found

    def call(self, method: str, **parameters) -> dict:
        """One JSON-RPC call and its answer."""
        self.send(method, **parameters)
        return json.loads(self.take(self.answers))

    def send(self, method: str, **parameters) -> None:
        """A call without waiting for the answer."""
        self._process.stdin.write(f"{method} {json.dumps(parameters, separators=(',', ':'))}\n")
        self._process.stdin.flush()

    def command(self, line: str) -> list[str]:
        """One command of the protocol and its lines."""
        assert "result" in self.call("command", line=line)
        return self.until_ready()

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            stream.close()
