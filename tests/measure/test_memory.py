"""`tt bench memory`: what a board answers, and what that says about where its constants are."""

import json
import shutil
import zlib
from pathlib import Path

import pytest
from support.tflite_nets import NetBuilder

from tinytracker.emulate import emulated_board
from tinytracker.errors import DeviceError
from tinytracker.measure.link import open_link
from tinytracker.measure.memory import MemorySpeed, memory_sentences, parse_memory, recorded_memory
from tinytracker.measure.results import summarize_session
from tinytracker.report import report
from tinytracker.report.measured import session_part

READS = 64 * 4096
HZ = 156e6


def small_net() -> bytes:
    net = NetBuilder((1, 8, 8, 1))
    net.conv(4, 3, 2)
    net.mean()
    net.dense(2)
    return net.build()


def line(body: str) -> str:
    return f"{body},{zlib.crc32(body.encode()):08x}"


def speed(place: str, ticks: int) -> MemorySpeed:
    return MemorySpeed(place=place, address=0x0D001000, reads=READS, ticks=ticks)


@pytest.fixture(scope="module")
def answers():
    if shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None:
        pytest.skip("needs gcc-arm-none-eabi and qemu-system-arm")
    with emulated_board(small_net()) as board, open_link(board.port, silence_s=60) as link:
        return link.bench_memory()


def test_an_emulated_board_answers_for_every_place(answers):
    assert [s.place for s in answers] == ["beside-code", "constants", "variables", "stack"]
    assert {s.reads for s in answers} == {READS}
    assert len({s.address for s in answers}) == 4
    assert all(0x20000000 <= s.address < 0x20180000 for s in answers)
    # 8 ticks are 5 instructions; the same instructions for every place, two or so for each read
    instructions = [s.ticks * 5 / 8 for s in answers]
    assert max(instructions) - min(instructions) < 100
    assert 1.0 < instructions[0] / READS < 3.0


def test_answers_are_checked():
    good = line(f"stack,0d001000,{READS},1234")
    assert parse_memory(good) == MemorySpeed(place="stack", address=0x0D001000, reads=READS, ticks=1234)
    for bad in (
        good.replace("1234", "1235"),
        line("stack,0d001000,1"),
        line("stack,xyz,1,1"),
        line("stack,0d,0,1"),
    ):
        with pytest.raises(ValueError, match=r"checksum|fields|invalid literal|greater than 0"):
            parse_memory(bad)


def test_a_board_with_older_firmware_is_named():
    from tinytracker.measure.link import Link
    from tinytracker.measure.protocol import Complaint

    class OldLine:
        def send(self, command):
            return 0

        def until_ready(self):
            yield Complaint("Unknown tt command: bench")

    class Old(Link):
        name = "old"

        def __init__(self):
            self._line = OldLine()

    with pytest.raises(DeviceError, match="does not answer `tt bench memory`"):
        Old().bench_memory()


@pytest.mark.parametrize(
    ("constants", "expected"),
    [
        (1_000_000, "read 50% faster than data beside the code"),
        (2_010_000, "read as fast as data beside the code"),
        (4_000_000, "read 100% slower than data beside the code"),
    ],
)
def test_the_session_says_which_it_is(constants, expected):
    speeds = [speed("beside-code", 2_000_000), speed("constants", constants)]
    first, second = memory_sentences(speeds, HZ, is_emulated=False)
    assert "beside-code (0x0d001000) 48.9" in first
    assert expected in second


def test_an_emulated_board_gives_no_verdict(answers):
    (said,) = memory_sentences(answers, 25e6, is_emulated=True)
    assert said.endswith("Emulated: every place costs the same there.")


def test_the_header_of_a_session_keeps_it():
    kept = [speed("stack", 5).model_dump()]
    assert recorded_memory({"memory": kept}) == (speed("stack", 5),)
    assert recorded_memory({}) == recorded_memory({"memory": [{"place": 3}]}) == ()


def test_the_report_shows_it(tmp_path):
    recorded = Path(__file__).parent / "data" / "emulated_session.jsonl"
    first, *rest = recorded.read_text().splitlines()
    header = json.loads(first)
    header |= {"source": "hardware", "clock": "device", "ticks_per_s": HZ}
    speeds = [speed("beside-code", 2_000_000), speed("constants", 1_000_000)]
    header["metadata"]["memory"] = [s.model_dump() for s in speeds]
    path = tmp_path / "s.jsonl"
    path.write_text("\n".join([json.dumps(header), *rest]) + "\n")
    assert "read 50% faster" in session_part(path)["memory"][1]
    page = report([path], tmp_path / "report.html").page.read_text()
    assert "constants are read 50% faster than data beside the code" in page
    said = summarize_session(path).sentences
    assert any("read 50% faster" in sentence for sentence in said)
