"""`tinytracker live` as a user meets it."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support import picamera2_stub
from support.cli import run
from support.fake_line import FakeLine
from support.sessions import write_gaze_session
from support.tflite_builder import T
from support.tflite_nets import NetBuilder

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests/measure/data/emulated_session.jsonl"


def live(folder, *arguments):
    return run("live", "--http", 0, "--calibration", folder / "calibration.json", *arguments)


def test_a_replay_ends_after_its_time(tmp_path, monkeypatch):
    # A second passes with each frame, however long it takes here.
    seconds = itertools.count()
    monkeypatch.setattr("tinytracker.cli.live.time", SimpleNamespace(monotonic=lambda: next(seconds)))
    write_gaze_session(tmp_path / "s.jsonl", np.tile([1.0, -2.0], (5, 1)))
    answer = live(
        tmp_path, "--replay", tmp_path / "s.jsonl", "--speed", 50, "--seconds", 7, "--device", "ipad air", "--json"
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "http://127.0.0.1:" in answer.err
    document = answer.document
    assert document["origin"]["source"] == "replay"
    assert document["screen"]["name"] == "iPad Air"
    assert document["frames"] == 7
    assert document["calibration"] is None


def test_a_replay_of_an_emulated_session_stays_emulated(tmp_path):
    answer = live(tmp_path, "--replay", RECORDED, "--seconds", 0.01, "--json")
    assert answer.document["origin"]["emulated"]
    assert answer.document["origin"]["source"] == "replay"


def test_a_board_on_a_port(tmp_path):
    with FakeLine() as board:
        answer = live(tmp_path, "--target", "spresense", "--port", board.port, "--seconds", 0.3)
    assert answer.code == 0, answer.err
    assert "frames in" in answer.out


def test_the_ai_camera(tmp_path, monkeypatch):
    picamera2_stub.install(monkeypatch)
    (tmp_path / "network.rpk").write_bytes(b"any")
    answer = live(
        tmp_path, "--target", "imx500", "--model", tmp_path / "network.rpk", "--seconds", 0.5, "--json"
    )
    assert answer.code == 0, answer.err
    assert answer.document["origin"]["phases"] == ["exposure", "sensor", "retrieval"]
    assert answer.document["frames"] > 0


def test_a_board_that_goes_away_is_an_error(tmp_path):
    with FakeLine(lambda board, sequence: board.unplug(), tcp=True) as board:
        answer = live(tmp_path, "--target", "spresense", "--port", board.port, "--seconds", 20)
    assert answer.code == 1
    assert answer.err.count("Error: ") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "--replay FILE"),
        (("--target", "emulated", "--replay", "x"), "either --target or --replay"),
        (("--replay", "no-such.jsonl"), "no such file"),
        (("--target", "emulated"), "--run or --model"),
        (("--target", "imx500"), "--model network.rpk"),
        (("--target", "spresense", "--run", "a", "--model", "b"), "one of them"),
        (("--replay", RECORDED, "--device", "iPhone 66"), "iPhone 6"),
        (("--replay", RECORDED, "--screen", "34"), "34x19.1"),
        (("--replay", RECORDED, "--screen", "0x5"), "out of range"),
        (("--replay", RECORDED, "--calibration", ROOT / "README.md"), "not valid JSON"),
    ],
)
def test_wrong_usage_is_a_sentence(tmp_path, arguments, sentence):
    answer = live(tmp_path, "--seconds", 1, *arguments)
    assert answer.code in (1, 2)
    assert sentence in answer.err


def test_ctrl_c_ends_it_well(tmp_path):
    write_gaze_session(tmp_path / "s.jsonl", np.zeros((5, 2)))
    code = "import sys; from tinytracker.cli.main import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "live", "--replay", tmp_path / "s.jsonl", "--http", "0", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        address = process.stderr.readline().split()[0]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{address}events", timeout=60) as events:
            while not events.readline().startswith(b"event: frame"):
                pass
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert json.loads(out)["stopped"]


TOOLS = [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]


@pytest.mark.skipif(bool(TOOLS), reason=f"{' and '.join(TOOLS)} not installed")
def test_the_emulated_board(tmp_path):
    net = NetBuilder((1, 12, 12, 3))
    net.conv(8, 3, 2)
    net.mean()
    net.dense(2)
    net.emit("TANH", [net.last], T((1, 2), scales=(1 / 128,)))
    (tmp_path / "model.tflite").write_bytes(net.build())
    answer = live(
        tmp_path, "--target", "emulated", "--model", tmp_path / "model.tflite", "--image-count", 3, "--seconds", 2,
        "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert answer.document["origin"]["emulated"]
    assert answer.document["origin"]["source"] == "emulated"
    assert answer.document["frames"] > 0
