"""All of MLPerf Tiny's energy mode: five windows, through an IO manager and a meter, to microjoules per inference.

Host, IO manager and meter are stand-ins that speak the same lines as MLCommons' runner and its devices; the firmware is
the real one, on the emulated board. What the meter sent is then read again by our own reader.
"""

import re
import shutil
import statistics
import threading
from itertools import pairwise

import pytest
import serial
from support.cli import run
from support.energy_bench import RATE, EnergyBench, MeterStandIn
from support.rated_line import RatedLine
from support.tflite_nets import NetBuilder

from tinytracker.emulate import emulated_board

TOOLS = [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(TOOLS), reason=f"{' and '.join(TOOLS)} not installed")

LIMIT_S = 60.0  # for an answer that is certain to come
WINDOW_S, INFERENCES, WARMUP = 10.5, 70, 3
SET_UP = (
    "htc", "pwr off", "acqtime inf", "trigdelay 0", "trigsrc sw", "eventsrc d7 fal", "output energy",
    "format ascii_dec", "freq 1k", "volt 1800m", "pwr on nostatus", "start",
)  # fmt: skip
MICROJOULES = (2.0, 2.1, 2.2, 2.05, 2.15)


class HostsMeter:
    """The runner's side of an LPM01A: commands are acknowledged, samples and events are collected meanwhile."""

    def __init__(self, port):
        self.port, self.samples, self.events, self.answers = serial.Serial(port, timeout=0.1), [], [], []
        self._parsed = 0  # bytes
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open = False
        self._thread.join()
        self.port.close()

    def _read(self):
        left = b""
        while self._open:
            *lines, left = (left + self.port.read(max(self.port.in_waiting, 1))).split(b"\r\n")
            with self._changed:
                for line in lines:
                    self._parse(line)
                    self._parsed += len(line) + len(b"\r\n")
                self._changed.notify_all()

    def _parse(self, line):
        if event := re.fullmatch(rb"event (\d+) ris", line):
            self.events.append((int(event[1]), len(self.samples)))
        elif re.fullmatch(rb"\d{4}[+-]\d\d", line):
            self.samples.append(float(line[:4]) * 10.0 ** int(line[4:]))
        elif not line.startswith(b"TimeStamp"):
            self.answers.append(line.decode())

    def command(self, text, answer="ack"):
        self.port.write(text.encode() + b"\r\n")
        with self._changed:
            self._changed.wait_for(lambda: any(answer in said for said in self.answers), LIMIT_S)
            assert any(answer in said for said in self.answers), f"no {answer!r} to {text}: {self.answers}"
            self.answers.clear()

    def take(self, said):
        """Samples and events since the last call, when all of what the meter has said has arrived."""
        with self._changed:
            self._changed.wait_for(lambda: self._parsed >= len(said), LIMIT_S)
            assert self._parsed == len(said)
            taken = self.samples, self.events
            self.samples, self.events = [], []
        return taken


class HostsBoard:
    """The runner's side of the IO manager: `dut COMMAND%`, an acknowledgement of two lines, the board's own lines."""

    def __init__(self, port):
        self.port = serial.Serial(port, 115200, timeout=LIMIT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.port.close()

    def until_ready(self):
        lines = []
        while not lines or lines[-1] != "m-ready":
            line = self.port.readline().decode()
            assert line, f"silence after {lines}"
            lines.append(line.strip().removeprefix("[dut]: "))
        return lines

    def command(self, text):
        self.port.write(f"dut {text}%".encode())
        assert len(self.until_ready()) == 2
        return self.until_ready()


@pytest.fixture
def bench():
    net = NetBuilder((1, 4, 4, 1))
    net.conv(4, 3, 2)
    net.mean()
    net.dense(2)
    meter = MeterStandIn(WINDOW_S, MICROJOULES)
    with (
        emulated_board(net.build()) as board,
        RatedLine(board.port) as uart,
        EnergyBench(uart.port, meter) as bench,
    ):
        yield bench


def _windows(board, meter, said_by_meter):
    for k in range(len(MICROJOULES)):
        data = bytes([16 * k + 3] * 16)
        board.command("db load 16")
        assert "m-load-done" in board.command("db " + data.hex())
        said = board.command(f"infer {INFERENCES} {WARMUP}")
        assert [line for line in said if re.fullmatch(r"m-results-\[[^\]]+,[^\]]+\]", line)]
        samples, events = meter.take(said_by_meter())
        assert [after - before for (before, _), (after, _) in pairwise(events)] == [1]
        first, last = events[-2][1], events[-1][1]
        yield (last - first) / RATE, sum(samples[first:last]) / INFERENCES


def test_five_windows_give_microjoules_per_inference(bench, tmp_path):
    with HostsMeter(bench.meter.port) as meter, HostsBoard(bench.port) as board:
        for command in SET_UP:
            meter.command(command)
        board.port.write(b"setbaud 9600%")
        assert board.until_ready() == ["m-ready"]
        assert board.command("name") == ["m-timestamp-mode-energy", "m-ready"]
        assert board.command("name") == ["m-name-dut-[qemu-mps2-an386]", "m-ready"]
        assert board.command("profile")[1] == "m-model-[tinytracker]"
        found = list(_windows(board, meter, lambda: bench.meter.said))
        meter.command("stop", "Acquisition completed")
        meter.command("hrc")
    assert [seconds for seconds, _ in found] == [WINDOW_S] * 5
    expected = [uj * 1e-6 * WINDOW_S * RATE / INFERENCES for uj in MICROJOULES]
    assert [energy for _, energy in found] == pytest.approx(expected, rel=1e-9)

    log = tmp_path / "meter.log"
    log.write_bytes(bench.meter.said.encode())
    answer = run("energy", log, "--lines", "0", "--phases", "inference", "--burst", INFERENCES, "--json")
    each = answer.document["per_inference"]
    assert each["median_j"] == pytest.approx(statistics.median(expected), rel=1e-3)
