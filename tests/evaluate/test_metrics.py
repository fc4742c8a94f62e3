import numpy as np
import pytest

from tinytracker.evaluate.metrics import Frames, dot_errors, frame_errors, subject_bootstrap, summarize


def frames(gaze, subject, dot, family=None, orientation=None):
    n = len(gaze)
    return Frames(
        np.asarray(gaze, float),
        np.asarray(subject),
        np.full(n, "iPhone 6"),
        np.asarray(family or ["phone"] * n),
        np.asarray(orientation or [1] * n),
        np.asarray(dot),
    )


def test_frame_error_is_the_euclidean_distance():
    np.testing.assert_allclose(frame_errors(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0]])), [5.0])


def test_dot_error_averages_predictions_before_the_distance():
    truth = frames([[0, 0]] * 4, ["a", "a", "a", "b"], [0, 0, 1, 0])
    predicted = np.array([[1.0, 0], [-1.0, 0], [0, 2.0], [0, 3.0]])
    # Dot 0 of a cancels out; dot 0 of b is another dot.
    np.testing.assert_allclose(sorted(dot_errors(predicted, truth)), [0, 2, 3])


def test_summary_by_hand():
    truth = frames(
        [[0, 0], [2, 0], [0, 4]], ["a", "a", "b"], [0, 1, 0], ["phone", "phone", "tablet"], [1, 1, 3]
    )
    result = summarize(np.array([[0.0, 1.0], [2.0, 2.0], [0.0, 1.0]]), truth, (0.0, 0.0))
    assert result.overall.error_cm == pytest.approx(2.0)
    assert result.overall.constant_cm == pytest.approx(2.0)
    assert result.overall.subjects == 2
    assert result.by_family["phone"].error_cm == pytest.approx(1.5)
    assert result.by_family["tablet"].constant_cm == pytest.approx(4.0)
    assert set(result.by_orientation) == {"1", "3"}
    assert result.by_subject["b"].frames == 1


def test_the_interval_draws_subjects_not_frames():
    rng = np.random.default_rng(0)
    # Ten people who differ a lot and hardly vary: 1,000 frames say no more than ten numbers.
    errors = np.repeat(np.arange(10.0), 100) + rng.normal(0, 0.01, 1000)
    low, high = subject_bootstrap(errors, np.repeat([f"s{i}" for i in range(10)], 100))
    assert low < 3.2
    assert high > 5.8
    assert low < errors.mean() < high


def test_the_interval_covers_the_truth():
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(200):
        people = rng.normal(2.0, 0.5, 40)
        errors = np.repeat(people, 20) + rng.normal(0, 0.5, 800)
        low, high = subject_bootstrap(errors, np.repeat(np.arange(40).astype(str), 20), seed=trial)
        hits += low <= 2.0 <= high
    assert 180 <= hits <= 199
