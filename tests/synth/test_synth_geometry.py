"""The label is exact: the eyes that are drawn look at the dot that is written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytracker.data.devices import DEVICES
from tinytracker.synth.boxes import detect
from tinytracker.synth.dots import sample_dots
from tinytracker.synth.head import SIDES
from tinytracker.synth.scene import aim_eyes, rotation, to_angles, to_direction, visual_axis
from tinytracker.synth.sitting import Sitting, plan_sitting, subject_streams

TOLERANCE_CM = 1e-6


def plan(index: int, frames: int = 24, seed: int = 3, devices: list[str] | None = None) -> Sitting:
    return plan_sitting(subject_streams(seed, index), frames, devices, (480, 640), 1.0)


@pytest.mark.parametrize("index", range(6))
def test_visual_axes_meet_the_written_dot(index):
    sitting = plan(index)
    dots = sitting.dots
    for i, frame in enumerate(sitting.frames):
        eyes = aim_eyes(sitting.identity, frame.pose, frame.dot_cm)
        for side in SIDES:
            axis = visual_axis(sitting.identity.eyes[side], frame.pose, eyes[side].optical)
            centre = eyes[side].centre
            hit = centre - axis * centre[2] / axis[2]
            points = sitting.device.to_screen_points(
                hit[:2], dots.screen_w[i], dots.screen_h[i], dots.orientation[i]
            )
            assert abs(hit[2]) < TOLERANCE_CM
            assert np.abs(hit[:2] - frame.dot_cm).max() < TOLERANCE_CM
            assert np.allclose(points, [dots.x_pts[i], dots.y_pts[i]], atol=1e-4)


def test_eyes_converge_and_optical_axes_point_temporally():
    sitting = plan(1)
    frame = sitting.frames[0]
    eyes = aim_eyes(sitting.identity, frame.pose, frame.dot_cm)
    # In the head's frame x is to the subject's left: the left eye turns in (less x) relative to the right
    # one.
    assert eyes["left"].yaw < eyes["right"].yaw
    for side, sign in (("left", 1), ("right", -1)):
        optical_yaw, _ = to_angles(frame.pose.head.T @ eyes[side].optical)
        assert sign * (optical_yaw - eyes[side].yaw) > 0


def test_picture_is_not_mirrored():
    sitting = plan(2)
    frame = sitting.frames[0]
    eyes = aim_eyes(sitting.identity, frame.pose, frame.dot_cm)
    left, right = (frame.camera.project(eyes[side].centre) for side in SIDES)
    assert left[0] > right[0], "the subject's left eye is on the right of the picture"
    assert eyes["left"].centre[0] < eyes["right"].centre[0]


@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(-0.6, 0.6))
def test_rotation_is_rigid_and_points_where_it_says(pitch, yaw, roll):
    matrix = rotation(pitch, yaw, roll)
    assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.isclose(np.linalg.det(matrix), 1)
    front = matrix @ [0, 0, 1]
    assert np.isclose(np.arctan2(front[0], -front[2]), yaw)
    assert np.isclose(np.arcsin(front[1]), pitch)


@given(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2))
def test_angles_and_directions_are_inverse(yaw, pitch):
    assert np.allclose(to_angles(to_direction(yaw, pitch)), (yaw, pitch), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(DEVICES)), st.integers(1, 300), st.integers(0, 2**32))
def test_dots_are_on_the_screen_and_numbered_in_order(name, frames, seed):
    device = DEVICES[name]
    dots = sample_dots(device, frames, np.random.default_rng(seed))
    assert all(
        len(getattr(dots, field)) == frames for field in ("number", "time", "x_pts", "y_pts", "orientation")
    )
    assert (dots.x_pts > 0).all()
    assert (dots.x_pts < dots.screen_w).all()
    assert (dots.y_pts > 0).all()
    assert (dots.y_pts < dots.screen_h).all()
    assert dots.number[0] == 0
    assert set(np.diff(dots.number)) <= {0, 1}
    same_dot = np.diff(dots.number) == 0
    assert (np.diff(dots.time)[same_dot] > 0).all()
    assert set(dots.orientation) <= ({1, 2, 3, 4} if device.family == "tablet" else {1, 3, 4})
    landscape = dots.orientation >= 3
    assert ((dots.screen_w > dots.screen_h) == landscape).all()


def test_all_orientations_and_devices_occur():
    sittings = [plan(i, frames=48, devices=[name]) for i, name in enumerate(DEVICES)]
    assert [s.device.name for s in sittings] == list(DEVICES)
    assert {int(o) for s in sittings for o in s.dots.orientation} == {1, 2, 3, 4}
    for sitting in sittings:
        for i, frame in enumerate(sitting.frames):
            assert (frame.camera.width > frame.camera.height) == (sitting.dots.orientation[i] >= 3)


def test_boxes_follow_the_conventions_of_the_format():
    sitting = plan(4, frames=120, devices=["iPad Pro"])
    streams = subject_streams(3, 4)
    boxes = detect(sitting.identity, sitting.frames, streams["boxes"])
    face, left, right, grid = (boxes[k] for k in ("face", "left_eye", "right_eye", "face_grid"))
    ok = face.valid
    assert 0.8 < ok.mean() <= 1
    assert np.array_equal(face.w, face.h)
    assert (left.x[left.valid] > right.x[left.valid]).all(), "left is the subject's left"
    assert not left.valid[~ok].any()
    assert np.array_equal(left.valid, right.valid)
    for i in np.flatnonzero(left.valid):
        frame = sitting.frames[i]
        for box, side in ((left, "left"), (right, "right")):
            pupil = frame.camera.project(aim_eyes(sitting.identity, frame.pose, frame.dot_cm)[side].centre)
            corner = np.array([face.x[i] + box.x[i], face.y[i] + box.y[i]])
            assert (pupil > corner).all()
            assert (pupil < corner + box.w[i]).all()
    for i in np.flatnonzero(ok):
        camera = sitting.frames[i].camera
        first = np.round(face.x[i] / camera.width * 25) + 1
        assert abs(grid.x[i] - np.clip(first, 1, 25)) <= 1
        assert 1 <= grid.y[i] <= grid.y[i] + grid.h[i] - 1 <= 25
    assert (face.w[~ok] == 0).all()


def test_lost_frames_occur_at_a_plausible_rate():
    frames = [f for i in range(12) for f in plan(i, frames=100).frames]
    lost = np.mean([f.lost or f.eyes_lost for f in frames])
    assert 0.01 < lost < 0.10


def test_difficulty_widens_what_it_says():
    def spread(difficulty: float) -> tuple[float, float]:
        sittings = [
            plan_sitting(subject_streams(1, i), 8, ["iPhone 6"], (480, 640), difficulty) for i in range(25)
        ]
        places = np.array([f.pose.position for s in sittings for f in s.frames])
        return float(places[:, :2].std()), float(np.mean([s.sensor.read for s in sittings]))

    easy, realistic, hard = spread(0.2), spread(1.0), spread(2.0)
    assert easy[0] < realistic[0] < hard[0]
    assert easy[1] < realistic[1] < hard[1]
