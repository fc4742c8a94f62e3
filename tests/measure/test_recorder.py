"""A meter's recording program around a measurement: a stand-in that writes a trace, and every way it can fail."""

import signal
import sys
import time
from pathlib import Path

import pytest
from support.cli import run
from support.fake_line import FakeLine, record
from support.sessions import write_session
from support.traces import PHASES, true_trace

from tinytracker.errors import MissingDependencyError, OutputError, UsageError
from tinytracker.measure import recorder
from tinytracker.measure.recorder import RecorderError, recorded_power

# Writes idle at 1 kS/s until it is interrupted, as a meter's program does; FILE.ready says that it can be.
PROGRAM = """
import pathlib, sys, time
try:
    pathlib.Path(sys.argv[1] + ".ready").touch()
    while True:
        time.sleep(0.01)
except KeyboardInterrupt:
    with open(sys.argv[1], "w") as file:
        file.write("time_s,current_A,voltage_V\\n")
        for k in range(9000):
            file.write(f"{k / 1000},{0.01},3.3\\n")
    print("saved")
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "_STOP_S", 60.0)
    path = tmp_path / "meter.py"
    path.write_text(PROGRAM)
    return f"{sys.executable} {path} {{file}}"


def wait_until_ready(file):
    """A program that is interrupted while it starts writes nothing."""
    end = time.monotonic() + 60
    while not Path(f"{file}.ready").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_runs_around_the_block_and_leaves_its_file(program, tmp_path):
    with recorded_power(program, tmp_path / "t.csv", idle_s=0.1):
        wait_until_ready(tmp_path / "t.csv")
        assert not (tmp_path / "t.csv").exists()
    assert (tmp_path / "t.csv").read_text().startswith("time_s")


def test_it_stops_also_where_interrupts_are_ignored(program, tmp_path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with recorded_power(program, tmp_path / "t.csv", idle_s=0.1):
            wait_until_ready(tmp_path / "t.csv")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "t.csv").read_text().startswith("time_s")


@pytest.mark.parametrize(
    ("command", "error", "message"),
    [
        ("meter out.csv", UsageError, "does not name its file"),
        ("no-such-meter {file}", MissingDependencyError, "no-such-meter"),
        ("sh -c 'echo no meter; exit 3' {file}", RecorderError, r"status 3: no meter"),
        ("sh -c 'echo no meter.; exit 3' {file}", RecorderError, r"status 3: no meter\.$"),
        ("sleep 100 {file}", RecorderError, "ended early"),
    ],
)
def test_programs_that_fail_are_named(tmp_path, command, error, message):
    with pytest.raises(error, match=message), recorded_power(command, tmp_path / "t.csv", idle_s=60):
        pass


def test_a_program_that_does_not_stop_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "_STOP_S", 0.5)
    command = "sh -c 'trap \"\" INT; touch {file}.ready; sleep 300'"
    with (
        pytest.raises(RecorderError, match="did not stop"),
        recorded_power(command, tmp_path / "t.csv", idle_s=0.1),
    ):
        wait_until_ready(tmp_path / "t.csv")


def test_a_recording_is_not_overwritten(program, tmp_path):
    (tmp_path / "t.csv").write_text("something")
    with pytest.raises(OutputError, match="already"), recorded_power(program, tmp_path / "t.csv", idle_s=0):
        pass


def test_a_measurement_with_a_meter_says_why_it_has_no_energy(program, tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "IDLE_S", 0.1)
    trace = tmp_path / "t.csv"

    def frame(board, sequence):
        wait_until_ready(trace)
        board.say(record(sequence, board.ticks()))

    with FakeLine(frame) as board:
        answer = run(
            "measure", "--target", "spresense", "--port", board.port, "--out", tmp_path / "s.jsonl", "--frames", 30,
            "--power", trace, "--power-command", program, "--silence", 60, "--json",
        )  # fmt: skip
    # The stand-in's file says neither when it began nor where the phases are: an energy would be made up.
    assert answer.code == 1, answer.err
    assert answer.document["energy"]["refused"] == "alignment-too-coarse"
    assert answer.document["frames"] == 40


def test_a_session_and_its_trace_are_shown_together(tmp_path):
    trace, truth = true_trace(10_000, frames=40, noise_a=0.001)
    session = write_session(tmp_path / "s.jsonl", truth.edges_s, warmup=5)
    lines = ["time_s,current_A,voltage_V,D0,D1"]
    lines += [
        f"{k / 10_000:.4f},{a:.6f},3.3,{d & 1},{d >> 1 & 1}"
        for k, (a, d) in enumerate(zip(trace.current_a.tolist(), trace.digital.tolist(), strict=True))
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    answer = run("measure", "--target", "replay", session, "--power", tmp_path / "t.csv", "--json")
    assert answer.code == 0, answer.err
    phases = {row["phase"]: row for row in answer.document["energy"]["phases"]}
    for k, name in enumerate(PHASES):
        assert phases[name]["total"]["mean_j"] == pytest.approx(truth.energy_j[5:, k].mean(), rel=0.02)
    shown = run("measure", "--target", "replay", session, "--power", tmp_path / "t.csv")
    assert "mJ total" in shown.out
    later = run("measure", "--target", "replay", session, "--power", tmp_path / "later.csv")
    assert later.code == 0
    assert f"tinytracker energy {tmp_path / 'later.csv'} --session {session}" in " ".join(later.out.split())


def test_an_emulated_board_has_no_meter(tmp_path):
    answer = run(
        "measure",
        "--target",
        "emulated",
        "--model",
        "x.tflite",
        "--out",
        tmp_path / "s",
        "--power",
        tmp_path / "t",
    )
    assert (answer.code, "draws no current" in answer.err) == (2, True)
