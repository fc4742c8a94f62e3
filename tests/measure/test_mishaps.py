"""What goes wrong at a desk: endless lines, a full disk, a kill, a plug that is pulled and pushed in again."""

import os
import threading
import time

import numpy as np
import pytest
from support.cli import run
from support.fake_line import FakeLine, record
from support.sessions import header

from tinytracker.errors import OutputError
from tinytracker.measure import link
from tinytracker.measure.host_clock import now_ns
from tinytracker.measure.latency import latencies
from tinytracker.measure.playback import replay
from tinytracker.measure.session import SessionWriter
from tinytracker.measure.session_reader import read_session


def measure(port, out, *more):
    return run("measure", "--target", "spresense", "--port", port, "--out", out, *more)


def test_megabytes_without_an_end_of_line_leave_a_session_that_can_be_read(tmp_path):
    def frame(board, sequence):
        if sequence == 20:
            board.write(b"\0" * 3_000_000 + b"\n")
        board.say(record(sequence, board.ticks()))

    with FakeLine(frame) as board:
        answer = measure(board.port, tmp_path / "s.jsonl", "--frames", 40)
    assert answer.code == 0, answer.err
    session = read_session(tmp_path / "s.jsonl")
    assert (len(session), session.problems) == (50, ())
    assert session.damaged
    assert max(map(len, (tmp_path / "s.jsonl").read_bytes().splitlines())) < 1 << 20
    assert replay(tmp_path / "s.jsonl").differences == ()


def test_a_session_that_was_killed_anywhere_replays(tmp_path):
    with FakeLine() as board:
        assert measure(board.port, tmp_path / "s.jsonl", "--frames", 20).code == 0
    lines = (tmp_path / "s.jsonl").read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    first = next(k for k, line in enumerate(lines) if b'"frame"' in line)
    for end in range(first, len(lines)):
        cut.write_bytes(b"".join(lines[:end]) + lines[end][: len(lines[end]) // 2])
        assert replay(cut).differences == (), end


def test_a_full_disk_names_a_way_that_works(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    def record_two():
        with SessionWriter(tmp_path / "s.jsonl", header()) as writer:
            writer.frame(0, [1, 2, 3, 4], b"", 0)
            monkeypatch.setattr(os, "write", full)
            writer.frame(1, [5, 6, 7, 8], b"", 0)

    with pytest.raises(OutputError, match="another --out"):
        record_two()
    assert len(read_session(tmp_path / "s.jsonl")) == 1


@pytest.mark.parametrize(
    "port", ["socket://localhost", "socket://localhost:99999", "rfc2217://:7", "socket://h:x"]
)
def test_an_address_without_a_port_is_refused_in_a_sentence(port, tmp_path):
    answer = measure(port, tmp_path / "s.jsonl")
    assert answer.code == 2
    assert "HOST:PORT" in answer.err
    assert "NoneType" not in answer.err


def test_a_board_that_comes_back_resumes_in_the_same_session(tmp_path, monkeypatch):
    monkeypatch.setattr(link, "RECONNECT_S", 120.0)
    port, out = tmp_path / "ttyACM0", tmp_path / "s.jsonl"
    boards, moments, back = [], [], threading.Event()

    def frame(board, sequence):
        if sequence == 30 and len(boards) == 1:
            boards.append(None)
            threading.Thread(target=pulled, args=(board,)).start()
            back.wait(60)
        board.say(record(sequence, board.ticks()))

    def pulled(board):
        while (
            out.read_bytes().count(b'"type": "frame"') < 20
        ):  # what the host has not read yet goes with the line
            time.sleep(0.01)
        moments.append(now_ns())
        board.unplug()
        again = FakeLine(frame)
        boards.append(again)
        port.unlink()
        moments.append(now_ns())
        port.symlink_to(again.port)
        back.set()

    first = FakeLine(frame)
    boards.append(first)
    port.symlink_to(first.port)
    try:
        answer = measure(port, out, "--frames", 60, "--json")
    finally:
        boards[-1].unplug()
    assert answer.code == 0, answer.err
    session = read_session(out)
    assert (session.end, len(session)) == ("done", 70)
    ((at, began, ended),) = session.gaps
    unplugged, plugged = moments
    assert unplugged < began < ended < now_ns()
    assert plugged < ended
    # The board began to count anew, and the first frame behind the gap has no period.
    assert session.sequence[at] == 0
    assert session.resumed[at]
    assert len(latencies(session).series["period"]) < 70 - 1
    assert any("The board was disconnected for" in text for text in answer.document["remarks"])
    assert not any("do not ascend" in text for text in session.problems)
    assert np.all(np.diff(session.host_ns) >= 0)
    assert replay(out).differences == ()


def test_a_board_that_stays_away_ends_the_session(tmp_path, monkeypatch):
    monkeypatch.setattr(link, "RECONNECT_S", 0.3)

    def frame(board, sequence):
        if sequence == 30:
            board.unplug()
        else:
            board.say(record(sequence, board.ticks()))

    with FakeLine(frame) as board:
        answer = measure(board.port, tmp_path / "s.jsonl", "--json")
    assert (answer.code, answer.document["end"]) == (1, "unplugged")
    assert read_session(tmp_path / "s.jsonl").gaps == ()
