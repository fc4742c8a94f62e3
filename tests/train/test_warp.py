"""Turned, shifted and zoomed images: against the camera that would really have turned."""

from dataclasses import replace

import numpy as np
import pytest

from tinytracker.data.inputs import InputSpec
from tinytracker.train import AugmentConfig

pytestmark = pytest.mark.train
tf = pytest.importorskip("tensorflow")

BAND = InputSpec(kind="eye_band", width=96, height=32)
STILL = AugmentConfig(rotation=0, shift=0, zoom=0)


def blob(u, v, width=120, height=40):
    """A picture (1, height, width, 3) that is dark except for a soft spot at pixel (u, v)."""
    y, x = np.mgrid[:height, :width]
    spot = 255 * np.exp(-((x - u) ** 2 + (y - v) ** 2) / 8)
    return np.repeat(spot[None, ..., None], 3, -1).astype(np.float32)


def centroid(image):
    weight = image[..., 0]
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]]
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


def warp_target(images, target, spec=BAND, seed=(1, 2), **config):
    from tinytracker.train import warp as module

    out, moved = module.warp(
        tf.constant(images), tf.constant(target, tf.float32), tf.constant(seed, tf.int64),
        spec, STILL.model_copy(update=config),
    )  # fmt: skip
    return out.numpy(), moved.numpy()


def warp(images, gaze, **config):
    out, moved = warp_target(images, np.column_stack([gaze, np.ones(len(gaze))]), **config)
    np.testing.assert_array_equal(moved[:, 2], 1)
    return out, moved[:, :2]


def test_without_changes_it_is_the_middle():
    images = np.random.default_rng(0).integers(0, 256, (3, 40, 120, 3)).astype(np.uint8)
    out, gaze = warp(images, np.ones((3, 2)))
    np.testing.assert_allclose(out, images[:, 4:36, 12:108], atol=1e-3)
    np.testing.assert_array_equal(gaze, 1)


def test_gaze_turns_with_the_picture():
    # Image axes run against the gaze's: a spot at (du, dv) from the middle stands for the direction (-du, -dv).
    n, offset = 64, np.array([9.0, 4.0])
    images = np.repeat(blob(59.5 + offset[0], 19.5 + offset[1]), n, 0)
    out, gaze = warp(images, np.tile(-offset, (n, 1)), rotation=30)
    seen = np.array([centroid(image) for image in out]) - [47.5, 15.5]
    np.testing.assert_allclose(-seen, gaze, atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(gaze, axis=1), np.linalg.norm(offset), rtol=1e-5)
    assert np.ptp(np.degrees(np.arctan2(gaze[:, 1], gaze[:, 0]))) > 40


def test_shift_and_zoom_leave_the_gaze_and_stay_within_their_limits():
    n = 64
    gaze = np.random.default_rng(0).normal(0, 5, (n, 2)).astype(np.float32)
    out, same = warp(np.repeat(blob(59.5, 19.5), n, 0), gaze, shift=0.05)
    np.testing.assert_array_equal(gaze, same)
    moved = np.array([centroid(image) for image in out]) - [47.5, 15.5]
    assert 3.5 < np.abs(moved).max() <= 0.05 * 96 + 0.05
    out, same = warp(np.repeat(blob(59.5 + 20, 19.5), n, 0), gaze, zoom=0.2)
    np.testing.assert_array_equal(gaze, same)
    far = np.array([centroid(image)[0] for image in out]) - 47.5
    assert 20 / 1.2 - 0.05 <= far.min() < 18
    assert 22 < far.max() <= 20 * 1.2 + 0.05


def test_a_wider_crop_is_worth_less_cm_per_unit():
    n = 16
    images, target = np.repeat(blob(59.5 + 20, 19.5), n, 0), np.tile([3.0, -4.0, 0.8], (n, 1))
    spec = replace(BAND, unit="reference_cm")
    out, moved = warp_target(images, target, spec, zoom=0.2)
    np.testing.assert_array_equal(moved[:, :2], np.float32(target[:, :2]))
    size = 20 / (
        np.array([centroid(image)[0] for image in out]) - 47.5
    )  # of the crop against one without zoom
    assert np.ptp(size) > 0.2
    np.testing.assert_allclose(moved[:, 2], 0.8 / size, rtol=3e-3)


def test_only_inputs_without_position_are_warped():
    from tinytracker.train.warp import can_warp, with_room

    assert can_warp(BAND, AugmentConfig())
    assert not can_warp(BAND, STILL)
    assert not can_warp(InputSpec(kind="face", width=112, height=112, grid="input"), AugmentConfig())
    assert not can_warp(InputSpec(kind="face", width=96, height=96, grid="baked"), AugmentConfig())
    grown = with_room(BAND)
    assert (grown.width, grown.height, grown.margin) == (120, 40, 0.125)
    with pytest.raises(ValueError, match="is not a whole number of pixels"):
        with_room(InputSpec(kind="face", width=113, height=112))
