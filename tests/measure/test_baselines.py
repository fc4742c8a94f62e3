"""Energy of a camera with the network inside, against a simulated camera and meter whose truth is known."""

import json

import numpy as np
import pytest
from support import gpiod_stub, picamera2_stub
from support.cli import run
from support.imx500_power import OFF_W, PHASES, STREAMING_W, simulate
from support.traces import replace

from tinytracker.energy.result import Refusal
from tinytracker.errors import RefusedError, UsageError
from tinytracker.measure import host_clock
from tinytracker.measure.alignment import meter_clock
from tinytracker.measure.marked import measure_baselines
from tinytracker.measure.marks import GPIO, LOAD, PATTERN_S
from tinytracker.measure.power import measure_energy
from tinytracker.measure.session_reader import read_session
from tinytracker.measure.stretches import CAMERA_OFF, RUNNING, STREAMING


@pytest.mark.parametrize("channel", [GPIO, LOAD])
def test_energies_and_powers_are_those_that_were_drawn(tmp_path, channel):
    slow = 1 if channel == GPIO else 2
    trace, truth = simulate(tmp_path / "s.jsonl", channel, frames=300 // slow, slow=slow)
    found = measure_energy(trace, tmp_path / "s.jsonl")
    assert found.meter.channel == channel
    assert found.time_verified
    rows = {row.phase: row for row in found.report.phases}
    for k, phase in enumerate(PHASES):
        if isinstance(rows[phase].total, Refusal):
            # Steps of load place the session to a millisecond: no phase of 16 or 3 ms, but one of 43 ms.
            assert channel == LOAD
            assert phase in ("exposure", "retrieval")
            assert rows[phase].total.reason == "alignment-too-coarse"
            continue
        assert rows[phase].total.mean_j == pytest.approx(truth.phase_j[k], rel=0.02)
        idle_j = OFF_W * rows[phase].duration_s
        assert rows[phase].dynamic.mean_j == pytest.approx(truth.phase_j[k] - idle_j, rel=0.02)
    assert found.report.idle.power_w == pytest.approx(OFF_W, rel=0.01)
    powers = found.baselines.stretches
    assert powers[STREAMING].power_w == pytest.approx(STREAMING_W, rel=0.01)
    assert powers[RUNNING].power_w == pytest.approx(truth.running_w, rel=0.01)
    differences = found.baselines.differences
    assert differences["network"].power_w == pytest.approx(truth.running_w - STREAMING_W, rel=0.02)
    assert differences["camera"].power_w == pytest.approx(STREAMING_W - OFF_W, rel=0.02)
    assert found.meter.clock.drift_ppm == pytest.approx(-40, abs=30)
    assert found.meter.bound_s < (1e-4 if channel == GPIO else 1.4e-3)


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        ((), {"camera", "network", "camera and network"}),
        ((CAMERA_OFF, RUNNING), {"camera", "network"}),
        ((STREAMING, RUNNING), {"camera", "camera and network"}),
        ((CAMERA_OFF, STREAMING), {"network", "camera and network"}),
    ],
)
def test_a_difference_whose_stretch_is_missing_is_refused(tmp_path, names, refused):
    trace, _ = simulate(tmp_path / "s.jsonl", names=names, frames=40)
    found = measure_energy(trace, tmp_path / "s.jsonl")
    differences = found.baselines.differences
    assert {name for name, value in differences.items() if isinstance(value, Refusal)} == refused
    if CAMERA_OFF not in names:
        # Beside the frames the whole system runs: that must never pass for idle.
        assert found.report.idle.reason == "no-baseline"
        assert {row.dynamic.reason for row in found.report.phases} == {"no-baseline"}
    # What is known to be idle may be said.
    assert measure_energy(trace, tmp_path / "s.jsonl", idle=(0.1, 1.5)).report.idle.power_w == pytest.approx(
        OFF_W, rel=0.02
    )


def test_frames_that_overlap_are_said(tmp_path):
    trace, _ = simulate(tmp_path / "s.jsonl", frames=40)
    assert not any("in both" in text for text in measure_energy(trace, tmp_path / "s.jsonl").remarks)
    other, _ = simulate(tmp_path / "o.jsonl", frames=40, lengths_s=(0.008, 0.0265, 0.0014))
    assert any("in both" in text for text in measure_energy(other, tmp_path / "o.jsonl").remarks)


def test_a_session_without_marks_has_no_idle_beside_its_frames(tmp_path):
    trace, _ = simulate(tmp_path / "s.jsonl", frames=60)
    kept = [line for line in (tmp_path / "s.jsonl").read_text().splitlines() if '"mark"' not in line]
    (tmp_path / "bare.jsonl").write_text("\n".join(kept) + "\n")
    found = measure_energy(trace, tmp_path / "bare.jsonl", lines=(), offset_s=8.0, offset_bound_s=1e-4)
    assert found.report.idle.reason == "no-baseline"
    assert not found.time_verified


def test_marks_that_are_not_in_the_trace_are_refused(tmp_path):
    trace, _ = simulate(tmp_path / "s.jsonl", frames=40)
    marks = read_session(tmp_path / "s.jsonl").marks
    other, _ = simulate(tmp_path / "other.jsonl", frames=40, seed=1)
    with pytest.raises(RefusedError, match="do not fit"):
        meter_clock(replace(trace, digital=other.digital), marks)
    with pytest.raises(UsageError, match="no line D3"):
        meter_clock(trace, marks, 3)
    loads, _ = simulate(tmp_path / "load.jsonl", LOAD, frames=40)
    flat = replace(loads, current_a=np.full(len(loads), 0.1, np.float32) + loads.current_a % 0.001)
    with pytest.raises(RefusedError, match="do not show in the current"):
        meter_clock(flat, read_session(tmp_path / "load.jsonl").marks)


def test_a_meter_that_started_late_or_stopped_early_is_placed_all_the_same(tmp_path):
    trace, _ = simulate(tmp_path / "s.jsonl", frames=40)
    marks = read_session(tmp_path / "s.jsonl").marks
    whole = meter_clock(trace, marks)
    cut = 250_000
    part = replace(trace, current_a=trace.current_a[cut:], digital=trace.digital[cut:])
    late = meter_clock(part, marks)
    assert late.steps < whole.steps
    at = np.array([marks[len(marks) // 2].before_ns])
    assert late.position(at) + cut == pytest.approx(whole.position(at), abs=20)


def _meter(changes, camera_on, path, until):
    """The file of a meter that watched the stand-ins: camera off 33 mW, running 660 mW."""
    rate = 20_000
    times = changes[0][0] - 10**8 + (np.arange(int((until - changes[0][0]) / 1e9 * rate)) * 1e9 / rate)
    level = np.array([0, *(value for _, value in changes)])[np.searchsorted([t for t, _ in changes], times)]
    on = np.searchsorted([t for t, _ in camera_on], times)
    watts = np.array([0.033, *(0.66 if state else 0.033 for _, state in camera_on)])[on]
    with path.open("w") as file:
        file.write("time_us,current_mA,voltage_V,D0\n")
        for t, a, d in zip((times - times[0]) / 1e3, watts / 3.3 * 1e3, level, strict=True):
            file.write(f"{t:.1f},{a:.4f},3.3,{d}\n")


@pytest.fixture
def watched(monkeypatch):
    """The stand-ins, and when pin and camera changed."""
    camera = picamera2_stub.install(monkeypatch)
    states = []

    def noting(name, state):
        plain = getattr(camera, name)

        def wrapped(self, *args, **options):
            states.append((host_clock.now_ns(), state))
            return plain(self, *args, **options)

        monkeypatch.setattr(camera, name, wrapped)

    noting("start", True)
    noting("stop", False)
    monkeypatch.setattr("tinytracker.measure.imx500.SETTLE_S", 0.05)
    return gpiod_stub.install(monkeypatch), states


def test_the_whole_way_with_stand_ins(watched, tmp_path):
    changes, states = watched
    network = tmp_path / "network.rpk"
    network.write_bytes(b"any")
    out, file = tmp_path / "s.jsonl", tmp_path / "trace.csv"
    answer = run(
        "measure", "--target", "imx500", "--model", network, "--frames", 60, "--out", out, "--baselines",
        "camera-off,running", "--baseline-seconds", 1.5,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    _meter(changes, states, file, host_clock.now_ns() + 10**8)
    answer = run("energy", file, "--session", out, "--json")
    assert answer.code == 0, answer.err
    assert answer.document["idle"]["power_w"] == pytest.approx(0.033, rel=0.02)
    powers = answer.document["baselines"]["stretches"]
    assert powers["camera-off"]["power_w"] == pytest.approx(0.033, rel=0.02)
    assert powers["running"]["power_w"] == pytest.approx(0.660, rel=0.02)
    differences = answer.document["baselines"]["differences"]
    assert differences["network"]["refused"]["reason"] == "no-baseline"
    assert differences["camera and network"]["power_w"] == pytest.approx(0.627, rel=0.02)
    assert answer.document["marks"]["channel"] == "gpio"
    said = run("energy", file, "--session", out).out
    assert "streaming was not recorded" in said


def test_baselines_alone(watched, tmp_path):
    changes, states = watched
    network = tmp_path / "network.rpk"
    network.write_bytes(b"any")
    out, file = tmp_path / "s.jsonl", tmp_path / "trace.csv"
    command = (
        "baselines",
        "--model",
        network,
        "--out",
        out,
        "--seconds",
        1.5,
        "--names",
        "camera-off,streaming",
    )
    answer = run(*command)
    assert answer.code == 0, answer.err
    _meter(changes, states, file, host_clock.now_ns() + 10**8)
    answer = run("energy", file, "--session", out, "--json")
    assert answer.code == 0, answer.err
    assert answer.document["baselines"]["differences"]["camera"]["power_w"] == pytest.approx(0.627, rel=0.02)
    _, _, found = measure_baselines(file, read_session(out))
    assert json.loads(json.dumps(found.as_json())) == answer.document["baselines"]


def test_steps_of_load_stand_around_the_frames(tmp_path, monkeypatch):
    picamera2_stub.install(monkeypatch)
    network, out = tmp_path / "network.rpk", tmp_path / "s.jsonl"
    network.write_bytes(b"any")
    answer = run(
        "measure", "--target", "imx500", "--model", network, "--frames", 20, "--out", out, "--sync", "load"
    )
    assert answer.code == 0, answer.err
    session = read_session(out)
    assert [mark.channel for mark in session.marks] == [LOAD] * 2 * len(PATTERN_S)
    assert [mark.level for mark in session.marks] == [1, 0] * len(PATTERN_S)
    lengths = np.diff([mark.before_ns for mark in session.marks[: len(PATTERN_S)]]) / 1e9
    assert np.all(lengths >= np.array(PATTERN_S[:-1]) - 1e-3)
    assert session.marks[len(PATTERN_S) - 1].after_ns < session.stamps.min()
    assert session.marks[len(PATTERN_S)].before_ns > session.stamps.max()


def test_what_marks_need_is_said(tmp_path, monkeypatch):
    picamera2_stub.install(monkeypatch)
    network = tmp_path / "network.rpk"
    network.write_bytes(b"any")
    base = ("measure", "--target", "imx500", "--model", network, "--out", tmp_path / "s.jsonl", "--sync")
    monkeypatch.setitem(__import__("sys").modules, "gpiod", None)
    missing = run(*base, "gpio")
    assert (missing.code, "gpiod" in missing.err) == (1, True)
    wrong = run(*base, "radio")
    assert (wrong.code, "gpio:NUMBER" in wrong.err) == (2, True)
    gpiod_stub.install(monkeypatch, busy=True)
    busy = run(*base, "gpio:4")
    assert (busy.code, "GPIO 4 cannot be used" in busy.err) == (1, True)
    other = run("measure", "--target", "spresense", "--out", tmp_path / "s.jsonl", "--sync", "gpio")
    assert (other.code, "its own pins" in other.err) == (2, True)
    name = run(*base, "none", "--baselines", "asleep")
    assert (name.code, "camera-off" in name.err) == (2, True)
    burst = run(*base, "load", "--burst", 20)
    assert (burst.code, "one inference per frame, not 20" in burst.err) == (2, True)


def test_baselines_take_a_meter_by_its_name(tmp_path, monkeypatch):
    picamera2_stub.install(monkeypatch)
    gpiod_stub.install(monkeypatch)
    monkeypatch.setenv("TINYTRACKER_HOME", str(tmp_path / "empty"))
    network, out = tmp_path / "network.rpk", tmp_path / "s.jsonl"
    network.write_bytes(b"any")
    answer = run("baselines", "--model", network, "--out", out, "--power", "joulescope")
    assert (answer.code, "tinytracker setup joulescope" in answer.err) == (1, True)
    assert not out.exists()
