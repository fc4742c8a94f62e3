"""Whether two groups of measured series differ.

The unit of replication is the session, not the frame: a board that was reset, warmed up or moved has another
median, however many frames each session has. So groups of sessions are compared by the medians of their sessions,
which is the test of a mixed model with a random session on balanced data. One session on each side says how well
those two medians are known, and nothing about whether a repetition would show the difference again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.errors import UsageError
from tinytracker.measure.statistics import ROUNDS, WARM_UP, Summary, summarize
from tinytracker.series import Interval, as_list, interval95, median_draws, quantile_of_t

ALPHA = 0.05
RECOMMENDED_SESSIONS = 5
"""Per side. With fewer, the spread between sessions is so uncertain that intervals become several times wider."""


@dataclass(frozen=True)
class Series:
    """One series of durations.

    Attributes:
        values: (N,) in order of time, warm-up included.
        warmup: first values that do not count.
        resolution: of the timer, in the unit of the values; None when not known.
    """

    values: Floats
    warmup: int = WARM_UP
    resolution: float | None = None

    @property
    def counted(self) -> Floats:
        """The values behind the warm-up."""
        return np.asarray(self.values, np.float64)[self.warmup :]


@dataclass(frozen=True)
class Comparison:
    """How two groups differ: b against a.

    Attributes:
        a, b: summaries, one for each session.
        difference, difference_ci95: mean over sessions of the medians, b minus a.
        ratio, ratio_ci95: geometric mean over sessions of the medians, b over a; None when a median is not positive.
            Both intervals are None when a single session on each side does not give one (see `Summary.ci95`).
        between_sessions: True when the intervals speak of repeated sessions; False when there is one session on each
            side, and they say only how well the medians of these two are known.
        p_value: of "no difference"; None without `between_sessions`.
        differ: whether the difference is repeatable: p below 5 %, after Holm when several rows are judged, and the
            difference exceeds a tick of either timer. None where that cannot be said.
    """

    a: tuple[Summary, ...]
    b: tuple[Summary, ...]
    difference: float
    difference_ci95: Interval | None
    ratio: float | None
    ratio_ci95: Interval | None
    between_sessions: bool
    p_value: float | None
    differ: bool | None

    @property
    def medians(self) -> tuple[float, float]:
        """Mean of the sessions' medians, a and b."""
        return _center(self.a), _center(self.b)

    @property
    def drifts(self) -> bool:
        """True when a session drifts, so that its median depends on how long it was measured."""
        return any(s.drifts for s in (*self.a, *self.b))

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return {
            "a": {"median": self.medians[0], "sessions": [s.as_json() for s in self.a]},
            "b": {"median": self.medians[1], "sessions": [s.as_json() for s in self.b]},
            "difference": self.difference, "difference_ci95": as_list(self.difference_ci95),
            "ratio": self.ratio, "ratio_ci95": as_list(self.ratio_ci95),
            "between_sessions": self.between_sessions, "p_value": self.p_value, "differ": self.differ,
            "drifts": self.drifts,
        }  # fmt: skip


def compare(a: Sequence[Series], b: Sequence[Series], seed: int = 0) -> Comparison:
    """Compare two groups of series by their medians.

    With two sessions or more on a side: Welch's t over the sessions' medians; with one session against several, that
    one is taken to vary as they do. With one on each side: intervals by bootstrap within the sessions, and no verdict.

    Args:
        a: one series per session.
        b: others, measured apart from the first.
        seed: of the bootstrap.

    Raises:
        UsageError: a side is empty; or see `summarize`.
    """
    if not a or not b:
        raise UsageError("One of the groups is empty.", "Name at least one session on each side.")
    first, second = (
        tuple(summarize(s.values, s.warmup, s.resolution, seed=seed) for s in group) for group in (a, b)
    )
    difference = _center(second) - _center(first)
    positive = min(s.median for s in (*first, *second)) > 0
    logs = [np.log([s.median for s in group]) for group in (first, second)] if positive else None
    ratio = float(np.exp(logs[1].mean() - logs[0].mean())) if logs else None
    if len(first) == len(second) == 1:
        interval, ratio_interval = _within(a[0], b[0], positive, seed)
        return Comparison(first, second, difference, interval, ratio, ratio_interval, False, None, None)
    medians = [np.array([s.median for s in group]) for group in (first, second)]
    tick = max((s.resolution or 0.0) for s in (*a, *b))
    half, p_value = welch(medians[0], medians[1], tick)
    ratio_interval = None
    if logs and ratio is not None:
        reach, _ = welch(logs[0], logs[1], tick / min(m.min() for m in medians))
        ratio_interval = (ratio * float(np.exp(-reach)), ratio * float(np.exp(reach)))
    between = (difference - half, difference + half)
    differ = p_value < ALPHA and abs(difference) > tick
    return Comparison(first, second, difference, between, ratio, ratio_interval, True, p_value, differ)


def judge_together(rows: Mapping[str, Comparison]) -> dict[str, Comparison]:
    """The same rows with `differ` after Holm's correction: 5 % false alarms for the whole table, not for each row."""
    judged = dict(rows)
    tested = sorted((row.p_value, name) for name, row in rows.items() if row.p_value is not None)
    holds = True
    for rank, (p_value, name) in enumerate(tested):
        holds = holds and p_value < ALPHA / (len(tested) - rank)
        judged[name] = replace(rows[name], differ=bool(rows[name].differ and holds))
    return judged


def _center(group: Sequence[Summary]) -> float:
    return float(np.mean([s.median for s in group]))


def _within(a: Series, b: Series, positive: bool, seed: int) -> tuple[Interval | None, Interval | None]:
    """Intervals of difference and ratio of two medians, each as uncertain as its own series."""
    rng = np.random.default_rng(seed)
    first, second = (median_draws(series.counted, ROUNDS, rng) for series in (a, b))
    if first is None or second is None:
        return None, None
    ratio = interval95(second / first) if positive and first.min() > 0 else None
    return interval95(second - first), ratio


def welch(a: Floats, b: Floats, tick: float) -> tuple[float, float]:
    """Half the 95 % interval of mean(b) - mean(a), and the p-value of 0 (Welch 1947).

    Medians of a coarse timer can be equal by rounding alone: the variance of rounding, tick² / 12, is added.
    """
    from scipy.special import stdtr

    rounding = tick**2 / 12
    own = [float(x.var(ddof=1)) + rounding if len(x) > 1 else None for x in (a, b)]
    parts = [
        (own[0] if own[0] is not None else own[1], len(a)),
        (own[1] if own[1] is not None else own[0], len(b)),
    ]
    squares = [variance / n for variance, n in parts if variance is not None]
    total = sum(squares)
    difference = abs(float(b.mean() - a.mean()))
    if total == 0:
        return 0.0, 1.0 if difference == 0 else 0.0
    if None in own:
        degrees = float(max(len(a), len(b)) - 1)
    else:
        degrees = total**2 / sum(s**2 / (n - 1) for s, (_, n) in zip(squares, parts, strict=True))
    error = total**0.5
    return quantile_of_t(degrees) * error, 2 * float(stdtr(degrees, -difference / error))
