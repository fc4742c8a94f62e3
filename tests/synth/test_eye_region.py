"""What surrounds the eyes: it is where it belongs, and the gaze does not depend on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinytracker.synth.boxes import face_marks
from tinytracker.synth.eye_region import (
    crease_field,
    hollow_field,
    lid_edge,
    openness,
    ridge_field,
    shape_region,
)
from tinytracker.synth.head import SIDES, load_head
from tinytracker.synth.looks import with_looks
from tinytracker.synth.people import PLAIN_REGION, sample_identity
from tinytracker.synth.render import Renderer
from tinytracker.synth.sitting import plan_sitting, subject_streams


@pytest.mark.parametrize("field", [ridge_field, crease_field, hollow_field])
def test_fields_are_symmetric_and_only_around_the_eyes(field):
    base = load_head().vertices
    values = field(base)
    assert values.min() >= 0
    assert 0.9 < values.max() <= 1
    mirrored = field(base * [-1, 1, 1])
    assert np.allclose(values, mirrored)
    away = (np.abs(base[:, 1] - 73.5) > 4) | (base[:, 2] < 8)
    assert values[away].max() < 0.01


def test_a_plain_region_changes_nothing():
    head = load_head()
    assert np.array_equal(shape_region(head.vertices, PLAIN_REGION), head.vertices)
    assert np.array_equal(openness(head.occlusion, PLAIN_REGION), head.occlusion)


def test_a_ridge_stands_out_and_leaves_eyes_and_lids_in_place():
    head = load_head()
    moved = shape_region(head.vertices, replace(PLAIN_REGION, ridge=0.5)) - head.vertices
    assert 0.4 < moved[:, 2].max() <= 0.5
    for side in SIDES:
        assert not moved[head.eye[side]].any()
        for lid in ("upper", "lower"):
            assert np.abs(moved[head.lashes[(side, lid)][:, 1]]).max() < 0.08


def test_the_edge_of_a_lid_moves_along_the_lashes():
    base = load_head().vertices
    edge, beyond = (lid_edge(base, "left", "upper", outward) for outward in (0.0, 0.1))
    assert np.allclose(np.linalg.norm(beyond - edge, axis=1), 0.1)
    # The lashes of the upper lid point forward.
    assert (beyond - edge)[3:-3, 2].min() > 0


def test_looks_keep_head_and_gaze_of_a_subject():
    """The surroundings have a generator of their own: another one changes neither dots nor poses."""
    plans = []
    for other in (0, 1):
        streams = subject_streams(3, 0)
        streams["looks"] = np.random.default_rng(other)
        plans.append(plan_sitting(streams, 3, None, (96, 128), 1.0))
    first, second = plans
    assert first.identity.region != second.identity.region
    for a, b in zip(first.frames, second.frames, strict=True):
        assert np.array_equal(a.dot_cm, b.dot_cm)
        assert np.array_equal(a.pose.head, b.pose.head)


def test_asian_sockets_are_flatter():
    """Over many subjects; a person may differ."""
    people = [
        with_looks(sample_identity(np.random.default_rng(i)), np.random.default_rng(i)) for i in range(120)
    ]
    asian = np.array([p.origins[1] > 0.6 for p in people])
    for name in ("ridge", "crease", "hollow"):
        values = np.array([getattr(p.region, name) for p in people])
        assert values[asian].mean() < values[~asian].mean()


def test_hollow_and_lash_line_darken_the_picture_around_the_eyes():
    streams = subject_streams(7, 1)
    sitting = plan_sitting(streams, 1, None, (120, 160), 1.0)
    frame = replace(sitting.frames[0], closed=(0.0, 0.0), finger=None)
    region = replace(sitting.identity.region, hollow=0.0, lash_line=0.0, lower_line=0.0)
    pictures = []
    for chosen in (region, replace(region, hollow=0.8), replace(region, lash_line=1.0)):
        identity = replace(sitting.identity, region=chosen)
        plan = replace(sitting, identity=identity, frames=(frame,))
        pictures.append(Renderer(plan, subject_streams(7, 1)).render(0).astype(float))
    plain, hollow, lined = pictures
    marks = face_marks(sitting.identity, frame.camera, frame.pose)
    for picture in (hollow, lined):
        change = picture.mean(2) - plain.mean(2)
        row, column = np.unravel_index(change.argmin(), change.shape)
        assert change[row, column] < -15
        distance = min(np.hypot(column - x, row - y) for x, y in (marks.left_eye, marks.right_eye))
        assert distance < 2.5 * marks.px_per_cm
