"""Intervals cover the truth for noise that is alike from value to value, and do not grow without need."""

import numpy as np
import pytest

from tinytracker.series import (
    effective_count,
    interval95,
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
    ("n", "slow", "share"),
    [(100, 0, 0), (100, 0.5, 1), (1000, 0.9, 1), (1000, 0.98, 0.2), (1000, 0, 0)],
)
def test_intervals_of_mean_and_median_cover_the_truth(n, slow, share):
    rng = np.random.default_rng(1)
    hits = {"mean": 0, "median": 0}
    for _ in range(150):
        values = noise(rng, n, slow, share)
        for name, draw in (("mean", mean_draws), ("median", median_draws)):
            low, high = interval95(draw(values, 500, rng))
            hits[name] += low <= 0 <= high
    for name, count in hits.items():
        assert count >= 0.89 * 150, (
            name
        )  # 95 % of 150 within 3 standard deviations, less a little for slow noise


def test_white_noise_costs_little():
    rng = np.random.default_rng(2)
    widths = [np.ptp(interval95(mean_draws(rng.standard_normal(1000), 2000, rng))) for _ in range(100)]
    assert np.mean(widths) / (2 * 1.96 / 1000**0.5) < 1.35
    assert np.median([effective_count(rng.standard_normal(1000)) for _ in range(50)]) > 700


def test_the_long_run_variance_of_a_first_order_process():
    rng = np.random.default_rng(3)
    found = [long_run_variance(noise(rng, 2000, 0.8, 1)).variance for _ in range(100)]
    # Choosing the number of cosines by the values makes it a little too large, never too small.
    assert 0.95 < np.mean(found) / ((1 + 0.8) / (1 - 0.8)) < 1.4


def test_short_and_constant_series():
    assert long_run_variance(np.array([1.0])).variance == 0
    assert long_run_variance(np.array([1.0, 3.0])).variance == 2
    assert long_run_variance(np.full(50, 7.0)).variance == pytest.approx(0)
    assert effective_count(np.full(50, 7.0)) == 50
    rng = np.random.default_rng(0)
    assert interval95(median_draws(np.array([5.0]), 100, rng)) == (5.0, 5.0)
    assert interval95(mean_draws(np.full(9, 2.0), 100, rng)) == pytest.approx((2.0, 2.0))


def test_the_bootstrap_of_the_median_is_the_one_by_resampling():
    rng = np.random.default_rng(0)
    series = rng.permutation(rng.lognormal(0, 1, 400))
    drawn = np.median(series[rng.integers(400, size=(4000, 400))], axis=1)
    quick = median_draws(series, 4000, rng)
    # The draws of the product are wider by the uncertainty of the noise's speed, and never narrower.
    inner, outer = interval95(drawn), interval95(quick)
    assert outer[0] <= inner[0] * 1.02
    assert outer[1] >= inner[1] * 0.98
    assert np.ptp(outer) < 1.8 * np.ptp(inner)


def test_students_t():
    assert quantile_of_t(4) == pytest.approx(2.776445, abs=1e-5)
    assert quantile_of_t(1e9) == pytest.approx(1.959964, abs=1e-5)
