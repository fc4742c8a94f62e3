"""The emulated board on a real serial line: protocol, exact outputs, a thousand bad inputs."""

import os
import random
import re
import select
import time
import zlib

import numpy as np
import pytest
from support.tflite_builder import T
from support.tflite_nets import NetBuilder

from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.emulate import EmulatedBoard, build_all, emulate, emulated_board
from tinytracker.emulate.firmware import RAM_BYTES


def small_net() -> bytes:
    net = NetBuilder((1, 12, 12, 3))
    net.conv(8, 3, 2)
    net.mean()
    net.dense(2)
    net.emit("TANH", [net.last], T((1, 2), scales=(1 / 128,)))
    return net.build()


class Line:
    """A host that waits for m-ready after each command."""

    def __init__(self, board: EmulatedBoard) -> None:
        self.file = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
        self.unread = b""

    def send(self, content: bytes) -> None:
        while content:
            content = content[os.write(self.file, content[:512]) :]

    def until(self, mark: str, seconds: float = 120.0) -> list[str]:
        lines, end = [], time.monotonic() + seconds
        while True:
            while b"\r\n" in self.unread:
                line, self.unread = self.unread.split(b"\r\n", 1)
                lines.append(line.decode("ascii"))
                if lines[-1].startswith(mark):
                    return lines
            ready, _, _ = select.select([self.file], [], [], max(end - time.monotonic(), 0))
            assert ready, f"no {mark} within {seconds} s after {lines[-5:]}"
            self.unread += os.read(self.file, 65536)

    def answers(self, mark: str, seconds: float) -> bool:
        """Whether a line comes before so many seconds of silence."""
        while True:
            while b"\r\n" in self.unread:
                line, self.unread = self.unread.split(b"\r\n", 1)
                if line.decode("ascii").startswith(mark):
                    return True
            if not select.select([self.file], [], [], seconds)[0]:
                return False
            self.unread += os.read(self.file, 65536)

    def command(self, text: str) -> list[str]:
        self.send(text.encode() + b"%")
        return self.until("m-ready")


@pytest.fixture(scope="module")
def line():
    with emulated_board(small_net()) as board:
        host = Line(board)
        host.send(b"tt clock 4711%")  # the m-ready of the start-up may be lost or may come late
        host.until("m-tt-clock-[4711,")
        host.until("m-ready")
        yield host
        os.close(host.file)


def load(host: Line, image: bytes) -> list[str]:
    host.send(b"tt load %d %08x%%" % (len(image), zlib.crc32(image)))
    host.until("m-tt-send")
    host.send(image)
    return host.until("m-ready")


def test_hello(line):
    said = line.command("tt hello")
    assert "m-tt-board-[qemu-mps2-an386]" in said
    assert "m-tt-time-[25000000,emulated]" in said
    assert any(re.fullmatch(r"m-tt-input-\[0,image,int8,1x12x12x3,3c000000,0,432\]", text) for text in said)


def test_outputs_over_the_line_are_those_of_the_batch_run(line):
    images = np.random.default_rng(2).integers(-128, 128, (3, 12, 12, 3)).astype(np.int8)
    expected = emulate(small_net(), images).outputs[0]
    for image, output in zip(images, expected, strict=True):
        said = load(line, image.tobytes())
        assert said[0].startswith("m-tt-loaded-[432,")
        frame = next(text for text in line.command("tt frame 1") if text.startswith("m-tt-frame-["))
        assert frame.split(",")[5] == output.tobytes().hex()


def test_time_is_counted_instructions(line):
    load(line, bytes(432))
    frames = [text.split(",") for text in line.command("tt frame 3") if text.startswith("m-tt-frame-[")]
    durations = [int(frame[4]) - int(frame[3]) for frame in frames]
    assert max(durations) - min(durations) < 50  # ticks; reading the clock differs by a few
    report = emulate(small_net(), np.zeros((1, 12, 12, 3), np.int8), kernels=CortexM4())
    copying = (
        12 * 12 * 3
    )  # the board's time begins before the input is in its place: an instruction a byte at most
    assert 0 <= durations[0] * 5 / 8 - report.instructions < 0.01 * report.instructions + copying


def test_frames_can_be_stopped(line):
    load(line, bytes(432))
    line.send(b"tt frame 1000000%")
    line.until("m-tt-frame-[")
    line.send(b"tt stop%")
    assert int(line.until("m-tt-frames-[")[-1][13:-1]) < 1_000_000
    line.until("m-ready")
    line.until("m-ready")
    assert line.command("name")[0] == "m-name-dut-[qemu-mps2-an386]"


def test_a_thousand_bad_inputs_leave_it_alive(line):
    rng = random.Random(5)
    words = [
        "tt",
        "load",
        "frame",
        "clock",
        "db",
        "infer",
        "x",
        "432",
        "0",
        "-1",
        "1",
        "99999999999",
        "%",
        "abc",
    ]
    for _ in range(1000):
        if rng.random() < 0.5:
            bad = rng.randbytes(rng.randrange(1, 120))
        else:
            bad = " ".join(rng.choice(words) for _ in range(rng.randrange(6))).encode()
        line.send(bad + b"%")
    # What did not fit into its buffer is lost, perhaps also this: asked again, a board that lives answers.
    for number in range(1000, 1100):
        line.send(b"%%tt clock %d%%" % number)
        if line.answers(f"m-tt-clock-[{number},", 3.0):
            break
    else:
        pytest.fail("the board does not answer")
    line.until("m-ready")
    assert line.command("name") == ["m-name-dut-[qemu-mps2-an386]", "m-ready"]


def test_a_new_host_in_the_middle_of_an_image_is_served(line):
    line.send(b"tt load 432 00000000%" + bytes(100))
    line.until("m-tt-send")
    assert line.until("m-ready")[0] == "e-[Image incomplete: 100 of 432 bytes]"


def test_all_configurations_build(tmp_path):
    for firmware in build_all(small_net(), tmp_path):
        assert firmware.elf.is_file()
        assert 0 < firmware.ram_bytes < RAM_BYTES
