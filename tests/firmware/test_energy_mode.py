"""MLPerf Tiny's energy mode: a host at 9600 baud, the real firmware on the emulated board, a stand-in for the UART."""

import shutil
import time

import pytest
import serial
from support.rated_line import RatedLine
from support.tflite_nets import NetBuilder

from tinytracker.emulate import emulated_board

TOOLS = [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(TOOLS), reason=f"{' and '.join(TOOLS)} not installed")


class Runner:
    """Does what MLCommons' runner does with a device: a command, then lines until one holds m-ready."""

    def __init__(self, port, rate):
        self.port = serial.Serial(port, rate, timeout=0.1)

    def command(self, text, seconds=60.0):
        self.port.write(text.encode() + b"%")
        lines, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            line = self.port.readline().decode(errors="replace").strip()
            lines += [line] if line else []
            if line == "m-ready":
                return lines
        raise AssertionError(f"no answer to {text}: {lines}")


@pytest.fixture
def line():
    net = NetBuilder((1, 4, 4, 1))
    net.conv(4, 3, 2)
    net.mean()
    net.dense(2)
    with emulated_board(net.build()) as board, RatedLine(board.port) as line:
        yield line


def test_a_host_at_9600_baud_takes_the_board_into_energy_mode(line):
    host = Runner(line.port, 9600)
    answers = [host.command("name") for _ in range(3)]  # the runner asks for the name up to three times
    assert answers[0] == ["m-timestamp-mode-energy", "m-ready"]
    assert answers[1:] == [["m-name-dut-[qemu-mps2-an386]", "m-ready"]] * 2
    assert line.garbled
    assert host.command("profile")[1] == "m-model-[tinytracker]"
    host.command("db load 16")
    assert host.command("db " + "11" * 16)[0] == "m-load-done"
    said = host.command("infer 3 1")
    assert not [text for text in said if text.startswith("m-lap-us-")]
    assert said[-3].startswith("m-results-[")
    assert said[-3].count(",") == 1


def test_a_host_at_115200_baud_gets_times(line):
    host = Runner(line.port, 115200)
    assert host.command("name")[-2] == "m-name-dut-[qemu-mps2-an386]"
    host.command("db load 16")
    host.command("db " + "11" * 16)
    assert len([text for text in host.command("infer") if text.startswith("m-lap-us-")]) == 2
    assert line.garbled == 0
