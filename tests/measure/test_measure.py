"""`tinytracker measure` as a user meets it: a board on a port, Ctrl-C, a pulled cable, a session again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.cli import run
from support.fake_line import FakeLine, record

from tinytracker.measure import link
from tinytracker.measure.playback import replay
from tinytracker.measure.results import session_gaze
from tinytracker.measure.session_reader import read_session

RECORDED = Path(__file__).parent / "data" / "emulated_session.jsonl"


def measure(board, out, *more):
    return run("measure", "--target", "spresense", "--port", board.port, "--out", out, "--silence", 60, *more)


def test_a_session_of_a_board_with_a_camera(tmp_path):
    with FakeLine() as board:
        answer = measure(board, tmp_path / "s.jsonl", "--frames", 300, "--warmup", 5, "--json")
    assert answer.code == 0
    document = answer.document
    assert (document["frames"], document["warmup"], document["lost"], document["end"]) == (305, 5, 0, "done")
    assert not document["emulated"]
    assert list(document["phases"]) == [
        "capture", "preprocess", "inference", "frame", "period", "transmit", "arrival",
    ]  # fmt: skip
    assert document["phases"]["inference"]["median"] == 300.0
    session = read_session(tmp_path / "s.jsonl")
    assert len(session.exchanges) == 16 + 4 + 16
    assert session.resumed.nonzero()[0].tolist() == [250]
    np.testing.assert_allclose(session_gaze(session), np.tile([1.0, 2.0], (305, 1)), atol=1e-6)
    assert session.header.metadata["target"] == "spresense"
    again = run("measure", "--target", "replay", tmp_path / "s.jsonl", "--json")
    assert again.code == 0
    assert again.document["replayed"]["differences"] == []
    assert again.document["phases"] == document["phases"]


def test_a_correction_for_one_person_is_kept_with_the_session(tmp_path):
    from tinytracker.evaluate.calibration import Calibration

    Calibration(kind="offset", offset=(0.5, -3.0)).write(tmp_path / "me.json")
    with FakeLine() as board:
        answer = measure(
            board, tmp_path / "s.jsonl", "--frames", 30, "--calibration", tmp_path / "me.json", "--json"
        )
    gaze = answer.document["gaze"]
    assert (gaze["frames"], gaze["calibration"]) == (40, "offset")
    assert gaze["mean_cm"] == pytest.approx([1.5, -1.0], abs=1e-6)
    again = run("measure", "--target", "replay", tmp_path / "s.jsonl")
    assert "Gaze, corrected (offset): mean (+1.50, -1.00) cm, sd (0.00, 0.00) cm." in again.out
    # What the session holds is what the network said.
    np.testing.assert_allclose(session_gaze(read_session(tmp_path / "s.jsonl"))[0], [1, 2], atol=1e-6)
    wrong = run("measure", "--target", "replay", tmp_path / "s.jsonl", "--calibration", tmp_path / "s.jsonl")
    assert wrong.code == 1
    assert "Traceback" not in wrong.err


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--port", "/dev/null"], "--port"),
        (["--frames", 50], "--frames"),
        (["--run", "run"], "--run"),
        (["--runtime", "onnx"], "--runtime"),
        (["--no-xnnpack"], "--xnnpack"),
    ],
)
def test_a_replay_refuses_what_it_would_ignore(options, name):
    answer = run("measure", "--target", "replay", RECORDED, *options)
    assert answer.code == 2
    assert (
        f"{name} is for a measurement; --target replay only reads a session that was recorded." in answer.err
    )
    assert f"Omit {name}." in answer.err


def test_losses_and_damage_are_counted_and_shown_and_replayed(tmp_path):
    def frame(board, sequence):
        if sequence % 10 == 7:
            board.say(record(sequence, board.ticks())[:-5])
        elif sequence % 10 != 3:
            board.say(record(sequence, board.ticks()))

    path = tmp_path / "s.jsonl"
    with FakeLine(frame) as board:
        answer = measure(board, path, "--frames", 90)
    assert answer.code == 0
    assert "80 frames (10 warm-up), 20 lost, 10 damaged records." in answer.out
    assert run("measure", "--target", "replay", path, "--out", tmp_path / "again.jsonl").code == 0
    first, second = read_session(path), read_session(tmp_path / "again.jsonl")
    assert second.header.source == "replay"
    for name in ("sequence", "stamps", "host_ns"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    # The bytes also hold the exchange by which the board was found.
    np.testing.assert_array_equal(first.exchanges, second.exchanges[1:])
    assert (first.outputs, first.lost, first.damaged) == (second.outputs, second.lost, second.damaged)


def test_a_connection_that_ends_leaves_a_whole_session(tmp_path, monkeypatch):
    monkeypatch.setattr(link, "RECONNECT_S", 0.3)

    def frame(board, sequence):
        if sequence == 40:
            board.unplug()
        else:
            board.say(record(sequence, board.ticks()))

    with FakeLine(frame, tcp=True) as board:
        answer = measure(board, tmp_path / "s.jsonl", "--json")
    assert answer.code == 1
    assert answer.document["end"] == "unplugged"
    assert any("the board was disconnected" in text for text in answer.document["remarks"])
    session = read_session(tmp_path / "s.jsonl")
    assert (len(session), session.end, session.problems) == (40, "unplugged", ())
    assert replay(tmp_path / "s.jsonl").differences == ()


def test_a_board_that_fails_leaves_a_whole_session(tmp_path):
    def frame(board, sequence):
        board.say("e-[The camera failed]" if sequence == 30 else record(sequence, board.ticks()))

    with FakeLine(frame) as board:
        answer = measure(board, tmp_path / "s.jsonl")
    assert answer.code == 1
    assert "The camera failed" in answer.out
    assert read_session(tmp_path / "s.jsonl").end == "failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_keep_what_was_measured_and_stop_the_board(tmp_path, number):
    path = tmp_path / "s.jsonl"
    with FakeLine(lambda board, n: (time.sleep(0.002), board.say(record(n, board.ticks())))) as board:
        command = [
            sys.executable, "-m", "tinytracker.cli.main", "measure", "--target", "spresense", "--port", board.port,
            "--out", str(path), "--frames", "1000000",
        ]  # fmt: skip
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        # A background shell hands its children a Ctrl-C that is ignored.
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: [signal.signal(n, signal.SIG_DFL) for n in (signal.SIGINT, signal.SIGHUP)],
        ) as process:  # fmt: skip
            while not (path.exists() and path.read_bytes().count(b'"frame"') > 30):
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.02)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        assert board.commands[-2] == "tt stop"
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "Stopped before the end; what was measured is kept." in out
    session = read_session(path)
    assert session.end == "stopped"
    assert len(session) > 30
    found = replay(path)
    assert found.differences == ()
    assert len(found.events) == len(session)  # also what was on its way when the signal came


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("--target", "spresense", "--port", "x", "--out", "s.jsonl", "--fps", 10),
            2,
            "--fps 10: only the camera of",
        ),
        (("--target", "spresense", "--port", "x"), 2, "Give --out"),
        (("--target", "emulated", "--out", "s.jsonl"), 2, "Give --run or --model"),
        (("--target", "spresense", "--port", "/nowhere/tty", "--out", "s.jsonl"), 1, "no such port"),
        (("--target", "replay"), 2, "Which session?"),
        (("--target", "replay", "nothing.jsonl"), 1, "no such file"),
        (("--target", "spresense", "a.jsonl"), 2, "--target replay"),
        (("--target", "nonsense", "--out", "x"), 2, "nonsense"),
    ],
)
def test_wrong_usage(tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    answer = run("measure", *arguments)
    assert (answer.code, message in answer.err) == (code, True), answer.err
    assert not list(tmp_path.iterdir())


def test_a_session_is_not_overwritten_and_the_board_not_asked_for_nothing(tmp_path):
    (tmp_path / "s.jsonl").write_text("something")
    with FakeLine() as board:
        answer = measure(board, tmp_path / "s.jsonl")
    assert answer.code == 1
    assert "never overwritten" in answer.err
    assert (tmp_path / "s.jsonl").read_text() == "something"


def test_the_recorded_session_comes_out_of_the_parser_as_it_did():
    found = replay(RECORDED)
    assert found.differences == ()
    assert found.board is not None
    assert found.board.is_emulated
    assert len(found.frames) == len(found.session) == 70
    answer = run("measure", "--target", "replay", RECORDED, "--json")
    assert answer.code == 0
    assert answer.document["emulated"]
    assert answer.document["differing"] == 0


def test_a_changed_byte_in_a_recording_is_noticed(tmp_path):
    lines = RECORDED.read_text().splitlines(keepends=True)
    at = next(
        k for k, line in enumerate(lines) if "m-tt-frame-[" in line and json.loads(line)["type"] == "received"
    )
    lines[at] = lines[at].replace("m-tt-frame-[", "m-tt-frame-[1", 1)
    (tmp_path / "s.jsonl").write_text("".join(lines))
    assert (
        "When the bytes are parsed again, 1 recorded frame cannot be found."
        in replay(tmp_path / "s.jsonl").differences
    )
    assert run("measure", "--target", "replay", tmp_path / "s.jsonl").code == 1
