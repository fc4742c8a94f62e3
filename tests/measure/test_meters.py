"""Meters by name: their recording programs, their environments, their files beside the session."""

import time
from pathlib import Path

import numpy as np
import pytest
from support.cli import run
from support.fake_line import FakeLine, record
from support.stand_in_ppk2 import RATE_HZ, StandInPpk2, metadata_text, words

from tinytracker.energy.formats import read_trace
from tinytracker.measure import recorder
from tinytracker.measure.joulescope import environment
from tinytracker.measure.meters import METERS, named_meter

FAKE_PYTHON = """#!/bin/sh
if [ "$1" = -m ]; then
  case "$2" in
    venv) /bin/mkdir -p "$4/bin" && /bin/cp "$0" "$4/bin/python";;
    pip) echo "Collecting pyjoulescope-driver==2.2.12";;
    pyjoulescope_driver) echo "Device not found";;
  esac
else echo 3.11.9; fi
"""


@pytest.fixture
def fake_driver(tmp_path, monkeypatch):
    """A driver that is set up, by a Python that only pretends; as the real one it finds no device and exits with 0."""
    python = tmp_path / "python3.11"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    monkeypatch.setenv("TINYTRACKER_HOME", str(tmp_path / "home"))
    assert run("setup", "joulescope", "--python", python).code == 0
    return tmp_path / "home" / "joulescope"


def test_a_meter_is_named_and_everything_else_is_a_file(tmp_path):
    session = tmp_path / "run.jsonl"
    for path in ("trace.ppk2", "ppk3:x", str(tmp_path / "ppk2")):
        assert named_meter(path, session, 3.3) is None
    file, command = named_meter("ppk2:/dev/ttyACM3", session, 3.3)
    assert file == tmp_path / "run.ppk2"
    assert command.endswith("-m tinytracker.measure.ppk2.record '{file}' --port /dev/ttyACM3 --voltage 3.3")


def test_setup_makes_the_driver_s_environment_once(fake_driver):
    found = environment.status()
    assert found.ready
    assert (found.driver, found.python) == ("2.2.12", "3.11.9")
    assert run("setup", "joulescope", "--json").document["folder"] == str(fake_driver)
    assert {p["name"]: p["found"] for p in run("doctor", "--json").document["parts"]}[
        "Joulescope's driver"
    ] == "2.2.12"
    _, command = named_meter("joulescope:123456", Path("s.jsonl"), None)
    assert command.startswith(
        f"{fake_driver}/bin/python -m pyjoulescope_driver record --signals current,voltage,0,1,2"
    )
    assert command.endswith("--serial_number 123456 '{file}'")


def test_without_the_driver_the_way_to_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYTRACKER_HOME", str(tmp_path / "empty"))
    with FakeLine() as board:
        answer = run("measure", "--target", "spresense", "--port", board.port, "--out", tmp_path / "s.jsonl",
                     "--power", "joulescope")  # fmt: skip
    assert answer.code == 1
    assert "tinytracker setup joulescope" in answer.err
    assert not (tmp_path / "s.jsonl").exists()


def test_a_driver_that_finds_no_device_ends_the_measurement(fake_driver, tmp_path):
    with FakeLine() as board:
        answer = run("measure", "--target", "spresense", "--port", board.port, "--out", tmp_path / "s.jsonl",
                     "--power", "joulescope")  # fmt: skip
    assert answer.code == 1
    assert "Device not found" in answer.err


def test_the_pinned_driver_is_the_one_that_is_called():
    text = environment.REQUIREMENTS.read_text()
    assert "pyjoulescope-driver==2.2.12" in text
    assert "--hash=sha256:" in text
    assert METERS["joulescope"].setup == environment.__name__


def test_a_ppk2_is_recorded_around_a_measurement(tmp_path, monkeypatch):
    """A board that draws 20 mA while it idles; its lines never show a frame, which is said, with the trace kept."""
    monkeypatch.setattr(recorder, "IDLE_S", 0.5)
    stream = words(np.full(640, 0.020), np.zeros(640, np.uint8))
    out = tmp_path / "s.jsonl"

    def frame(board, sequence):
        while meter.sent < RATE_HZ:  # the recording program may take long to start
            time.sleep(0.01)
        board.say(record(sequence, board.ticks()))

    with StandInPpk2(stream, answer=metadata_text(mode=2), real_time=True) as meter, FakeLine(frame) as board:
        answer = run("measure", "--target", "spresense", "--port", board.port, "--out", out, "--frames", 5,
                     "--power", f"ppk2:{meter.port}", "--silence", 60, "--json")  # fmt: skip
    assert answer.code == 1
    assert answer.document["energy"]["refused"] == "markers-mismatch"
    assert len(read_trace(tmp_path / "s.ppk2")) > 0.9 * RATE_HZ
    replayed = run("measure", "--target", "replay", out, "--power", "ppk2", "--json")
    assert replayed.document["energy"] == answer.document["energy"]
    again = run("measure", "--target", "spresense", "--port", "none", "--out", out, "--power", "ppk2",
                "--power-command", "x {file}")  # fmt: skip
    assert "has its own recording program" in again.err
