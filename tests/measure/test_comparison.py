"""Groups of sessions: equal ones are called equal, different ones different, for every kind of noise."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tinytracker.errors import UsageError
from tinytracker.measure.comparison import Series, compare, judge_together, welch

ROUNDS = 1000
KINDS = {
    "white": lambda rng: rng.normal(1000, 10, 100),
    "two modes": lambda rng: 1000 + 50 * (rng.random(100) < 0.2) + rng.normal(0, 3, 100),
    "coarse ticks": lambda rng: np.floor(1000.5 + rng.normal(0, 0.4, 100)),
    "wandering": lambda rng: 1000 + np.cumsum(rng.normal(0, 0.3, 100)) + rng.normal(0, 10, 100),
    "sessions differ": lambda rng: 1000 + rng.normal(0, 1) + rng.normal(0, 0.2, 100),
}


@pytest.mark.parametrize("kind", KINDS)
def test_equal_groups_are_rarely_called_different(kind):
    rng = np.random.default_rng(1)
    tick = 1.0 if kind == "coarse ticks" else 0.0
    alarms = 0
    for _ in range(ROUNDS):
        medians = np.array([np.median(KINDS[kind](rng)) for _ in range(10)])
        half, p_value = welch(medians[:5], medians[5:], tick)
        difference = abs(medians[5:].mean() - medians[:5].mean())
        assert (p_value < 0.05) == (difference > half)
        alarms += p_value < 0.05 and difference > tick
    assert alarms <= 0.07 * ROUNDS  # 5 % within 3 standard deviations


def test_half_a_percent_is_found():
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(40):
        a, b = ([Series(rng.normal(mean, 10, 110)) for _ in range(5)] for mean in (1000, 1005))
        result = compare(a, b)
        found += bool(result.differ)
        assert result.between_sessions
        assert result.ratio_ci95[0] < result.ratio < result.ratio_ci95[1]
    assert found >= 0.75 * 40


def test_one_session_on_each_side_has_intervals_and_no_verdict():
    a, b = np.tile([99.0, 100.0, 101.0], 100), np.tile([109.0, 110.0, 111.0], 100)
    result = compare([Series(a, 0)], [Series(b, 0)])
    assert (result.difference, result.ratio) == (10.0, pytest.approx(1.1))
    assert (result.between_sessions, result.differ, result.p_value) == (False, None, None)
    low, high = result.difference_ci95
    assert 8 <= low <= 10 <= high <= 12
    json.dumps(result.as_json(), allow_nan=False)


def test_one_session_against_several_is_taken_to_vary_as_they_do():
    rng = np.random.default_rng(3)
    baseline = [Series(rng.normal(1000 + rng.normal(0, 1), 5, 200)) for _ in range(6)]
    assert compare(baseline, [Series(rng.normal(1050, 5, 200))]).differ
    alone = compare([Series(rng.normal(1050, 5, 200))], baseline)
    assert alone.differ
    assert alone.difference < 0


def test_counted_values_without_any_spread():
    same = [Series(np.full(30, 500.0), 0, 1.0)] * 2
    other = [Series(np.full(30, 520.0), 0, 1.0)] * 2
    assert not compare(same, same).differ
    assert compare(same, other).differ
    zero = [Series(np.zeros(30), 0)] * 2
    assert compare(zero, other).ratio is None
    exact = compare([Series(np.full(30, 5.0), 0)] * 2, [Series(np.full(30, 6.0), 0)] * 2)
    assert (exact.differ, exact.p_value, exact.difference_ci95) == (True, 0.0, (1.0, 1.0))


def test_a_difference_within_a_tick_is_none():
    a, b = ([Series(np.full(30, x), 0, 10.0)] * 40 for x in (100.0, 105.0))
    assert not compare(a, b).differ


def test_many_rows_together_keep_the_rate_of_false_alarms():
    rng = np.random.default_rng(4)
    row = compare([Series(np.full(12, 5.0), 0)] * 2, [Series(np.full(12, 6.0), 0)] * 2)
    tables = [
        judge_together(
            {
                name: replace(row, p_value=p, differ=p < 0.05)
                for name, p in zip("abcdefgh", rng.random(8), strict=True)
            }
        )
        for _ in range(2000)
    ]
    assert sum(any(row.differ for row in table.values()) for table in tables) <= 0.065 * 2000
    sure = judge_together({"a": replace(row, p_value=1e-9), "b": replace(row, p_value=0.04, differ=True)})
    assert [sure["a"].differ, sure["b"].differ] == [True, True]


def test_nothing_to_compare_is_refused():
    with pytest.raises(UsageError, match="One of the groups is empty"):
        compare([], [Series(np.ones(30), 0)])
