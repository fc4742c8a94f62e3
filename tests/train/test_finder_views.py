"""Views for the finder's training: what the target says is where the eyes are in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from tinytracker.aim.finding import read_finder
from tinytracker.aim.fixed import Q4
from tinytracker.aim.layout import FINDER, encode

pytestmark = pytest.mark.train

COUNT = 400


@pytest.fixture(scope="module")
def views():
    """Views of a frame with a bright disc where the eyes are, portrait and landscape by turns."""
    import tensorflow as tf

    from tinytracker.train.finder_views import training_views

    rng = np.random.default_rng(0)
    sizes = np.where(np.arange(COUNT)[:, None] % 2, [120, 160], [160, 120]).astype(np.float32)
    strips = np.concatenate([rng.uniform(0.3, 0.7, (COUNT, 2)) * sizes, rng.uniform(25, 60, (COUNT, 1))], 1)
    y, x = np.mgrid[0:160, 0:160] + 0.5
    images = np.zeros((COUNT, 160, 160, 1), np.uint8)
    for image, size, (left, top, _) in zip(images, sizes, strips, strict=True):
        image[: int(size[1]), : int(size[0]), 0] = 60
        image[np.hypot(x - left, y - top) < 4] = 250
    strip = np.concatenate([strips, np.ones((COUNT, 1))], 1).astype(np.float32)
    seed = tf.constant([3, 16], tf.int64)
    codes, truth = training_views(tf.constant(images), tf.constant(sizes), tf.constant(strip), seed)
    return codes.numpy()[..., 0], truth.numpy()


def test_the_target_is_where_the_picture_shows_it(views):
    codes, truth = views
    present = truth[:, 3] > 0
    assert 0.8 < present.mean() < 0.97  # some look elsewhere on purpose
    distances = []
    for view, (x, y, _, _) in zip(codes[present], truth[present], strict=True):
        rows, columns = np.nonzero(view >= view.max() - 10)
        distances.append(np.hypot(columns.mean() + 0.5 - x, rows.mean() + 0.5 - y))
    assert np.median(distances) < 0.5
    assert np.quantile(distances, 0.95) < 2.0  # of a noisy disc a few px wide


def test_what_is_not_in_view_is_not_there(views):
    codes, truth = views
    absent = truth[:, 3] == 0
    assert (truth[absent] == 0).all()
    contrast = [np.ptp(np.sort(view.ravel())[[-8, view.size // 2]]) for view in codes]
    assert np.median(np.array(contrast)[absent]) < np.quantile(np.array(contrast)[~absent], 0.1)


def test_a_perfect_answer_is_read_as_the_truth(views):
    """Target -> codes -> the finder that devices read."""
    from tinytracker.train.finder_views import cell_targets

    _, truth = views
    present = truth[truth[:, 3] > 0]
    target = cell_targets(present).numpy()
    logit = np.log(np.clip(target[..., :1], 1e-4, 0.999) / (1 - np.clip(target[..., :1], 1e-4, 0.999)))
    codes = encode(FINDER, np.concatenate([logit, target[..., 1:4]], -1))
    for cells, (x, y, width, _) in zip(codes, present, strict=True):
        found = read_finder(cells, 96, 72)
        assert np.hypot(found.x / Q4 - x, found.y / Q4 - y) < 0.2
        assert abs(np.log(found.width / Q4 / width)) < 0.02


def test_the_loss_falls_towards_the_target(views):
    import tensorflow as tf

    from tinytracker.train.finder_views import cell_targets, finder_loss

    target = cell_targets(views[1])
    score = tf.clip_by_value(target[..., :1], 1e-4, 1 - 1e-4)
    right = tf.concat([tf.math.log(score / (1 - score)), target[..., 1:4]], -1)
    losses = [float(finder_loss(target, right * k)) for k in (0.0, 0.5, 1.0)]
    assert losses[0] > losses[1] > losses[2]
    assert losses[2] < 0.05


def test_seeds_repeat(views):
    import tensorflow as tf

    from tinytracker.train.finder_views import training_views

    images = tf.zeros((4, 160, 160, 1), tf.uint8) + 100
    size, strip = tf.fill((4, 2), 160.0), tf.constant([[80.0, 80, 40, 1]] * 4)
    one, two, other = (
        training_views(images, size, strip, tf.constant([1, s], tf.int64))[1].numpy() for s in (0, 0, 16)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
