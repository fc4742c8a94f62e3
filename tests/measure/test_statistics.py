import json
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.errors import UsageError
from tinytracker.measure.statistics import (
    _medians,
    autocorrelation,
    compare,
    drift,
    median_interval,
    settled_after,
    summarize,
)

VALUES = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=80)


@given(VALUES)
def test_the_plain_numbers_are_those_of_the_standard_library(values):
    result = summarize(values, warmup=0)
    assert result.n == len(values)
    assert result.median == pytest.approx(statistics.median(values))
    assert result.mean == pytest.approx(statistics.fmean(values))
    assert result.sd == pytest.approx(statistics.stdev(values) if len(values) > 1 else 0.0, abs=1e-6)
    assert (result.low, result.high) == (min(values), max(values))
    assert result.low <= result.p5 <= result.median <= result.p95 <= result.high
    assert result.low <= result.ci95[0] <= result.ci95[1] <= result.high
    json.dumps(result.as_json(), allow_nan=False)


def test_percentiles_by_hand():
    result = summarize(np.arange(1001.0), warmup=0)
    assert (result.p5, result.median, result.p95, result.p99) == (50, 500, 950, 990)
    assert summarize(np.arange(999.0), warmup=0).p99 is None


def test_warm_up_is_dropped_from_the_numbers_and_nothing_else():
    values = [1e6] * 3 + [5.0] * 50 + [900.0]
    result = summarize(values, warmup=3, lost=2)
    assert (result.n, result.warmup, result.lost, result.median, result.high) == (51, 3, 2, 5.0, 900.0)
    assert result.outliers == 1
    assert result.settled_after == 3
    assert summarize(values, warmup=0).outliers == 4


def test_coarse_ticks_are_not_outliers():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(500) < 0.1, 11.0, 10.0)
    assert summarize(values, resolution=1.0).outliers == 0
    assert summarize(values).outliers > 10
    assert summarize(values, resolution=1.0).resolution_share == pytest.approx(0.1)


def test_nothing_left_and_nonsense_are_refused():
    with pytest.raises(UsageError, match="3 frames, 10 of them warm-up"):
        summarize([1.0, 2.0, 3.0])
    with pytest.raises(UsageError, match="not a finite number"):
        summarize([1.0, np.nan], warmup=0)


def test_where_a_series_settles():
    assert settled_after(np.concatenate([np.linspace(200, 110, 20), np.full(30, 100.0)])) == pytest.approx(
        18, abs=2
    )
    assert settled_after(np.array([1.0, 2.0] * 20)) is None
    assert settled_after(np.full(9, 1.0)) is None


def test_the_bootstrap_of_the_median_is_the_one_by_resampling():
    rng = np.random.default_rng(0)
    for n in (7, 8, 25, 40):
        series = rng.lognormal(0, 1, n)
        drawn = np.median(series[rng.integers(n, size=(20_000, n))], axis=1)
        quick = _medians(series, 0.0, rng)
        for q in (2.5, 25, 50, 75, 97.5):
            # Compared by rank: the value itself jumps from one observation to the next.
            share = np.mean(drawn <= np.percentile(quick, q) + 1e-12)
            below = np.mean(drawn < np.percentile(quick, q) - 1e-12)
            assert below - 0.02 <= q / 100 <= share + 0.02


@pytest.mark.parametrize(("likeness", "low"), [(0.0, 0.92), (0.6, 0.88)])
def test_the_interval_of_the_median_covers_the_truth(likeness, low):
    rng = np.random.default_rng(1)
    hits = 0
    for seed in range(300):
        noise = rng.standard_normal(300)
        series = np.empty(300)
        series[0] = noise[0]
        for k in range(1, 300):
            series[k] = likeness * series[k - 1] + (1 - likeness**2) ** 0.5 * noise[k]
        a, b = median_interval(series + 100, autocorrelation(series), seed)
        hits += a <= 100 <= b
    assert low <= hits / 300 <= 0.99


def test_drift_is_found_through_outliers_and_covered_by_its_interval():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(100):
        values = 100 + 0.003 * np.arange(2000) + rng.standard_normal(2000)
        values[rng.integers(2000, size=20)] += 500
        slope, (low, high) = drift(values)
        assert slope == pytest.approx(0.003, rel=0.1)
        hits += low <= 0.003 <= high
    assert hits >= 90
    assert drift(np.array([1.0, 2.0])) == (0.0, (0.0, 0.0))
    assert drift(np.arange(10.0)) == (1.0, (1.0, 1.0))


def test_autocorrelation():
    rng = np.random.default_rng(0)
    assert abs(autocorrelation(rng.standard_normal(5000))) < 0.05
    assert autocorrelation(np.repeat(rng.standard_normal(2000), 2)) == pytest.approx(0.5, abs=0.05)
    assert autocorrelation(np.ones(10)) == 0.0


def test_warnings_say_what_is_wrong():
    said = " ".join(summarize(np.linspace(100, 200, 25), warmup=0, resolution=20.0).warnings)
    for part in ("Only 25 values", "never settle", "drift by", "One tick of the timer is 13 %"):
        assert part in said
    assert summarize(np.full(100, 5.0)).warnings == ()


def test_compare_finds_a_difference_and_not_one_too_many():
    rng = np.random.default_rng(3)
    false = found = 0
    for seed in range(60):
        a, b = rng.normal(100, 2, 200), rng.normal(100, 2, 150)
        false += compare(a, b, seed=seed).differ
        found += compare(a, b + 2, seed=seed).differ
    assert 1 <= false <= 8  # 5 % of 60 are 3
    assert found == 60


def test_compare_by_hand():
    a, b = np.tile([99.0, 100.0, 101.0], 100), np.tile([109.0, 110.0, 111.0], 100)
    result = compare(a, b)
    assert (result.difference, result.ratio, result.differ) == (10.0, pytest.approx(1.1), True)
    low, high = result.difference_ci95
    assert 8 <= low <= 10 <= high <= 12
    assert not compare(a, b, resolution=(10.0, None)).differ
    assert not compare(a, a).differ
    assert compare(np.zeros(40), b).ratio is None
    json.dumps(result.as_json(), allow_nan=False)
