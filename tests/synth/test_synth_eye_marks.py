"""Exact eye marks, and the views that `synth --aim` draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinytracker.data.eye_marks import read_eye_marks
from tinytracker.data.reader import read_recording
from tinytracker.errors import OutputError
from tinytracker.synth.eye_marks import mark_eyes
from tinytracker.synth.framing import vary
from tinytracker.synth.generation import generate
from tinytracker.synth.scene import aim_eyes, visual_axis
from tinytracker.synth.sitting import plan_sitting, subject_streams

SMALL = (96, 128)


def sitting(index: int, frames: int = 40):
    streams = subject_streams(9, index)
    return plan_sitting(streams, frames, None, (480, 640), 1.0), streams


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("synth") / "set"
    generate(out, subjects=1, frames=6, seed=5, jobs=1, size=SMALL, aim=True)
    return out


def test_boxes_lie_around_the_marks_as_a_detector_s_would():
    from tinytracker.synth.boxes import detect

    shifts, widths = [], []
    for index in range(6):
        plan, streams = sitting(index)
        marks, boxes = mark_eyes(plan), detect(plan.identity, plan.frames, streams["boxes"])
        seen = boxes["left_eye"].valid & boxes["right_eye"].valid
        face = boxes["face"].corners()
        middle = [face[:, :2] + boxes[f"{s}_eye"].corners()[:, :2] + boxes[f"{s}_eye"].corners()[:, 2:] / 2
                  for s in ("left", "right")]  # fmt: skip
        away = (np.mean(middle, 0) - marks.strips[:, :2]) / marks.strips[:, 2:]
        shifts.append(away[seen])
        widths.append(np.log(0.75 * face[seen, 2] / marks.width[seen]))
    assert np.abs(np.concatenate(shifts).mean(0)).max() < 0.002
    assert 0.004 < np.concatenate(shifts).std() < 0.03
    assert abs(np.concatenate(widths).mean()) < 0.005


def test_the_subject_s_left_eye_is_on_the_right_and_roll_is_positive_when_it_is_lower():
    plan, _ = sitting(1)
    marks = mark_eyes(plan)
    assert (marks.left_x > marks.right_x).all()
    np.testing.assert_array_equal(np.sign(marks.roll), np.sign(marks.left_y - marks.right_y))
    assert 0.01 < np.abs(marks.roll).max() < 0.5


def test_varied_views_differ_in_lens_and_distance_and_keep_the_gaze():
    focal, farther = [], []
    for index in range(8):
        plan, streams = sitting(index, 12)
        varied = vary(plan, streams["framing"])
        marks = mark_eyes(varied)
        assert len(set(marks.focal)) == 1
        focal.append(marks.focal[0])
        farther.append(varied.frames[0].pose.position[2] / plan.frames[0].pose.position[2])
        for frame in varied.frames:
            assert not frame.lost
            for side, pose in aim_eyes(varied.identity, frame.pose, frame.dot_cm).items():
                axis = visual_axis(varied.identity.eyes[side], frame.pose, pose.optical)
                met = pose.centre - axis * pose.centre[2] / axis[2]
                np.testing.assert_allclose(met[:2], frame.dot_cm, atol=1e-6)
        inside = (marks.strips[:, :2] > 0) & (marks.strips[:, :2] < [max(480, 640)] * 2)
        assert inside.all()
    assert 0.7 <= min(focal) < 0.85 < max(focal) <= 1.05
    assert 0.85 <= min(farther) < 1.0 < max(farther) <= 1.45


def test_marks_and_rooms_lie_beside_the_frames(made):
    recording = read_recording(made / "00000")
    marks = read_eye_marks((made / "00000" / "eyes.json").read_bytes(), len(recording))
    assert marks.focal[0] != 1
    rooms = sorted((made / "00000" / "rooms").iterdir())
    assert [p.name for p in rooms] == ["00000.jpg", "00001.jpg"]
    pictures = []
    for path in rooms:
        with Image.open(path) as picture:
            assert picture.size in (SMALL, SMALL[::-1])
            pictures.append(np.asarray(picture.convert("L"), float).mean())
    assert pictures[0] != pictures[1]


def test_views_are_part_of_the_parameters_and_older_folders_can_be_resumed(made):
    assert json.loads((made / "synth.json").read_text())["aim"] is True
    with pytest.raises(OutputError, match="aim is True, not None"):
        generate(made, subjects=1, frames=6, seed=5, jobs=1, size=SMALL)
