"""The new last layer, and the choice among candidates."""

import numpy as np
import pytest

from tinytracker.adapt.comparing import choose, gain, is_withdrawn
from tinytracker.adapt.document import ALL, BUNDLED, CALIBRATED, CANDIDATES, HEAD, Gain
from tinytracker.adapt.head import STRENGTHS, choose_strength, fit_head
from tinytracker.adapt.nine_dots import DOTS, nearest_dots

UNITS, DOT_COUNT, PER_DOT = 24, 80, 4


@pytest.fixture
def person():
    """Inputs of a last layer, and gaze that follows from another last layer than the one that came, with noise."""
    rng = np.random.default_rng(4)
    n = DOT_COUNT * PER_DOT
    hidden = np.maximum(rng.normal(0.5, 1, (n, UNITS)), 0)
    unit = rng.uniform(0.9, 1.4, n)
    kernel, bias = rng.normal(0, 1, (UNITS, 2)), rng.normal(0, 1, 2)
    own = kernel + rng.normal(0, 0.4, kernel.shape)
    gaze = (hidden @ own + bias + 2.0) * unit[:, None] + rng.normal(0, 0.5, (n, 2))
    return hidden, unit, gaze, kernel, bias, np.arange(n) // PER_DOT


def error(hidden, unit, gaze, kernel, bias):
    return float(np.linalg.norm((hidden @ kernel + bias) * unit[:, None] - gaze, axis=1).mean())


def test_a_weak_prior_finds_the_persons_layer_and_a_strong_one_keeps_what_came(person):
    hidden, unit, gaze, kernel, bias, _ = person
    weak = fit_head(hidden, unit, gaze, kernel, bias, 1e-6)
    assert error(hidden, unit, gaze, *weak) < 0.75
    strong, shift = fit_head(hidden, unit, gaze, kernel, bias, 1e7)
    assert np.abs(strong - kernel).max() < 1e-3
    assert np.abs(shift - bias).max() < 0.01


def test_outliers_do_not_pull_the_layer(person):
    hidden, unit, gaze, kernel, bias, _ = person
    clean = fit_head(hidden, unit, gaze, kernel, bias, 0.01)
    wild = gaze.copy()
    wild[::20] += 40
    robust = fit_head(hidden, unit, wild, kernel, bias, 0.01)
    assert error(hidden, unit, gaze, *robust) < error(hidden, unit, gaze, *clean) + 0.4


def test_the_strength_follows_from_left_out_minutes(person):
    hidden, unit, gaze, kernel, bias, dots = person
    folds = dots * 5 // DOT_COUNT
    assert choose_strength(hidden, unit, gaze, kernel, bias, folds) < STRENGTHS[-1]
    # Where the layer that came is right, nothing is learned from noise.
    right = (hidden @ kernel + bias) * unit[:, None] + np.random.default_rng(1).normal(0, 2, gaze.shape)
    assert choose_strength(hidden, unit, right, kernel, bias, folds) == STRENGTHS[-1]


def test_the_best_is_kept_only_if_it_is_certainly_better():
    rng = np.random.default_rng(0)
    clusters = np.arange(200) // 4
    bundled = np.repeat(rng.gamma(4, 0.6, 50), 4)
    errors = {
        BUNDLED: bundled, CALIBRATED: 0.9 * bundled, HEAD: 0.7 * bundled,
        ALL: bundled + np.repeat(rng.normal(-0.01, 2.0, 50), 4),
    }  # fmt: skip
    assert choose(errors, clusters, CANDIDATES) == HEAD
    assert choose(errors, clusters, (BUNDLED, CALIBRATED)) == CALIBRATED
    assert choose({**errors, HEAD: errors[ALL], CALIBRATED: bundled}, clusters, CANDIDATES) == BUNDLED
    # Of two that are certainly better than the bundled weights, the better one is kept, however near they are.
    near = errors[HEAD] + 0.05 + np.repeat(0.6 * (-1.0) ** np.arange(50), 4)
    assert gain(CALIBRATED, errors[HEAD], near, clusters).ci95_cm[1] > 0
    assert choose({**errors, CALIBRATED: near, ALL: bundled}, clusters, CANDIDATES) == HEAD
    assert choose({**errors, CALIBRATED: near - 0.2, ALL: bundled}, clusters, CANDIDATES) == CALIBRATED
    # All layers must be certainly better than the best of the others.
    assert (
        choose({**errors, ALL: errors[HEAD] + np.repeat(rng.normal(-0.01, 0.5, 50), 4)}, clusters, CANDIDATES)
        == HEAD
    )
    found = gain(BUNDLED, errors[HEAD], bundled, clusters)
    assert found.ratio == pytest.approx(0.7, abs=1e-3)
    assert found.ci95_cm[0] < found.difference_cm < found.ci95_cm[1] < 0


def test_frames_of_one_dot_are_drawn_together():
    errors, others = np.repeat([1.0, 3.0], 100), np.full(200, 2.0)
    low, high = gain(BUNDLED, errors, others, np.arange(200) // 100).ci95_cm
    assert (low, high) == (-1.0, 1.0)
    low, high = gain(BUNDLED, errors, others, np.arange(200)).ci95_cm
    assert high - low < 0.6


def test_nine_dots_are_spread_over_the_screen():
    x, y = np.meshgrid(np.linspace(-15, 15, 9), np.linspace(-20, -1, 7))
    gaze = np.repeat(np.stack([x.ravel(), y.ravel()], 1), 3, 0)
    dots = np.arange(len(gaze)) // 3
    chosen = nearest_dots(gaze, dots)
    assert len(set(chosen)) == DOTS
    places = np.stack([gaze[dots == k][0] for k in chosen])
    assert np.ptp(places[:, 0]) > 20
    assert np.ptp(places[:, 1]) > 12
    assert len(nearest_dots(gaze[:12], dots[:12])) == 4


def test_clusters_without_a_frame_are_not_drawn():
    # Nine of sixteen dots made a calibration: their numbers are missing among the frames that are compared.
    errors, others = np.array([1.0, 2.0, 4.0]), np.array([2.0, 4.0, 5.0])
    spread, dense = (gain(BUNDLED, errors, others, np.array(c)) for c in ([9, 9, 15], [0, 0, 1]))
    assert spread == dense
    assert np.isfinite(spread.ci95_cm).all()


def test_only_a_certainly_worse_network_is_taken_back_and_not_one_that_nine_dots_mend():
    def than_bundled(difference, interval):
        return Gain(than=BUNDLED, ratio=1.0, difference_cm=difference, ci95_cm=interval)

    worse, perhaps, better = (
        than_bundled(2.3, (1.5, 3.2)),
        than_bundled(0.4, (-0.3, 1.2)),
        than_bundled(-0.4, (-1.0, 0.2)),
    )
    assert is_withdrawn(worse, None)
    assert is_withdrawn(worse, perhaps)
    assert not is_withdrawn(worse, better)
    assert not is_withdrawn(perhaps, worse)
