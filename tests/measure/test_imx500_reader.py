"""The reader of the AI camera against a stand-in for picamera2; no number here was measured on a camera."""

import sys
import time

import numpy as np
import pytest
from support import picamera2_stub
from support.aim_nets import finder_net
from support.cli import run

from tinytracker.errors import DeviceError
from tinytracker.measure import host_clock, imx500, imx500_frames
from tinytracker.measure.following import following
from tinytracker.measure.frame import Frame
from tinytracker.measure.results import session_gaze
from tinytracker.measure.session_reader import read_session


@pytest.fixture
def camera(monkeypatch):
    return picamera2_stub.install(monkeypatch)


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "network.rpk"
    path.write_bytes(b"any")
    return path


def test_a_session_of_the_camera(camera, network, tmp_path):
    out = tmp_path / "s.jsonl"
    answer = run(
        "measure",
        "--target",
        "imx500",
        "--model",
        network,
        "--frames",
        40,
        "--warmup",
        4,
        "--out",
        out,
        "--json",
    )
    assert answer.code == 0, answer.err
    rows = answer.document["phases"]
    assert list(rows) == [
        "exposure", "sensor", "retrieval", "frame", "period", "transmit", "arrival", "dnn", "dsp",
        "frame_duration",
    ]  # fmt: skip
    assert rows["exposure"]["median"] == 8000
    assert rows["sensor"]["median"] >= 19_000
    assert (rows["dnn"]["median"], rows["dsp"]["median"]) == (pytest.approx(860), pytest.approx(240))
    session = read_session(out)
    assert (len(session), session.lost, session.end) == (44, 0, "done")
    assert session.sequence.tolist() == list(range(44))
    # Every third frame carries no result: two results, then a gap of one.
    assert set(np.diff(session.extra["camera_frame"])) == {1.0, 2.0}
    assert set(session.extra["without_result"][1:]) == {0.0, 1.0}
    count = session.extra["network_count"]
    np.testing.assert_array_equal(np.diff(count), 1)
    assert not session.extra["repeated_result"].any()
    np.testing.assert_allclose(session_gaze(session), np.stack([count / 10, -np.ones(44)], 1), rtol=1e-5)
    assert picamera2_stub.IMX500.auto_aspect_ratio
    # Exposure, read-out and arrival are on one clock: from the start of exposure to here it is their sum.
    arrived = np.median((session.host_ns - session.stamps[:, 0])[4:]) / 1000
    assert rows["arrival"]["median"] == pytest.approx(arrived, abs=0.1)
    assert arrived >= 27_000
    again = run("measure", "--target", "replay", out)
    assert again.code == 0
    assert "no received bytes" in again.out


def test_a_network_for_the_eyes_sees_the_strip_that_the_program_on_the_camera_shows(
    camera, network, monkeypatch
):
    monkeypatch.setattr(picamera2_stub.IMX500, "input_size", (192, 64))
    monkeypatch.setattr(picamera2_stub.IMX500, "roi", None)
    with imx500.open_imx500(network):
        pass
    assert picamera2_stub.IMX500.roi == (1620, 1384, 816, 272)


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_the_region_follows_the_eyes_and_every_frame_says_which_it_saw(camera, network, monkeypatch, delay):
    """The stand-in applies a region `delay` frames late, as the sensor does, and its network aims."""
    monkeypatch.setattr(picamera2_stub.IMX500, "input_size", (192, 64))
    camera.delay = delay
    camera.person = staticmethod(lambda number: (2300 + 300 * np.sin(number / 40), 1600.0, 900.0))
    aims, steer = (
        [],
        imx500_frames.Imx500._steer,
    )  # of all frames, also of those that passed before somebody took one
    monkeypatch.setattr(imx500_frames.Imx500, "_steer", lambda *a: aims.append(steer(*a)) or aims[-1])
    with imx500.open_imx500(network) as source:
        assert (source.board.frame_px, source.board.reference_px) == ((4056, 3040), 816)
        frames = [event for event in source.frames(260) if isinstance(event, Frame)]
        assert source._aim.delay == delay
        assert source._aim.is_measured
    last = frames[-100:]
    assert all(frame.aim.state == 1 and frame.aim.has_eyes for frame in last)
    for frame in last:
        number = round(float(np.frombuffer(frame.outputs, np.float32)[1]))
        left, _, width, _ = picamera2_stub.IMX500.roi_of_frame(number, delay)
        assert (frame.aim.x / 16 - frame.aim.width / 32, frame.aim.width / 16) == (left, width)
        assert frame.gaze_cm[0] == pytest.approx(5 * 816 / width)  # 5 cm for a strip of 816 px
    assert all(frame.gaze_cm is None for frame in frames if not frame.aim.has_eyes)
    assert (aims[0].state, aims[0].has_eyes) == (0, False)  # not found yet


def test_a_session_of_a_camera_that_aims(camera, network, tmp_path, monkeypatch):
    monkeypatch.setattr(picamera2_stub.IMX500, "input_size", (192, 64))
    camera.person = (2300.0, 1600.0, 900.0)
    (tmp_path / "finder.tflite").write_bytes(finder_net())
    out = tmp_path / "s.jsonl"
    more = ("--finder", tmp_path / "finder.tflite", "--region-delay", 2)
    answer = run(
        "measure",
        "--target",
        "imx500",
        "--model",
        network,
        "--frames",
        60,
        "--warmup",
        0,
        "--out",
        out,
        *more,
        "--json",
    )
    assert answer.code == 0, answer.err
    session = read_session(out)
    aim = following(session)
    assert aim.state[-40:].tolist() == [1] * 40
    assert aim.region[-1] == pytest.approx((2300, 1600, 900), abs=40)
    np.testing.assert_array_equal(np.isnan(session_gaze(session)[:, 0]), ~aim.has_eyes)
    assert answer.document["aim"]["followed"] >= 40
    assert any("of frames followed" in remark for remark in answer.document["remarks"])


def test_old_frames_are_thrown_away(camera, network):
    with imx500.open_imx500(network) as source:
        while picamera2_stub.IMX500.now < 10:
            time.sleep(0.001)
        first = next(event for event in source.frames(1) if isinstance(event, Frame))
        assert first.extra["camera_frame"] > 5
        assert first.stamps[0] < first.stamps[1] <= first.stamps[2] <= first.stamps[3]


def test_a_camera_that_falls_silent_ends_the_session(camera, network, tmp_path, monkeypatch):
    monkeypatch.setattr(imx500_frames, "SILENCE_S", 2.0)  # longer than a busy computer takes for a frame
    camera.frames_until_silence = 150
    out = tmp_path / "s.jsonl"
    answer = run("measure", "--target", "imx500", "--model", network, "--frames", 1000, "--out", out)
    assert answer.code == 1
    assert "no frame for" in answer.out
    assert read_session(out).end == "failed"
    assert len(read_session(out)) > 10


def test_a_network_that_gives_no_result_is_said(camera, network, monkeypatch):
    camera.results = False
    with imx500.open_imx500(network) as source, pytest.raises(DeviceError, match="thousand frames"):
        list(source.frames(1))


def test_a_result_that_comes_again_is_not_a_new_one(camera, network):
    camera.repeats = 3
    with imx500.open_imx500(network) as source:
        frames = [event for event in source.frames(20) if isinstance(event, Frame)]
    counts = [frame.extra["network_count"] for frame in frames]
    assert set(np.diff(counts)) == {1.0}
    # Each came three times. What came before the first one that counted is not known, and a busy computer misses some.
    repeated = [frame.extra["repeated_result"] for frame in frames[1:]]
    assert set(repeated) <= {0.0, 1.0, 2.0}
    assert repeated.count(2.0) > len(repeated) / 2


def test_results_that_the_sensor_counted_and_that_did_not_come_are_lost(camera, network, tmp_path):
    camera.lost_after = 10
    out = tmp_path / "s.jsonl"
    answer = run("measure", "--target", "imx500", "--model", network, "--frames", 100, "--out", out, "--json")
    session = read_session(out)
    counts = session.extra["network_count"].astype(int)
    missing = (np.diff(counts) % 256 - 1)[~session.resumed[1:]]
    assert session.lost == missing.sum() >= 9
    assert answer.document["lost"] == session.lost
    assert f"{session.lost} lost" in " ".join(answer.document["remarks"])
    np.testing.assert_array_equal(np.diff(session.sequence)[~session.resumed[1:]], missing + 1)
    # A period does not span a loss.
    assert answer.document["phases"]["period"]["n"] <= 100 - session.lost


def test_stamps_of_a_clock_that_is_elsewhere_come_to_the_sessions_clock(camera, network, monkeypatch):
    hour = 3_600_000_000_000
    boot = imx500.time.clock_gettime_ns
    monkeypatch.setattr(
        time,
        "clock_gettime_ns",
        lambda clock: time.monotonic_ns() + hour if clock == time.CLOCK_BOOTTIME else boot(clock),
    )
    camera.clock_offset_ns = hour
    before = host_clock.now_ns()
    with imx500.open_imx500(network) as source:
        frame = next(event for event in source.frames(1) if isinstance(event, Frame))
    # Read out 19 ms before it was handed over, as the stand-in says, on the clock of the session.
    assert before - 1e6 < frame.stamps[1] + 19e6 < frame.stamps[2] + 1e6
    assert frame.stamps[1] - frame.stamps[0] == 8_000_000
    assert frame.stamps[3] >= frame.stamps[2]


def test_a_computer_that_has_slept(monkeypatch):
    # CLOCK_BOOTTIME is then ahead; time stamps tell of which clock they are.
    hour = 3_600_000_000_000
    monkeypatch.setattr(time, "clock_gettime_ns", lambda clock: time.monotonic_ns() + hour)
    now = time.monotonic_ns()
    assert imx500._sensor_clock(now - 20_000_000) is time.monotonic_ns
    assert abs(imx500._sensor_clock(now + hour - 20_000_000)() - now - hour) < 5_000_000_000


def test_without_picamera2_the_way_is_said(network, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", None)
    answer = run("measure", "--target", "imx500", "--model", network, "--out", tmp_path / "s.jsonl")
    assert answer.code == 1
    assert "sudo apt install imx500-all python3-picamera2" in answer.err
    assert not (tmp_path / "s.jsonl").exists()


def test_wrong_packages_are_refused(camera, tmp_path):
    out = ("--out", tmp_path / "s.jsonl")
    missing = run("measure", "--target", "imx500", "--model", tmp_path / "no.rpk", *out)
    assert (missing.code, "no such file" in missing.err) == (1, True)
    none = run("measure", "--target", "imx500", *out)
    assert (none.code, "network.rpk" in none.err) == (2, True)
