"""Hats, scarves, hands, lenses and hair over an eye: each changes the picture where it belongs."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from tinytracker.synth import headwear
from tinytracker.synth.boxes import face_marks
from tinytracker.synth.eye_marks import mark_eyes
from tinytracker.synth.face_front import FaceFront
from tinytracker.synth.hands import covers, draw_capsules, hand_capsules
from tinytracker.synth.head import load_head
from tinytracker.synth.identity import HAND_PLACES
from tinytracker.synth.looks import sample_extras
from tinytracker.synth.people import NO_EXTRAS, sample_identity
from tinytracker.synth.render import Renderer
from tinytracker.synth.sitting import plan_sitting, subject_streams

SIZE = (120, 160)


def sitting_with(**extras: object):
    """Return a sitting of one frame of a subject with short hair and without glasses, with these extras."""
    sitting = plan_sitting(subject_streams(7, 3), 1, None, SIZE, 1.0)
    extras = {name: np.array(v) if isinstance(v, tuple) else v for name, v in extras.items()}
    hair = replace(sitting.identity.hair, style="short", length=4.0)
    identity = replace(sitting.identity, glasses=None, hair=hair, extras=replace(NO_EXTRAS, **extras))
    frame = replace(sitting.frames[0], closed=(0.0, 0.0), finger=None, hand=True)
    return replace(sitting, identity=identity, frames=(frame,))


@lru_cache(maxsize=32)
def picture(**extras: object) -> np.ndarray:
    return Renderer(sitting_with(**extras), subject_streams(7, 3)).render(0).astype(float)


def change_of(**extras: object) -> np.ndarray:
    return np.abs(picture(**extras) - picture()).max(2)


def above_brows(change: np.ndarray) -> float:
    """Return the share of a change that lies above the brows."""
    sitting = sitting_with()
    marks = face_marks(sitting.identity, sitting.frames[0].camera, sitting.frames[0].pose)
    row = int(min(marks.left_eye[1], marks.right_eye[1]) - 2.5 * marks.px_per_cm)
    strong = change > 25
    return strong[:row].sum() / strong.sum()


@pytest.mark.parametrize("kind", ["cap", "beanie"])
def test_hats_cover_the_head_above_the_brows(kind):
    change = change_of(headwear=kind, headwear_colour=(0.5, 0.05, 0.05))
    assert (change > 25).sum() > 150
    assert above_brows(change) > 0.85


def test_a_headscarf_leaves_the_face_free():
    sitting = sitting_with()
    frame = sitting.frames[0]
    change = change_of(headwear="headscarf", headwear_colour=(0.5, 0.05, 0.05))
    marks = face_marks(sitting.identity, frame.camera, frame.pose)
    x, y = (marks.left_eye + marks.right_eye) / 2
    reach = int(2.5 * marks.px_per_cm)
    face = change[int(y) - reach // 2 : int(y) + 2 * reach, int(x) - reach : int(x) + reach]
    assert (change > 25).sum() > 400
    assert np.median(face) < 12


def test_covers_are_symmetric_and_leave_the_eyes():
    base = load_head().vertices
    near_eyes = np.hypot(np.abs(base[:, 0]) - 3.1, base[:, 1] - 72.8) < 2.0
    for kind in headwear.HEADWEAR[1:]:
        cover = headwear.cover(kind, base)
        assert np.allclose(cover, headwear.cover(kind, base * [-1, 1, 1]))
        assert cover[near_eyes & (base[:, 2] > 8)].max() == 0
        assert cover[base[:, 1] > 83].min() == 1
        assert (headwear.stand_off(kind)[(cover == 0) & (base[:, 1] > 56)] < 0.1).all()


@pytest.mark.parametrize("place", HAND_PLACES)
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_hands_are_on_their_side_and_on_the_skin(place, side):
    front = FaceFront.of(sample_identity(np.random.default_rng(0)).vertices)
    capsules = hand_capsules(front, place, side)
    fingers = capsules[:12]
    if place != "chin":
        assert (side * fingers[:, 0] > 0).all()
    tips = fingers[2::3, 3:6]
    surface = front.on(tips[:, :2], 0.0)
    assert (np.abs(tips[:, 2] - surface[:, 2]) < 1.0).all()


def test_a_hand_hides_what_is_behind_it():
    ball = np.array([[0.0, 0.0, 30.0, 0.0, 3.0, 30.0, 1.0, 1.0]])
    camera = np.zeros(3)
    assert covers(ball, np.array([[0.0, 1.5, 40.0]]), camera)
    assert not covers(ball, np.array([[0.0, 1.5, 20.0]]), camera)
    assert not covers(ball, np.array([[6.0, 1.5, 40.0]]), camera)


def test_capsules_are_drawn_where_they_are_and_behind_what_is_nearer():
    view = np.array([100, 20, 20], np.float32)
    capsule = np.array([[0, 0, 40, 0, 4, 40, 2, 2]], np.float32)
    light, sources = np.eye(3, dtype=np.float32), np.zeros((0, 7), np.float32)
    light[:2] = 1
    for wall, seen in ((0.0, True), (1 / 30, False)):
        image, inverse = np.zeros((40, 40, 3), np.float32), np.full((40, 40), wall, np.float32)
        draw_capsules(image, inverse, view, capsule, np.ones(3, np.float32), light, sources)
        drawn = image.sum(2) > 0.5 * image.sum(2).max()
        assert drawn.any() == seen
        if seen:
            rows, columns = np.nonzero(drawn)
            # 2 cm at 40 cm are 5 px; the axis runs 10 px upwards from the centre.
            assert (columns.min(), columns.max()) == (15, 24)
            assert (rows.min(), rows.max()) == (5, 24)
            assert np.isclose(1 / inverse[19, 19], 38, atol=0.1)


def test_a_hand_over_the_eyes_is_in_the_marks(monkeypatch):
    """A hand at the cheek leaves the eyes free; one made so large that it covers them is marked."""
    from tinytracker.synth import eye_marks

    sitting = sitting_with(hand="cheek")
    assert mark_eyes(sitting).occluded.tolist() == [0.0]
    large = hand_capsules(FaceFront.of(sitting.identity.vertices), "cheek", 1.0)
    large[:, 6:] *= 8
    monkeypatch.setattr(eye_marks, "hand_capsules", lambda *a: large)
    assert mark_eyes(sitting).occluded.tolist() == [1.0]


def test_a_lock_of_hair_hangs_over_its_eye():
    sitting = sitting_with()
    frame = sitting.frames[0]
    marks = face_marks(sitting.identity, frame.camera, frame.pose)
    changes = {}
    for side in (1.0, -1.0):
        change = change_of(lock=1.0, lock_side=side)
        for name, (x, y) in (("left", marks.left_eye), ("right", marks.right_eye)):
            reach = int(1.5 * marks.px_per_cm)
            part = change[int(y) - reach : int(y) + reach, int(x) - reach : int(x) + reach]
            changes[side, name] = part.mean()
    assert changes[1.0, "left"] > 3 * changes[1.0, "right"]
    assert changes[-1.0, "right"] > 3 * changes[-1.0, "left"]


def test_shares_of_extras():
    """Of many subjects, each kind is there, and coloured lenses only without glasses."""
    drawn = []
    for i in range(300):
        identity = sample_identity(np.random.default_rng(i))
        drawn.append((identity, sample_extras(identity, np.random.default_rng(1000 + i))))
    for name, kinds in (
        ("headwear", set(headwear.HEADWEAR)),
        ("hand", {"", *HAND_PLACES}),
        ("contact_lenses", {"", "clear", "coloured"}),
        ("eye_shape", {"plain", "monolid", "epicanthic", "hooded", "deep-set"}),
    ):
        assert {getattr(extras, name) for _, extras in drawn} == kinds
    for identity, extras in drawn:
        assert not (extras.contact_lenses and identity.glasses)
        assert not (extras.headwear == "headscarf" and identity.masculine > 0.5)
