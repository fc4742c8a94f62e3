import numpy as np
import pytest

from tinytracker.data.inputs import InputSpec
from tinytracker.train import AugmentConfig

pytestmark = pytest.mark.train
tf = pytest.importorskip("tensorflow")

WITH_GRID = InputSpec(kind="face", width=8, height=6, channels="rgb", grid="input")
STILL = AugmentConfig(mirror=False, brightness=0, contrast=0, colour=0, noise=0)


def batch(n=64, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (n, 6, 8, 5)).astype(np.uint8)
    return {"image": tf.constant(x)}, tf.constant(rng.normal(0, 4, (n, 2)), tf.float32)


def apply(config, spec=WITH_GRID, seed=(1, 2), inputs=None, gaze=None):
    from tinytracker.train.augment import augment

    x, y = batch() if inputs is None else (inputs, gaze)
    out, moved = augment(x, y, tf.constant(seed, tf.int64), spec, config)
    return {k: v.numpy() for k, v in out.items()}, moved.numpy()


def test_nothing_changes_when_all_is_off():
    (x, y), (out, gaze) = batch(), apply(STILL)
    np.testing.assert_array_equal(out["image"], x["image"])
    np.testing.assert_array_equal(gaze, y)


def test_the_same_seed_gives_the_same_images_and_another_one_others():
    a, b, c = apply(AugmentConfig()), apply(AugmentConfig()), apply(AugmentConfig(), seed=(1, 3))
    np.testing.assert_array_equal(a[0]["image"], b[0]["image"])
    assert np.abs(a[0]["image"] - c[0]["image"]).mean() > 5


def test_pixels_really_change_and_stay_whole_codes():
    x, _ = batch()
    out, _ = apply(AugmentConfig(mirror=False))
    pixels = out["image"][..., :3]
    assert np.abs(pixels - x["image"].numpy()[..., :3]).mean() > 8
    assert pixels.min() >= 0
    assert pixels.max() <= 255
    np.testing.assert_array_equal(pixels, np.rint(pixels))


def test_positions_are_not_photographed():
    x, _ = batch()
    out, _ = apply(AugmentConfig(mirror=False))
    np.testing.assert_array_equal(out["image"][..., 3:], x["image"][..., 3:])


def test_mirror_moves_image_position_and_gaze_together():
    (x, y), (out, gaze) = batch(), apply(STILL.model_copy(update={"mirror": True}))
    flipped = gaze[:, 0] == -y.numpy()[:, 0]
    assert flipped.sum() == len(flipped) // 2
    before, after = x["image"].numpy(), out["image"]
    np.testing.assert_array_equal(gaze[:, 1], y.numpy()[:, 1])
    np.testing.assert_array_equal(after[~flipped], before[~flipped])
    np.testing.assert_array_equal(after[flipped][..., :3], before[flipped][:, :, ::-1, :3])
    np.testing.assert_array_equal(after[flipped][..., 4], before[flipped][:, :, ::-1, 4])
    value = after[flipped][..., 3] / 128 - 1
    mirrored = -(before[flipped][:, :, ::-1, 3] / 128 - 1)
    np.testing.assert_allclose(value, np.minimum(mirrored, 127 / 128))


def test_mirrored_eyes_change_places():
    spec = InputSpec(kind="itracker", width=224, height=224, channels="rgb", grid="input")
    rng = np.random.default_rng(0)
    x = {
        k: tf.constant(rng.integers(0, 256, (32, 4, 4, 3)), tf.uint8)
        for k in ("face", "left_eye", "right_eye")
    }
    x["grid"] = tf.constant(rng.integers(0, 256, (32, 5, 5, 1)), tf.uint8)
    y = tf.constant(rng.normal(0, 4, (32, 2)), tf.float32)
    out, gaze = apply(STILL.model_copy(update={"mirror": True}), spec, inputs=x, gaze=y)
    flipped = gaze[:, 0] != y.numpy()[:, 0]
    np.testing.assert_array_equal(out["left_eye"][flipped], x["right_eye"].numpy()[flipped][:, :, ::-1])
    np.testing.assert_array_equal(out["right_eye"][~flipped], x["right_eye"].numpy()[~flipped])
    np.testing.assert_array_equal(out["grid"][flipped], x["grid"].numpy()[flipped][:, :, ::-1])


def test_noise_has_the_asked_strength_and_no_bias():
    from tinytracker.train.augment import _noise

    noise = _noise(tf.zeros((50, 30, 30, 3)), tf.constant([3, 4], tf.int64)).numpy()
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.std() == pytest.approx(1, abs=0.01)
    assert np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1] == pytest.approx(0, abs=0.02)


def test_focus_changes_a_share_of_the_images_and_leaves_flat_ones():
    x, _ = batch()
    out, _ = apply(STILL.model_copy(update={"focus": 0.5}))
    changed = (out["image"][..., :3] != x["image"].numpy()[..., :3]).any((1, 2, 3))
    assert 20 < changed.sum() < 44
    roughness = np.abs(np.diff(out["image"][..., :3], axis=2)).mean((1, 2, 3))
    before = np.abs(np.diff(x["image"].numpy()[..., :3].astype(float), axis=2)).mean((1, 2, 3))
    assert (roughness[changed] < 0.9 * before[changed]).any()
    flat = {"image": tf.fill([4, 6, 8, 5], tf.constant(90, tf.uint8))}
    still, _ = apply(STILL.model_copy(update={"focus": 1.0}), inputs=flat, gaze=tf.zeros([4, 2]))
    np.testing.assert_array_equal(still["image"], 90)


def test_gamma_keeps_black_and_white_and_the_order_of_tones():
    ramp = np.tile(np.linspace(0, 255, 8).astype(np.uint8)[None, None, :, None], (16, 6, 1, 5))
    out, _ = apply(
        STILL.model_copy(update={"gamma": 0.4}), inputs={"image": tf.constant(ramp)}, gaze=tf.zeros([16, 2])
    )
    tones = out["image"][:, 0, :, 0]
    np.testing.assert_array_equal(tones[:, [0, -1]], np.tile([0.0, 255.0], (16, 1)))
    assert (np.diff(tones, axis=1) > 0).all()
    assert len({float(v) for v in tones[:, 4]}) > 8


def test_shade_comes_from_one_side():
    grey = {"image": tf.fill([32, 6, 8, 5], tf.constant(100, tf.uint8))}
    out, _ = apply(STILL.model_copy(update={"shade": 0.3}), inputs=grey, gaze=tf.zeros([32, 2]))
    rows = out["image"][:, 0, :, 0]
    np.testing.assert_allclose(rows + rows[:, ::-1], 200, atol=1)
    steps = rows[:, -1] - rows[:, 0]
    assert steps.min() < -20
    assert steps.max() > 20


def test_saturation_makes_some_images_grey_and_others_more_colourful_at_the_same_luma():
    dull = np.tile(np.array([120, 100, 90, 7, 8], np.uint8), (64, 6, 8, 1))
    out, _ = apply(
        STILL.model_copy(update={"saturation": 0.5}),
        inputs={"image": tf.constant(dull)},
        gaze=tf.zeros([64, 2]),
    )
    pixels = out["image"][:, 0, 0, :3]
    spread = pixels.max(-1) - pixels.min(-1)
    assert 16 < (spread == 30).sum() < 48  # about half are unchanged
    assert (spread == 0).any()
    assert spread.max() > 40
    np.testing.assert_allclose(pixels @ np.array([77, 150, 29]) / 256, 104.9, atol=1)


def test_saturation_leaves_grey_networks_alone():
    spec = InputSpec(kind="face", width=8, height=6, channels="grey", grid="input")
    inputs = {"image": batch()[0]["image"][..., :3]}
    out, _ = apply(STILL.model_copy(update={"saturation": 1.0}), spec, inputs=inputs, gaze=tf.zeros([64, 2]))
    np.testing.assert_array_equal(out["image"], inputs["image"])


def test_positions_are_out_of_the_light_and_in_focus():
    x, _ = batch()
    out, _ = apply(STILL.model_copy(update={"focus": 1.0, "gamma": 0.5, "shade": 0.3, "saturation": 1.0}))
    np.testing.assert_array_equal(out["image"][..., 3:], x["image"][..., 3:])
