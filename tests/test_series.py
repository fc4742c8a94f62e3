"""Intervals cover the truth for noise that is alike from value to value, and do not grow without need."""

import numpy as np
import pytest

from tinytracker.series import (
    allowance,
    effective_count,
    independent_count,
    interval95,
    interval_of,
    long_run_variance,
    mean_draws,
    median_draws,
    quantile_of_t,
)


def noise(rng, n, slow, share):
    """White noise, and a first-order process with the correlation `slow` that has a share of the variance."""
    steps = rng.standard_normal(n) * (1 - slow**2) ** 0.5
    steps[0] = rng.standard_normal()
    walk = np.empty(n)
    walk[0] = steps[0]
    for k in range(1, n):
        walk[k] = slow * walk[k - 1] + steps[k]
    return share**0.5 * walk + (1 - share) ** 0.5 * rng.standard_normal(n)


@pytest.mark.parametrize(
    ("n", "slow", "share", "given"),
    [
        (100, 0, 0, 0.6), (100, 0.5, 1, 0), (100, 0.9, 1, 0), (100, 0.98, 0.2, 0.2), (100, 0.98, 1, 0),
        (200, 0, 0, 1), (200, 0.98, 0.2, 0.7), (1000, 0.9, 1, 1), (1000, 0.98, 0.2, 1), (1000, 0, 0, 1),
    ],
)  # fmt: skip
def test_the_intervals_that_are_given_cover_the_truth(n, slow, share, given):
    rng = np.random.default_rng(1)
    intervals = {"mean": [], "median": []}
    for _ in range(150):
        values = noise(rng, n, slow, share)
        for name, draw in (("mean", mean_draws), ("median", median_draws)):
            interval = interval_of(draw(values, 500, rng))
            if interval is not None:
                intervals[name].append(interval)
    assert len(intervals["mean"]) == 150
    assert len(intervals["median"]) >= given * 150
    for name, found in intervals.items():
        hits = sum(low <= 0 <= high for low, high in found)
        assert hits >= 0.89 * len(found), name  # 95 % of 150 within 3 standard deviations


def test_noise_too_slow_for_the_series_gets_no_interval():
    rng = np.random.default_rng(4)
    for slow in (0.9, 0.98):
        found = [median_draws(noise(rng, 100, slow, 1), 100, rng) for _ in range(100)]
        assert sum(draws is not None for draws in found) <= 2
    assert median_draws(rng.standard_normal(60), 100, rng) is None  # the noise could be slow
    assert mean_draws(rng.standard_normal(79), 100, rng) is None


def test_what_the_allowance_for_slow_noise_costs():
    rng = np.random.default_rng(2)
    for n, limit in ((200, 3.0), (1000, 1.6), (10_000, 1.35)):
        widths = [np.ptp(interval95(mean_draws(rng.standard_normal(n), 2000, rng))) for _ in range(100)]
        assert np.mean(widths) / (2 * 1.96 / n**0.5) < limit
    assert np.median([effective_count(rng.standard_normal(1000)) for _ in range(50)]) > 700
    for count in (4, 8, 32):
        assert allowance(10**6, count) == pytest.approx(quantile_of_t(count), rel=0.05)


def test_the_long_run_variance_of_a_first_order_process():
    rng = np.random.default_rng(3)
    found = [long_run_variance(noise(rng, 2000, 0.8, 1)).variance for _ in range(100)]
    # Choosing the number of cosines by the values makes it a little too large, never too small.
    assert 0.95 < np.mean(found) / ((1 + 0.8) / (1 - 0.8)) < 1.4


def test_short_and_constant_series():
    assert long_run_variance(np.array([1.0])).variance == 0
    assert long_run_variance(np.array([1.0, 3.0])).variance == 2
    assert long_run_variance(np.full(50, 7.0)).variance == pytest.approx(0)
    assert effective_count(np.full(50, 7.0)) == independent_count(np.full(50, 7.0)) == 50
    rng = np.random.default_rng(0)
    assert interval95(median_draws(np.array([5.0]), 100, rng)) == (5.0, 5.0)
    assert interval95(mean_draws(np.full(9, 2.0), 100, rng)) == pytest.approx((2.0, 2.0))


def test_the_bootstrap_of_the_median_is_the_one_by_resampling():
    rng = np.random.default_rng(0)
    series = rng.permutation(rng.lognormal(0, 1, 400))
    drawn = np.median(series[rng.integers(400, size=(4000, 400))], axis=1)
    quick = median_draws(series, 4000, rng)
    # The draws of the product are wider by the allowance for slow noise, and never narrower.
    inner, outer = interval95(drawn), interval95(quick)
    assert outer[0] <= inner[0] * 1.02
    assert outer[1] >= inner[1] * 0.98
    assert np.ptp(outer) < 3.5 * np.ptp(inner)


def test_students_t():
    assert quantile_of_t(4) == pytest.approx(2.776445, abs=1e-5)
    assert quantile_of_t(1e9) == pytest.approx(1.959964, abs=1e-5)
