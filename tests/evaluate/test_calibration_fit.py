"""Calibration to a person: against simulated users whose truth is known, and against plain algebra."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.errors import CalibrationError, InputFileError, UnknownNameError
from tinytracker.evaluate.calibration import (
    AFFINE,
    METHODS,
    OFFSET,
    RIDGE,
    Calibration,
    fit,
    read_calibration,
)

SCREEN = np.array([[-3.0, -9.0], [3.0, -1.0]])  # cm, a phone held upright
CENTRE = SCREEN.mean(0)


class User:
    """Someone whom the network sees with a bias, a gain and noise of their own (cm, 1, cm)."""

    def __init__(self, seed, bias=0.0, gain=0.0, noise=1.0, tails=False):
        self.rng = np.random.default_rng(seed)
        self.bias = bias * self.rng.normal(size=2)
        self.gain = np.eye(2) + gain * self.rng.normal(size=(2, 2))
        self.noise, self.tails = noise, tails

    def look(self, dots):
        """(dots, 2) true and predicted gaze."""
        true = self.rng.uniform(*SCREEN, (dots, 2))
        noise = self.rng.normal(size=true.shape)
        if self.tails:  # one frame in ten is a blink or a glance elsewhere
            noise *= np.where(self.rng.random((dots, 1)) < 0.1, 4.0, 1.0)
        return true, (true - CENTRE) @ self.gain.T + CENTRE + self.bias + self.noise * noise


def mean_error(predicted, true):
    return np.linalg.norm(predicted - true, axis=1).mean()


def before_and_after(users, dots, method):
    """(users, 2) mean error in cm on 200 other dots, without and with calibration."""
    rows = []
    for user in users:
        true, predicted = user.look(dots)
        calibration = fit(predicted, true, method=method)
        true, predicted = user.look(200)
        rows.append((mean_error(predicted, true), mean_error(calibration.apply(predicted), true)))
    return np.array(rows)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dots", [3, 5, 9])
@pytest.mark.parametrize(("bias", "gain"), [(0, 0), (0.3, 0), (0, 0.1)])
def test_users_without_much_to_gain_do_not_get_worse(method, dots, bias, gain):
    users = [User(seed, bias, gain, tails=seed % 2 == 1) for seed in range(160)]
    errors = before_and_after(users, dots, method)
    before, after = errors.mean(0)
    # The mean over 160 users is itself uncertain by half a per cent.
    assert after <= {3: 1.03, 5: 1.015, 9: 1.005}[dots] * before
    much_worse = (errors[:, 1] > 1.2 * errors[:, 0]).mean()
    assert much_worse <= (0.08 if dots == 3 else 0.03)


@pytest.mark.parametrize(("dots", "least_gain"), [(5, 0.35), (9, 0.45), (13, 0.5)])
def test_users_with_a_bias_of_twice_the_noise_gain(dots, least_gain):
    before, after = before_and_after([User(seed, bias=2.0) for seed in range(150)], dots, "auto").mean(0)
    assert after < (1 - least_gain) * before


def test_more_dots_help_more():
    gains = []
    for dots in (3, 5, 9, 13, 40):
        before, after = before_and_after(
            [User(s, bias=1.0, gain=0.3) for s in range(120)], dots, "auto"
        ).mean(0)
        gains.append(after / before)
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] < 0.65


@given(st.integers(0, 2**32 - 1), st.floats(-20, 20), st.floats(-20, 20))
def test_a_plain_offset_without_noise_is_taken_back(seed, x, y):
    true = np.random.default_rng(seed).uniform(*SCREEN, (9, 2))
    # The network's own scatter is tiny here, so the prior costs a few per cent of the offset at most.
    found = fit(true + [x, y], true, method=OFFSET)
    np.testing.assert_allclose(found.offset, [-x, -y], rtol=0.04, atol=1e-9)


def test_a_gain_is_found_and_called_affine():
    true = np.random.default_rng(0).uniform(*SCREEN, (40, 2))
    distorted = (true - CENTRE) @ np.array([[0.5, 0.2], [-0.1, 0.7]]).T + CENTRE
    found = fit(distorted, true)
    assert found.kind in (AFFINE, RIDGE)
    assert mean_error(found.apply(distorted), true) < 0.25 * mean_error(
        distorted, true
    )  # the prior never lets go


def test_what_features_say_beyond_the_output_is_used():
    rng = np.random.default_rng(3)
    mixing, hidden = rng.normal(size=(2, 30)), rng.normal(size=(80, 2))
    true = rng.uniform(*SCREEN, (80, 2))
    features = hidden @ mixing + 0.1 * rng.normal(size=(80, 30))
    predicted = true + 2.0 * hidden + 0.3 * rng.normal(size=(80, 2))
    found = fit(predicted[:40], true[:40], features[:40])
    assert found.kind == RIDGE
    assert found.needs_features
    after = mean_error(found.apply(predicted[40:], features[40:]), true[40:])
    assert after < 0.4 * mean_error(predicted[40:], true[40:])
    assert not fit(predicted[:40], true[:40], method=RIDGE).needs_features


def test_features_of_noise_do_no_harm():
    users, rng = [User(s, bias=0.5) for s in range(150)], np.random.default_rng(0)
    rows = []
    for user in users:
        true, predicted = user.look(9)
        found = fit(predicted, true, rng.normal(size=(9, 128)))
        true, predicted = user.look(200)
        after = found.apply(predicted, rng.normal(size=(200, 128)))
        rows.append((mean_error(predicted, true), mean_error(after, true)))
    before, after = np.mean(rows, 0)
    assert after < before


@pytest.mark.parametrize("kind", [OFFSET, AFFINE, RIDGE])
def test_the_average_is_that_of_fits_without_each_dot(kind):
    """The closed form against fitting k times with each prior, in primal form."""
    from tinytracker.evaluate.calibration_fit import _averaged, _prior_variances

    rng = np.random.default_rng(5)
    columns, residual = (
        np.hstack([np.ones((11, 1)), rng.normal(size=(11, 6))]),
        0.5 + rng.normal(size=(11, 2)),
    )
    shares, misses, weights = [], [], []
    for v0, v1, v2 in _prior_variances(kind):
        variances = np.array([v0, v1, v1, v2, v2, v2, v2])
        used = variances > 0

        def solve(rows, used=used, variances=variances):
            z = columns[rows][:, used]
            w = np.zeros((7, 2))
            w[used] = np.linalg.solve(z.T @ z + np.diag(1 / variances[used]), z.T @ residual[rows])
            return w

        every = np.arange(11)
        left_out = np.array([residual[i] - columns[i] @ solve(every[every != i]) for i in range(11)])
        shares.append(((residual**2).sum() / (left_out**2).sum()) ** 11)
        misses.append(left_out)
        weights.append(solve(every))
    found = _averaged(kind, columns, residual)
    relative = np.array(shares) / np.sum(shares)
    np.testing.assert_allclose(found.left_out, np.tensordot(relative, misses, 1), atol=1e-9)
    np.testing.assert_allclose(found.weights, np.tensordot(relative, weights, 1), atol=1e-9)
    assert found.evidence == pytest.approx(np.mean(shares))


@given(st.integers(0, 2**32 - 1), st.floats(0, 6.28))
def test_turning_the_world_turns_the_correction(seed, angle):
    rng = np.random.default_rng(seed)
    true = rng.uniform(*SCREEN, (9, 2))
    predicted = 0.7 * true + 1.5 + 0.4 * rng.normal(size=(9, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    plain = fit(predicted, true, method=AFFINE).apply(predicted)
    turned = fit(predicted @ turn.T, true @ turn.T, method=AFFINE, dots=np.arange(9)).apply(
        predicted @ turn.T
    )
    np.testing.assert_allclose(turned, plain @ turn.T, atol=1e-6)


@pytest.mark.parametrize("spread", [0.0, 1e-9, 1e-6, 1e-3, 0.03])
@pytest.mark.parametrize("method", METHODS)
def test_a_network_that_always_answers_the_same_gets_no_correction(method, spread):
    rng = np.random.default_rng(2)
    true = rng.uniform(*SCREEN, (13, 2))
    predicted = [5.0, 5.0] + spread * rng.normal(size=true.shape)
    features = 3.0 + spread * rng.normal(size=(13, 20))
    for own in (None, features):
        found = fit(predicted, true, own, method)
        moved = found.apply(predicted + 0.3, None if own is None else own + 0.3)
        assert np.abs(moved - found.apply(predicted, own)).max() < 30
        # An offset to the mean of the dots would halve the error, and the eyes would still not move anything.
        assert found.kind == "identity"
        assert not found.evidence.follows_eyes
        assert found.evidence.applied == 0
        assert found.evidence.constant_cm < mean_error(predicted, true)


def test_frames_of_a_dot_count_once_and_a_blink_costs_nothing():
    rng = np.random.default_rng(1)
    true = np.repeat(rng.uniform(*SCREEN, (9, 2)), 5, axis=0)
    predicted = true + [1.0, -0.5] + 0.1 * rng.normal(size=true.shape)
    before = fit(predicted, true)
    predicted[::5] += 30.0  # one frame in five
    after = fit(predicted, true)
    assert before.evidence.dots == after.evidence.dots == 9
    assert after.evidence.frames == 45
    np.testing.assert_allclose(after.apply(true), before.apply(true), atol=0.15)


@given(st.integers(0, 2**32 - 1), st.sampled_from(METHODS), st.integers(3, 14), st.booleans())
def test_a_file_gives_back_the_same_correction(tmp_path_factory, seed, method, dots, with_features):
    rng = np.random.default_rng(seed)
    true = rng.uniform(*SCREEN, (dots, 2))
    predicted = 0.8 * true + rng.normal(size=2) + 0.2 * rng.normal(size=true.shape)
    features = rng.normal(size=(dots, 7)) if with_features else None
    made = fit(predicted, true, features, method)
    path = made.write(tmp_path_factory.mktemp("calibration") / "user.json")
    back = read_calibration(path)
    assert back == made
    np.testing.assert_array_equal(back.apply(predicted, features), made.apply(predicted, features))


def test_applying_keeps_shape_and_nan():
    correction = Calibration(kind="affine", matrix=((2.0, 0.0), (0.5, 1.0)), offset=(1.0, -1.0))
    np.testing.assert_allclose(correction.apply(np.array([1.0, 2.0])), [3.0, 1.5])
    found = correction.apply(np.array([[1.0, 2.0], [np.nan, 0.0]]))
    np.testing.assert_allclose(found[0], [3.0, 1.5])
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(Calibration().apply(np.array([[4.0, 5.0]])), [[4.0, 5.0]])


DAMAGE = {
    "another version": {"schema_version": 2},
    "unknown kind": {"kind": "spline"},
    "a misspelt key": {"ofset": [0, 0]},
    "three columns": {"matrix": [[1, 0, 0], [0, 1, 0]]},
    "text": {"offset": ["left", "right"]},
    "an offset that is not finite": {"offset": [1e400, 0]},
    "an offset from here to the moon": {"offset": [4e10, 0]},
    "an offset that moves": {"kind": "offset", "matrix": [[2, 0], [0, 1]]},
    "an identity that moves": {"kind": "identity"},
    "a ridge without terms": {"kind": "ridge"},
    "inches": {"unit": "inch"},
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_file_that_is_no_calibration_is_a_sentence(tmp_path, what):
    good = {"schema_version": 1, "kind": "offset", "offset": [1.0, 2.0]}
    path = tmp_path / "user.json"
    path.write_text(json.dumps(good | DAMAGE[what]))
    with pytest.raises(InputFileError, match=r"user\.json"):
        read_calibration(path)
    path.write_text(json.dumps(good))
    assert read_calibration(path).offset == (1.0, 2.0)


@given(st.binary(max_size=60))
def test_a_damaged_file_is_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("damaged") / "user.json"
    path.write_bytes(content)
    with pytest.raises(InputFileError):
        read_calibration(path)


def test_points_that_cannot_be_are_refused():
    true = np.random.default_rng(0).uniform(*SCREEN, (9, 2))
    with pytest.raises(CalibrationError, match="2 dots are too few"):
        fit(true[:2], true[:2])
    with pytest.raises(CalibrationError, match="2 dots are too few"):
        fit(true, true, dots=np.arange(9) % 2)
    with pytest.raises(CalibrationError, match="not finite"):
        fit(np.where(np.arange(9)[:, None] == 3, np.nan, true), true)
    with pytest.raises(CalibrationError, match="both must be N x 2"):
        fit(true[:, :1], true)
    with pytest.raises(CalibrationError, match="9 x F"):
        fit(true, true, features=np.ones((8, 4)))
    with pytest.raises(UnknownNameError, match="Did you mean 'affine'"):
        fit(true, true, method="afine")
    assert fit(true, true).kind == "identity"
    assert fit(np.zeros((9, 2)), true, np.zeros((9, 4))).kind == "identity"


@given(st.integers(0, 2**32 - 1), st.floats(-3, 6), st.floats(-3, 6), st.sampled_from(METHODS))
def test_points_of_any_size_make_a_calibration_or_a_sentence(seed, size, other, method):
    rng = np.random.default_rng(seed)
    predicted, true = (np.clip(10**s * rng.normal(size=(9, 2)), -1e6, 1e6) for s in (size, other))
    try:
        found = fit(predicted, true, method=method)
    except CalibrationError:
        return
    assert np.isfinite(found.apply(predicted)).all()


def test_features_are_asked_for_and_counted():
    rng = np.random.default_rng(3)
    true, features = rng.uniform(*SCREEN, (40, 2)), rng.normal(size=(40, 2))
    found = fit(true + 2 * features, true, features, method=RIDGE)
    with pytest.raises(CalibrationError, match="needs the 2 penultimate activations"):
        found.apply(true)
    with pytest.raises(CalibrationError, match="needs 2 penultimate activations, but the network has 3"):
        found.apply(true, np.ones((40, 3)))
