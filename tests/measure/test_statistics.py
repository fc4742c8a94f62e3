import json
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.errors import UsageError
from tinytracker.measure.statistics import (
    autocorrelation,
    drift,
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
    low, high = result.ci95 or (result.low, result.high)
    assert result.low <= low <= high <= result.high
    assert (result.ci95 is None) == (
        len(set(values)) > 1
    )  # too few for an interval, unless they are all equal
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
    assert autocorrelation(np.full(15, 0.3)) == 0.0  # their mean is 0.29999999999999993


def test_warnings_say_what_is_wrong():
    said = " ".join(summarize(np.linspace(100, 200, 25), warmup=0, resolution=20.0).warnings)
    for part in ("No interval: 25 values", "drift by", "One tick of the timer is 13 %"):
        assert part in said
    assert summarize(np.full(100, 5.0)).warnings == ()
