"""The event sensor: closed forms, noise at the documented rates, and events that do not depend on how time is cut."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tinytracker.events.dvs import IDEAL, SHOT_IN_WHITE, SMALLEST_THRESHOLD, Dvs, Sensor, merged

WHITE = 1.0


def run(lights, times, sensor, seed=0, settled=True, shape=None):
    """Events of pictures that are the same everywhere, or arrays."""
    shape = shape or (2, 3)
    dvs = Dvs(shape, sensor, WHITE, np.random.default_rng(seed), settled=settled)
    for light, time in zip(lights, times, strict=True):
        dvs.see(np.broadcast_to(np.float32(light), shape).astype(np.float32), time)
    return dvs.events(shape[1], shape[0])


def test_a_rise_of_light_makes_an_event_at_each_threshold_at_its_time():
    """From 0.1 to 0.1 e^1.1 within 11 ms, threshold 0.2: ON at 2, 4, 6, 8 and 10 ms (5 events a pixel)."""
    sensor = replace(IDEAL, dark=0.0)
    events = run([0.1, 0.1 * np.exp(1.1)], [0.0, 0.011], sensor)
    assert len(events) == 6 * 5
    assert (events.p == 1).all()
    one = events.t[(events.x == 2) & (events.y == 1)]
    assert np.abs(one - np.array([2000, 4000, 6000, 8000, 10000])).max() <= 1


def test_light_that_falls_back_makes_as_many_events_downwards():
    sensor = replace(IDEAL, dark=0.0)
    up = 0.1 * np.exp(1.1)
    events = run([0.1, up, 0.1], [0.0, 0.011, 0.022], sensor)
    # The memory stands at 1.0 of 1.1: the first OFF event is after 0.3, the last at 0 exactly or just before the end.
    falling = events.t[(events.p == 0) & (events.x == 0) & (events.y == 0)]
    assert len(falling) in (4, 5)
    assert abs(falling[0] - 14000) <= 1


def test_in_the_dark_the_same_contrast_is_seen_less():
    bright = run([0.5, 1.0], [0.0, 0.01], IDEAL)
    dim = run([0.0005, 0.001], [0.0, 0.01], IDEAL)
    assert len(dim) < len(bright)


@pytest.mark.parametrize("cutoff", [0.0, 100.0])
def test_events_do_not_depend_on_how_a_straight_line_is_cut(cutoff):
    """The same lines of log light, told with two points or with nine."""
    sensor = replace(IDEAL, cutoff_hz=cutoff, dark=0.0, leak_hz=0.3, refractory_s=0.0004)
    corners, times = np.log([0.05, 0.4, 0.1, 0.12]), np.array([0.0, 0.01, 0.03, 0.2])
    fine = np.unique(np.concatenate([np.linspace(a, b, 9) for a, b in pairwise(times)]))
    coarse = run(np.exp(corners), times, sensor)
    cut = run(np.exp(np.interp(fine, times, corners)), fine, sensor)
    if cutoff:
        # The bandwidth follows the light, of which only the logarithm is a straight line: times move a little.
        assert abs(len(coarse) - len(cut)) <= 0.1 * len(cut)
    else:
        assert len(coarse) == len(cut) > 6 * 10
        assert np.abs(coarse.t - cut.t).max() <= 2
        assert (coarse.p == cut.p).all()


def test_a_slow_photoreceptor_answers_a_ramp_as_a_low_pass_does():
    """Compared with a thousand small steps of dv/dt = (u - v) / tau."""
    tau = 1 / (2 * np.pi * 40.0)
    sensor = replace(IDEAL, cutoff_hz=40.0, dark=0.0)
    times = np.array([0.0, 0.02, 0.05])
    logs = np.log([1.0, np.e**1.5, np.e**1.5])
    fine = np.linspace(0, 0.05, 200_001)
    u, v, level, expected = np.interp(fine, times, logs), 0.0, 0.0, []
    for t, target in zip(fine, u, strict=True):
        v += (target - v) * (fine[1] / tau)
        while v - level >= 0.2:
            level += 0.2
            expected.append(t * 1e6)
    events = run(
        np.exp(logs), times, sensor, shape=(1, 1)
    )  # white light, so the bandwidth is the same throughout
    assert len(events) == len(expected)
    # The curve is taken as straight lines of 1 ms.
    assert np.abs(events.t - np.array(expected))[1:].max() < 60


def test_the_refractory_time_limits_the_rate_of_a_pixel():
    sensor = replace(IDEAL, refractory_s=0.001, dark=0.0)
    events = run([0.01, 1.0], [0.0, 0.01], sensor)
    for y in range(2):
        for x in range(3):
            mine = events.t[(events.x == x) & (events.y == y)]
            assert np.diff(mine).min() >= 1000
            assert 5 <= len(mine) <= 10


def test_still_light_makes_events_at_the_rate_of_the_leak():
    """Only ON events, 2 per second and pixel."""
    sensor = replace(IDEAL, leak_hz=2.0)
    events = run([0.3] * 11, np.arange(11.0), sensor, settled=False, shape=(20, 20))
    assert (events.p == 1).all()
    assert abs(len(events) / (400 * 10) - 2.0) < 0.1


@pytest.mark.parametrize(("light", "share"), [(0.0, 1.0), (2.0, SHOT_IN_WHITE)])
def test_shot_noise_has_its_rate_in_the_dark_and_a_quarter_in_white(light, share):
    sensor = replace(IDEAL, shot_hz=5.0)
    events = run([light] * 11, np.arange(11.0), sensor, shape=(30, 30))
    dark = 1 - (1 - SHOT_IN_WHITE) * 0.07
    expected = 900 * 10 * 5.0 * (share if light else dark)
    assert abs(len(events) - expected) < 6 * expected**0.5
    assert 0.47 < events.p.mean() < 0.53


def test_thresholds_differ_between_pixels_as_documented():
    sensor = replace(IDEAL, mismatch=0.05, dark=0.0)
    n = 50
    # A slow rise by 100 thresholds: the count of a pixel is about 20 / its threshold.
    events = run(np.exp(np.linspace(-20, 0, 2)), [0.0, 1.0], sensor, shape=(n, n))
    counts = np.bincount(events.y.astype(int) * n + events.x, minlength=n * n)
    thresholds = 20 / (counts + 0.5)
    assert abs(thresholds.mean() - 0.2) < 0.004
    assert abs(thresholds.std() - 0.05) < 0.004
    assert thresholds.min() > SMALLEST_THRESHOLD * 0.98


def test_equal_seeds_give_equal_events_and_others_do_not():
    rng = np.random.default_rng(4)
    lights, times = rng.uniform(0.05, 1, (20, 8, 9)), np.arange(20) * 0.01
    a, b, c = (run(lights, times, Sensor(), seed, False, (8, 9)) for seed in (1, 1, 2))
    assert all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("x", "y", "p", "t"))
    assert len(a) != len(c) or not np.array_equal(a.t, c.t)
    assert (np.diff(a.t) >= 0).all()


def test_two_rectangles_make_the_sensor_and_skipped_pixels_are_silent():
    rng = np.random.default_rng(5)
    lights, times = rng.uniform(0.05, 1, (10, 6, 8)).astype(np.float32), np.arange(10) * 0.01
    whole = Dvs((6, 8), IDEAL, WHITE, np.random.default_rng(0), settled=True)
    skip = np.zeros((6, 8), bool)
    skip[2:4, 3:7] = True
    around = Dvs((6, 8), IDEAL, WHITE, np.random.default_rng(0), skip=skip, settled=True)
    inside = Dvs((2, 4), IDEAL, WHITE, np.random.default_rng(0), settled=True)
    for light, time in zip(lights, times, strict=True):
        whole.see(light, time)
        around.see(light, time)
        inside.see(np.ascontiguousarray(light[2:4, 3:7]), time)
    silent = around.events(8, 6)
    assert not skip[silent.y, silent.x].any()
    both, all_of_it = merged([silent, inside.events(8, 6, (3, 2))]), whole.events(8, 6)
    for name in ("x", "y", "p", "t"):
        assert np.array_equal(getattr(both, name), getattr(all_of_it, name))
