"""What eyes do in a clip: the documented main sequence, speeds and durations."""

import numpy as np
import pytest

from tinytracker.events.course import (
    DRIFT_DEGREES_PER_S,
    FIXING,
    FLYING,
    PURSUING,
    PURSUIT_DEGREES_PER_S,
    SCRIPTS,
    minimum_jerk,
    saccade_seconds,
    sample_course,
)
from tinytracker.events.plan import instants, strip_around

SCREEN, DISTANCE = np.array([-6.0, -18.0, 6.0, -1.0]), 33.0
RATE = 500


@pytest.fixture(scope="module")
def course():
    return sample_course(np.random.default_rng(11), np.arange(0, 120, 1 / RATE), SCREEN, DISTANCE)


def runs(course, state):
    """First and one past the last index of each stretch of a state."""
    here = np.concatenate([[0], (course.state == state).astype(int), [0]])
    return np.column_stack([np.flatnonzero(np.diff(here) == 1), np.flatnonzero(np.diff(here) == -1)])


def test_saccades_follow_the_main_sequence(course):
    """Duration 21 ms + 2.2 ms per degree; the peak speed is 1.875 of the mean one, as minimum jerk has it."""
    degrees = course.gaze / (DISTANCE * np.pi / 180)
    speed = np.linalg.norm(np.gradient(degrees, 1 / RATE, axis=0), axis=1)
    sizes, errors, peaks = [], [], []
    for a, b in runs(course, FLYING)[1:-1]:
        size = np.linalg.norm(degrees[b] - degrees[a - 1])
        sizes.append(size)
        errors.append((b - a) / RATE - saccade_seconds(size))
        peaks.append(speed[a:b].max() / (1.875 * size / saccade_seconds(size)))
    assert len(sizes) > 200
    assert np.abs(errors).max() < 0.0035
    large = np.array(sizes) > 5
    assert np.abs(np.array(peaks)[large] - 1).max() < 0.08
    # A saccade of 10° takes 43 ms and reaches 436°/s; Bahill, Clark and Stark 1975 show 300 to 500°/s.
    assert 300 < 1.875 * 10 / saccade_seconds(10) < 500


def test_pursuit_is_smooth_and_as_fast_as_documented(course):
    degrees = course.gaze / (DISTANCE * np.pi / 180)
    speeds = []
    for a, b in runs(course, PURSUING):
        if b - a > 60:
            speeds.append(np.linalg.norm(degrees[b - 1] - degrees[b - 11]) * RATE / 10)
    low, high = PURSUIT_DEGREES_PER_S
    assert len(speeds) > 10
    assert low * 0.95 < min(speeds) < max(speeds) < high * 1.05


def test_fixations_drift_as_documented_and_stay_where_they_are(course):
    degrees = course.gaze / (DISTANCE * np.pi / 180)
    speed = np.linalg.norm(np.diff(degrees, axis=0), axis=1) * RATE
    fixing = (course.state[1:] == FIXING) & (course.state[:-1] == FIXING)
    slow = speed[fixing & (speed < 3)]  # microsaccades aside
    assert abs(slow.mean() - DRIFT_DEGREES_PER_S) < 0.12
    spread = [np.ptp(degrees[a:b], axis=0).max() for a, b in runs(course, FIXING) if b - a > 20]
    assert np.median(spread) < 0.5
    assert np.mean(course.state == FIXING) > 0.2


def test_gaze_stays_about_the_screen(course):
    assert (course.gaze > SCREEN[:2] - 4).all()
    assert (course.gaze < SCREEN[2:] + 4).all()
    assert 0 < np.mean(course.blink > 0.5) < 0.1


def test_targets_are_all_over_the_screen_and_follow_one_another_quickly():
    """The gaze moves in about twice as many windows of 80 ms, by the mean way between two random points."""
    times = np.arange(0, 60, 1 / RATE)
    moved, ways = {}, {}
    for name, script in SCRIPTS.items():
        found = sample_course(np.random.default_rng(11), times, SCREEN, DISTANCE, script)
        change = np.linalg.norm(found.gaze[40:] - found.gaze[:-40], axis=1)
        moved[name] = np.mean(change >= 1)
        ways[name] = [np.linalg.norm(found.gaze[b] - found.gaze[a - 1]) for a, b in runs(found, FLYING)[1:-1]]
    assert moved["targets"] > max(0.35, 1.6 * moved["natural"])
    a, b = (np.random.default_rng(seed).uniform(SCREEN[:2], SCREEN[2:], (10_000, 2)) for seed in (1, 2))
    anywhere = np.linalg.norm(a - b, axis=1)
    assert abs(np.mean(ways["targets"]) / anywhere.mean() - 1) < 0.1
    assert np.median(ways["targets"]) > 1.8 * np.median(ways["natural"])


def test_minimum_jerk_starts_and_ends_at_rest():
    way = minimum_jerk(np.linspace(-0.5, 1.5, 401))
    assert way[0] == 0
    assert way[-1] == 1
    assert way[200] == pytest.approx(0.5)
    assert (np.diff(way) >= 0).all()
    assert np.abs(np.diff(way))[[100, 299]].max() < 1e-4


def test_an_instant_is_drawn_when_something_has_moved():
    places = np.zeros((100, 3))
    places[40:45, 1] = np.linspace(0, 1, 5)
    places[45:, 1] = 1
    drawn = instants(places, 0.3, 100)
    # The rest before the movement is closed by an instant of its own, so that nothing is spread over it.
    assert drawn == (0, 40, 41, 42, 43, 44, 99)
    assert instants(np.zeros((100, 2)), 0.1, 30) == (0, 30, 60, 90, 99)


def test_the_strip_is_twice_as_wide_as_high_and_inside_the_sensor():
    assert strip_around(np.array([150.0, 160.0, 95.0, 160.0]), 240, 320) == (74, 136, 96, 48)
    x, y, w, h = strip_around(np.array([230.0, 5.0, 180.0, 5.0]), 240, 320)
    assert x + w <= 240
    assert y == 0
    assert abs(w - 2 * h) <= 1
