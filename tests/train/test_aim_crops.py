"""Crops for training: what the target says is where the eyes are."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tinytracker.data.area import area_strip
from tinytracker.data.eye_marks import STRIP_PER_EYE_DISTANCE
from tinytracker.data.inputs import InputSpec, make_inputs_numpy

pytestmark = pytest.mark.train

SPEC = InputSpec("eye_band", 192, 64, channels="grey", unit="reference_cm")
LEFT, RIGHT = np.array([268.0, 236.0]), np.array([210.0, 224.0])
WIDTH = STRIP_PER_EYE_DISTANCE * np.hypot(*(LEFT - RIGHT))
GAZE = np.array([3.0, -4.0])


def frame(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def picture() -> np.ndarray:
    """A bright frame with a small dark disc in place of each eye."""
    y, x = np.mgrid[0:480, 0:640] + 0.5
    image = np.full((480, 640), 230.0)
    for eye in (LEFT, RIGHT):
        image -= 220 * np.clip(5.5 - np.hypot(x - eye[0], y - eye[1]), 0, 1)
    return np.repeat(image.astype(np.uint8)[..., None], 3, -1)


def record(room: bytes = b"", occluded: float = 0.0) -> dict:
    import tensorflow as tf

    values = {
        "whole": frame(picture()), "room": room, "strip": np.float32([*(LEFT + RIGHT) / 2, WIDTH]),
        "roll": np.float32(np.arctan2(*(LEFT - RIGHT)[::-1])), "focal": np.float32(0.8),
        "occluded": np.float32(occluded), "frame_size": np.float32([640, 480]), "gaze": np.float32(GAZE),
    }  # fmt: skip
    return {name: tf.constant(value) for name, value in values.items()}


def drawn(
    monkeypatch, count: int, stretch: float = 0.0, near: float = 0.28, mirror: bool = False, **options
) -> tuple[np.ndarray, list[dict[str, float]]]:
    import tensorflow as tf

    from tinytracker.train import aim_crops

    monkeypatch.setattr(aim_crops, "MASK_SHARE", 0.0)
    draw = tf.function(lambda seed: aim_crops.draw(record(**options), SPEC, seed, stretch, near, mirror))
    found = [draw(tf.constant([7, 128 * i], tf.int64)) for i in range(count)]
    targets = np.concatenate([t.numpy() for _, t in found])
    return np.concatenate([c.numpy() for c, _ in found])[..., 0], [
        dict(zip(aim_crops.COLUMNS, row, strict=True)) for row in targets
    ]


@pytest.mark.parametrize(("stretch", "mirror"), [(0.0, False), (0.2, False), (0.2, True)])
def test_both_eyes_lie_where_the_target_says(monkeypatch, stretch, mirror):
    codes, targets = drawn(monkeypatch, 40, stretch, mirror=mirror)
    checked = 0
    for crop, t in zip(codes, targets, strict=True):
        if t["presence"] == 0 or not 0.7 < np.exp(-t["ln_scale"]) < 1.45:
            continue
        half = np.exp(t["ln_scale"]) * 192 / STRIP_PER_EYE_DISTANCE / 2
        for side in (-1, 1):
            x = 96 + 192 * t["dx"] + side * half * np.cos(t["roll"])
            y = 32 + 192 * t["dy"] + side * half * np.sin(t["roll"])
            if not (14 < x < 178 and 14 < y < 50):
                continue
            x0, y0 = int(x) - 13, int(y) - 13
            dark = 230 - crop[y0 : y0 + 27, x0 : x0 + 27].astype(float).clip(None, 230)
            middle = (np.argwhere(dark >= 0) * dark.ravel()[:, None]).sum(0) / dark.sum() + 0.5
            np.testing.assert_allclose(middle[::-1] + [x0, y0], [x, y], atol=0.7)
            checked += 1
    assert checked > 40


def test_a_stretched_crop_has_no_gaze(monkeypatch):
    plain, stretched = (drawn(monkeypatch, 30, stretch)[1] for stretch in (0.0, 0.2))
    changed = 0
    for before, after in zip(plain, stretched, strict=True):
        if after["dy"] != before["dy"]:
            changed += 1
            assert after["gaze_weight"] == 0
            assert after["dx"] == before["dx"]
            assert 1 / 1.21 < after["dy"] / before["dy"] < 1.21
        else:
            assert after == pytest.approx(before, rel=1e-5)
    assert changed > 20


def test_half_of_the_crops_are_mirrored_with_their_gaze(monkeypatch):
    (crops, targets), (others, after) = (drawn(monkeypatch, 30, mirror=m) for m in (False, True))
    turned = 0
    for crop, t, other, found in zip(crops, targets, others, after, strict=True):
        if t["presence"] == 0:
            continue
        side = 1 if found["x"] == t["x"] else -1
        turned += side < 0
        assert found == pytest.approx(t | {name: side * t[name] for name in ("x", "dx", "roll")}, rel=1e-5)
        assert np.abs(crop[:, ::side].astype(int) - other).max() <= 1
    assert 35 < turned < 70


def test_a_larger_share_of_crops_near_the_strip_is_what_was_asked_for(monkeypatch):
    shares = []
    for near in (0.28, 0.8):
        targets = drawn(monkeypatch, 60, near=near)[1]
        shares.append(
            np.mean(
                [abs(t["dx"]) < 0.2 and 0.8 < np.exp(t["ln_scale"]) < 1.2 for t in targets if t["presence"]]
            )
        )
    assert shares[0] < 0.6 < 0.8 < shares[1]


def test_the_gaze_turns_with_the_picture_and_its_unit_follows_the_crop(monkeypatch):
    _, targets = drawn(monkeypatch, 30)
    seen = [t for t in targets if t["gaze_weight"] > 0]
    roll = np.arctan2(*(LEFT - RIGHT)[::-1])
    assert len({round(float(t["roll"]), 3) for t in seen}) > 10
    for t in seen:
        turn = roll - t["roll"]
        expected = [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]] @ GAZE
        np.testing.assert_allclose([t["x"], t["y"]], expected, atol=1e-4)
        width = WIDTH * np.exp(-t["ln_scale"])
        assert t["unit"] == pytest.approx(0.8 * 160 / width, rel=1e-4)


def test_crops_without_eyes_show_none_and_rooms_are_used(monkeypatch):
    codes, targets = drawn(monkeypatch, 40)
    none = [c for c, t in zip(codes, targets, strict=True) if t["presence"] == 0]
    assert 10 < len(none) < 50
    for crop in none:
        near = crop == 0  # outside the frame; up to two pixels of its edge are interpolated
        for axis in (0, 1, 0, 1):
            near |= np.roll(near, 1, axis) | np.roll(near, -1, axis)
        assert not ((crop < 120) & ~near).any()
    room = frame(np.full((480, 640, 3), 128, np.uint8))
    codes, targets = drawn(monkeypatch, 4, room=room)
    assert all(t["presence"] == 0 and t["presence_weight"] == 1 for t in targets[::4])
    assert all(set(np.unique(c)) <= {*range(129)} for c in codes[::4])


def test_eyes_outside_the_crop_or_behind_a_finger_do_not_count_as_absent(monkeypatch):
    _, targets = drawn(monkeypatch, 40)
    out_of_sight = [t for t in targets if t["presence"] == 1 and t["presence_weight"] == 0]
    assert out_of_sight
    assert all(t["place_weight"] > 0 for t in out_of_sight)
    _, targets = drawn(monkeypatch, 10, occluded=1.0)
    assert all(t["presence_weight"] == 0 for t in targets if t["presence"] == 1)


def test_equal_seeds_give_equal_crops(monkeypatch):
    first, second = (drawn(monkeypatch, 2)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("channels", ["rgb", "grey"])
@pytest.mark.parametrize("place", [(200.3, 150.7, 133.0), (20.0, 470.0, 400.0), (900.0, 100.0, 50.0)])
def test_the_fast_crop_is_the_plain_one(channels, place):
    spec = InputSpec("eye_band", 48, 16, channels=channels, unit="reference_cm")
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    x, y, w = place
    eye = [x - 2, y - 2, 4, 4]
    example = {
        "image": image, "face": [0, 0, w / 0.75, w / 0.75], "face_in_crop": [0, 0, w / 0.75, w / 0.75],
        "left_eye_in_crop": eye, "right_eye_in_crop": eye, "frame_size": (640, 480),
    }  # fmt: skip
    expected = make_inputs_numpy(spec, example)["image"].astype(int)
    found = area_strip(image, np.array(place), spec).astype(int)
    assert np.abs(found - expected).max() <= 1  # float32 may round a mean of .5 the other way
    assert (found != expected).mean() < 0.01
