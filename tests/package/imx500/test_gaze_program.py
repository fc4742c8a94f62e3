"""The program for the Raspberry Pi, without a camera."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

PATH = Path(__file__).parents[3] / "deploy" / "imx500" / "gaze_imx500.py"
spec = importlib.util.spec_from_file_location("gaze_imx500", PATH)
assert spec is not None
assert spec.loader is not None
gaze_imx500 = importlib.util.module_from_spec(spec)
sys.modules["gaze_imx500"] = gaze_imx500
spec.loader.exec_module(gaze_imx500)


class FakeCamera:
    """Gives the outputs that the metadata names."""

    def get_outputs(self, metadata: dict):
        return None if "gaze" not in metadata else [np.array(metadata["gaze"], np.float32)]

    def get_kpi_info(self, metadata: dict):
        return metadata.get("kpi")


def test_frames_are_counted_and_only_the_drawn_gaze_is_smoothed() -> None:
    camera = FakeCamera()
    watcher = gaze_imx500.Watcher(camera, smoothing=0.5)
    last = {"SensorTimestamp": 7, "gaze": [4.0, -8.0], "kpi": (5.5, 1.0)}
    for metadata in ({"SensorTimestamp": 5}, {"SensorTimestamp": 6, "gaze": [2.0, -4.0]}, last):
        watcher.add(metadata)
    assert (watcher.frames, watcher.results, watcher.dnn_ms) == (3, 2, 5.5)
    assert watcher.gaze == (3.0, -6.0)
    result = gaze_imx500.read_result(camera, last)
    assert (result.gaze_cm, result.dnn_ms, result.dsp_ms) == ((4.0, -8.0), 5.5, 1.0)
    assert gaze_imx500.read_result(camera, {}).gaze_cm is None


class AimingCamera(FakeCamera):
    """A stand-in whose network aims at eyes in one place, and which applies a region two frames late."""

    def __init__(self) -> None:
        self.frame = 0
        self.set: list[tuple[int, tuple[int, int, int, int]]] = []

    def set_inference_roi_abs(self, roi: tuple[int, int, int, int]) -> None:
        self.set.append((self.frame, roi))

    def next(self, x: float, y: float, width: float) -> tuple[dict, tuple[int, int, int, int]]:
        reached = [roi for at, roi in self.set if at + 3 <= self.frame] or [(1620, 1384, 816, 272)]
        left, top, w, h = reached[-1]
        dx, dy, scale = (x - left - w / 2) / w, (y - top - h / 2) / w, np.log(width / w)
        seen = abs(dx) < 0.45 and abs(dy) < 0.2 and -1.9 < scale < 0.7
        self.frame += 1
        return {"gaze": [5.0, -3.0, dx, dy, scale, 0.0, 6.0 if seen else -6.0]}, reached[-1]


def test_the_region_follows_the_eyes_of_a_network_with_an_aim() -> None:
    camera = AimingCamera()
    watcher = gaze_imx500.Watcher(camera, smoothing=0.0)
    for _ in range(250):
        metadata, roi = camera.next(2300, 1600, 900)
        watcher.add(metadata)
    assert watcher.roi == roi
    assert abs(roi[0] + roi[2] / 2 - 2300) < 50
    assert abs(roi[2] - 900) < 60
    assert watcher.gaze == pytest.approx((5 * 816 / roi[2], -3 * 816 / roi[2]))
    for _ in range(3):
        watcher.add(camera.next(-9000, 0, 900)[0])
    assert watcher.gaze is None
    still = gaze_imx500.Watcher(AimingCamera(), smoothing=0.0, follow=False)
    still.add({"gaze": [5.0, -3.0, 0.3, 0.0, 0.0, 0.0, 6.0]})
    assert (still.roi, still.gaze) == (None, (5.0, -3.0))


def test_without_tinytracker_the_region_stays_and_the_program_says_why(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tinytracker.aim.delayed", None)
    watcher = gaze_imx500.Watcher(AimingCamera(), smoothing=0.0)
    watcher.add({"gaze": [5.0, -3.0, 0.3, 0.0, 0.0, 0.0, 6.0]})
    assert watcher.gaze == (5.0, -3.0)
    assert "Install tinytracker beside picamera2" in watcher.problem


def test_a_calibration_file_corrects_as_the_project_does(tmp_path: Path) -> None:
    from tinytracker.evaluate.calibration import Calibration

    calibration = Calibration(kind="affine", matrix=((1.1, -0.2), (0.05, 0.9)), offset=(-1.5, 0.7))
    calibration.write(tmp_path / "me.json")
    correct = gaze_imx500.read_correction(str(tmp_path / "me.json"))
    expected = calibration.apply(np.array([4.0, -8.0]))
    assert correct(4.0, -8.0) == pytest.approx(tuple(expected))
    watcher = gaze_imx500.Watcher(FakeCamera(), 0.0, correct)
    watcher.add({"SensorTimestamp": 5, "gaze": [4.0, -8.0]})
    assert watcher.gaze == pytest.approx(tuple(expected))


def test_a_calibration_of_another_network_is_refused(tmp_path: Path) -> None:
    from tinytracker.evaluate.calibration import Calibration
    from tinytracker.evaluate.calibration_identity import Identity

    network = tmp_path / "network.rpk"
    network.write_bytes(b"any")
    path = tmp_path / "me.json"
    for made_for, fits in ((hashlib.sha256(b"any").hexdigest(), True), (None, True), ("a" * 64, False)):
        Calibration(identity=Identity(model_sha256=made_for)).write(path)
        problem = gaze_imx500.read_correction(str(path)).problem(network)
        assert (problem is None) == fits
    assert "made for the network aaaaaaaaaaaa" in problem


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema_version": 2}', None, "ridge"])
def test_what_is_no_calibration_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "me.json"
    if content == "ridge":
        from tinytracker.evaluate.calibration import fit

        true = np.random.default_rng(0).uniform(-5, 5, (40, 2))
        fit(true + 0.3 * true**2, true, method="ridge").write(path)
    elif content is not None:
        path.write_text(content)
    with pytest.raises(argparse.ArgumentTypeError, match=r"me\.json"):
        gaze_imx500.read_correction(str(path))


def inside(roi: tuple[int, int, int, int]) -> bool:
    x, y, w, h = roi
    return x >= 0 and y >= 0 and w >= 1 and h >= 1 and x + w <= 4056 and y + h <= 3040


@given(
    st.tuples(st.floats(-500, 5000), st.floats(-500, 4000), st.floats(1, 6000), st.floats(1, 6000)),
    st.integers(1, 1280),
    st.integers(1, 960),
)
def test_face_regions_stay_on_the_sensor_and_keep_their_shape(box: tuple, width: int, height: int) -> None:
    x, y, w, h = gaze_imx500.face_roi(box, width, height)
    assert inside((x, y, w, h))
    scale = min(max(box[2] / width, box[3] / height), 4056 / width, 3040 / height)
    assert abs(w - width * scale) <= 1
    assert abs(h - height * scale) <= 1


def test_a_face_in_the_middle_is_centred() -> None:
    assert gaze_imx500.face_roi((1500, 1000, 400, 300), 112, 112) == (1500, 950, 400, 400)


def test_the_centred_region_of_a_face_is_the_largest() -> None:
    assert gaze_imx500.centred_roi(112, 112) == (508, 0, 3040, 3040)


def test_a_strip_has_the_width_at_which_the_answer_is_in_cm() -> None:
    roi = gaze_imx500.centred_roi(192, 64)
    assert roi == (1620, 1384, 816, 272)
    assert gaze_imx500.cm_per_unit(roi, 192, 64) == 1
    # Twice as near, the eyes are twice as wide and the same angle is half as far on the screen.
    assert gaze_imx500.cm_per_unit((0, 0, 1632, 544), 192, 64) == 0.5
    assert gaze_imx500.cm_per_unit((0, 0, 1632, 1632), 112, 112) == 1


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "-1,0,5,5", "0,0,0,5", "4000,0,57,10", "0,3000,10,41"])
def test_impossible_regions_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        gaze_imx500.parse_roi(text)


def test_the_dot_is_where_one_looks() -> None:
    screen, image = (40.0, 20.0), (640, 480)
    assert gaze_imx500.dot_position((0.0, 0.0), screen, image) == (320, 0)
    assert gaze_imx500.dot_position((10.0, -10.0), screen, image) == (480, 240)
    assert gaze_imx500.dot_position((-99.0, 99.0), screen, image) == (0, 0)
    assert gaze_imx500.dot_position((99.0, -99.0), screen, image) == (639, 479)


def test_without_picamera2_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    assert gaze_imx500.run(gaze_imx500.get_args(["--model", str(tmp_path / "network.rpk")])) == 1
    assert "sudo apt install imx500-all" in capsys.readouterr().err
