"""The link to a board behind a real pty: what is lost, damaged, silent or pulled out is said, and nothing hangs."""

import os
import select
import threading

import pytest
from support.fake_line import HELLO, FakeLine, record

from tinytracker.cascade.rule import GateSettings
from tinytracker.cascade.thresholds import Thresholds
from tinytracker.errors import DeviceError, UnpluggedError, UsageError
from tinytracker.measure.frame import Frame
from tinytracker.measure.host_clock import now_ns
from tinytracker.measure.link import open_link
from tinytracker.measure.protocol import Damaged, Lost


def kinds(events):
    return [type(event).__name__ for event in events]


def test_a_board_says_who_it_is_and_what_it_sees():
    with FakeLine() as board, open_link(board.port) as link:
        assert (link.board.name, link.board.source, link.board.clock) == ("fake", "camera", "device")
        assert link.board.io.inputs[0].shape == (1, 4, 4, 1)
        frames = list(link.frames(3))
        before = now_ns()
        exchange = link.exchange()
    assert [f.sequence for f in frames] == [0, 1, 2]
    # 0x0d and 0x17 with zero point 3 and the float32 next to 0.1
    assert frames[0].gaze_cm == pytest.approx((1.0, 2.0), abs=1e-6)
    assert before <= exchange.sent_ns <= exchange.arrived_ns
    assert exchange.sent_ns // 1000 <= exchange.received_ticks <= exchange.answered_ticks
    assert exchange.answered_ticks <= exchange.arrived_ns // 1000


def test_lost_and_damaged_records_are_events_among_the_frames():
    def frame(board, sequence):
        line = record(sequence, board.ticks())
        if sequence == 1:
            line = line.replace("0d17", "0d18")
        if sequence not in (3, 4):
            board.say(line)

    with FakeLine(frame) as board, open_link(board.port) as link:
        events = list(link.frames(6))
        assert kinds(events) == ["Frame", "Damaged", "Lost", "Frame", "Lost", "Frame"]
        assert [e for e in events if isinstance(e, Lost)] == [Lost(1, 0), Lost(2, 2)]
        assert next(e for e in events if isinstance(e, Damaged)).reason == "checksum"
        assert kinds(link.frames(2)) == ["Frame", "Frame"]


def test_a_caller_that_leaves_stops_the_board():
    with FakeLine() as board, open_link(board.port) as link:
        for event in link.frames(1_000_000):
            if isinstance(event, Frame) and event.sequence == 5:
                break
        assert "tt stop" in board.commands
        assert kinds(link.frames(1)) == ["Frame"]


def test_firmware_that_knows_no_bursts_is_found_out():
    with FakeLine() as board, open_link(board.port) as link:
        with pytest.raises(DeviceError, match=r"does not run bursts. Flash its firmware again"):
            list(link.bursts(2, 10))
        with pytest.raises(UsageError, match="0 inferences per frame are out of range"):
            list(link.bursts(2, 0))
        assert kinds(link.frames(1)) == ["Frame"]


def test_a_firmware_without_a_cascade_is_found_out():
    with FakeLine() as board, open_link(board.port) as link:
        with pytest.raises(
            DeviceError, match=r"firmware of this board has no cascade\. Package the network again"
        ):
            link.set_thresholds(Thresholds(GateSettings()))
        assert not [command for command in board.commands if "cascade" in command]


def test_images_are_sent_as_they_are():
    with FakeLine() as board, open_link(board.port) as link:
        link.load(bytes(range(30, 46)))
        assert board.images == [bytes(range(30, 46))]
        with pytest.raises(UsageError, match="takes 16"):
            link.load(b"12")


def test_a_board_that_runs_already_is_found():
    with FakeLine() as board:
        host = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
        os.write(host, b"tt frame 100000%")
        assert select.select([host], [], [], 60)[0]  # frames run
        os.close(host)
        with open_link(board.port) as link:
            assert kinds(link.frames(2)) == ["Frame", "Frame"]


def test_a_board_in_its_shell_is_told_to_start(monkeypatch):
    monkeypatch.setattr("tinytracker.measure.handshake._CONNECT_TRY_S", 1.5)
    with FakeLine(shell=True) as board, open_link(board.port) as link:
        assert kinds(link.frames(2)) == ["Frame", "Frame"]


def test_a_port_without_a_board_is_said(monkeypatch):
    # As long as the board needs for its complaint on a busy computer; it never tells the time.
    monkeypatch.setattr("tinytracker.measure.handshake._CONNECT_TRIES", 1)
    monkeypatch.setattr("tinytracker.measure.handshake._CONNECT_TRY_S", 3.0)
    failing = FakeLine(clock=False, hello=())
    with failing as board, pytest.raises(DeviceError, match="Empty command"), open_link(board.port):
        pass


def test_a_cable_that_is_pulled_out_is_said():
    def frame(board, sequence):
        if sequence == 2:
            board.unplug()
        else:
            board.say(record(sequence, board.ticks()))

    seen = []
    with FakeLine(frame) as board, open_link(board.port) as link:
        with pytest.raises(UnpluggedError, match="the board was disconnected"):
            seen += list(link.frames(10))
        with pytest.raises(UnpluggedError):
            list(link.frames(1))


def test_a_silent_board_is_given_up():
    given_up = threading.Event()
    with FakeLine(lambda board, sequence: given_up.wait(60)) as board, open_link(board.port) as link:
        link._line.silence_s = 0.3  # from here on: the board may need longer to describe itself
        with pytest.raises(DeviceError, match=r"sent nothing for 0\.3 s"):
            list(link.frames(1))
        given_up.set()


def test_a_board_that_starts_anew_ends_the_frames():
    def frame(board, sequence):
        board.say("m-init-done", "m-ready") if sequence == 1 else board.say(record(sequence, board.ticks()))

    with (
        FakeLine(frame) as board,
        open_link(board.port) as link,
        pytest.raises(DeviceError, match="has restarted"),
    ):
        list(link.frames(5))


def test_what_a_board_complains_about_is_passed_on():
    def frame(board, sequence):
        board.say("e-[The camera failed]")

    with (
        FakeLine(frame) as board,
        open_link(board.port) as link,
        pytest.raises(DeviceError, match="camera failed"),
    ):
        list(link.frames(5))


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        (0, "m-tt-protocol-[4]", "protocol version 4"),
        (3, "m-tt-model-[55]", "hash"),
        (4, "m-tt-time-[0,device]", "clock is"),
        (5, "m-tt-source-[radio]", "source of images"),
        (6, "m-tt-phases-[a,a]", "phases are"),
        (7, "m-tt-input-[0,image,uint8,1x4x4x1,3c000000,128,17]", "17 bytes"),
        (7, "m-tt-input-[0,image,uint8,1x4x4x1,7fc00000,128,16]", "scale nan"),
        (8, "m-tt-output-[1,gaze,int8,1x2,3dcccccd,3,2]", "output 0"),
        (2, "log: hello", "m-tt-build is missing"),
    ],
)
def test_descriptions_that_cannot_be_are_refused(line, instead, message):
    hello = [instead if k == line else text for k, text in enumerate(HELLO)]
    with FakeLine(hello=hello) as board, pytest.raises(DeviceError, match=message), open_link(board.port):
        pass


def test_ports_that_cannot_be(tmp_path):
    with pytest.raises(DeviceError, match="no such port"), open_link(str(tmp_path / "no")):
        pass
    with pytest.raises(DeviceError, match="socket"), open_link("socket://127.0.0.1:1"):
        pass
    with (
        FakeLine() as board,
        open_link(board.port),
        pytest.raises(DeviceError, match="another program"),
        open_link(board.port),
    ):
        pass
