"""What a series of durations says, with what one needs to believe it. Nothing is ever deleted as an outlier."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import UsageError

Floats = NDArray[np.float64]

WARM_UP = 10
"""First frames that do not count unless a session says otherwise: MLPerf Tiny's default."""

SETTLED_CV = 0.015
SETTLED_VALUES = 10
"""A series has settled where this many values in a row have a coefficient of variation below the limit."""

ROUNDS = 10_000
MIN_FOR_P99 = 1000
MIN_FOR_INTERVAL = 30
_FAR_OUT = 3.0
_DRIFT_POINTS = 100

Interval = tuple[float, float]


@dataclass(frozen=True)
class Summary:
    """A series of N durations after warm-up; every number but the counts and shares has the unit of the values.

    Attributes:
        n: values that count. warmup: first values that do not. lost: values that are missing.
        settled_after: values of the whole series before ten in a row vary by less than 1.5 %; None when they never do.
        median, ci95: and the interval of the median by bootstrap, wider when neighbours are alike.
        p5, p95, p99: percentiles; p99 is None below 1,000 values.
        mean, sd, low, high: sd with n - 1.
        outliers: values further than 3 interquartile ranges outside the quartiles (Tukey's "far out").
        drift_per_1000: change over 1,000 values, by Theil and Sen. drift_ci95: its interval, by Sen's rank method.
        autocorrelation: of neighbours.
        resolution: of the timer; None when not known.
        resolution_share: of the median.
    """

    n: int
    warmup: int
    lost: int
    settled_after: int | None
    median: float
    ci95: Interval
    p5: float
    p95: float
    p99: float | None
    mean: float
    sd: float
    low: float
    high: float
    outliers: int
    drift_per_1000: float
    drift_ci95: Interval
    autocorrelation: float
    resolution: float | None
    resolution_share: float | None

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return asdict(self)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the numbers should know, in sentences."""
        said = []
        if self.n < MIN_FOR_INTERVAL:
            said.append(f"Only {self.n} values: intervals from fewer than {MIN_FOR_INTERVAL} are rough.")
        if self.settled_after is None or self.settled_after > self.warmup:
            when = "never settle" if self.settled_after is None else f"settle after {self.settled_after}"
            said.append(f"The values {when}, {self.warmup} were dropped as warm-up.")
        if self.drift_ci95[0] * self.drift_ci95[1] > 0 and abs(self.drift_per_1000) > 0.01 * abs(self.median):
            said.append(f"The values drift by {100 * self.drift_per_1000 / self.median:+.1f} % per 1,000.")
        if self.resolution_share is not None and self.resolution_share > 0.05:
            said.append(f"One tick of the timer is {100 * self.resolution_share:.0f} % of the median.")
        return tuple(said)


def summarize(
    values: Any, warmup: int = WARM_UP, resolution: float | None = None, lost: int = 0, seed: int = 0
) -> Summary:
    """Statistics of a series of durations.

    Args:
        values: (N,) in order of time, warm-up included.
        warmup: first values that do not count.
        resolution: of the timer, in the unit of the values.
        lost: values that are missing from the series.
        seed: of the bootstrap.

    Raises:
        UsageError: nothing is left after warm-up, or a value is not finite.

    Example:
        >>> from tinytracker.measure.statistics import summarize
        >>> row = summarize([90.0, 30.0, 31.0, 30.0, 29.0, 30.0], warmup=1)
        >>> row.n, row.median, row.low, row.high
        (5, 30.0, 29.0, 31.0)
    """
    whole = np.asarray(values, np.float64)
    series = whole[warmup:]
    if not len(series):
        raise UsageError(
            f"{len(whole)} frames, {warmup} of them warm-up: none are left.", "Measure more frames."
        )
    if not np.isfinite(whole).all():
        raise UsageError("A duration is not a finite number.")
    median = float(np.median(series))
    lower, upper = np.percentile(series, [25, 75])
    # A counter with coarse ticks has no spread at all: one tick is then the least that counts as one.
    reach = _FAR_OUT * max(float(upper - lower), resolution or 0.0)
    slope, slope_interval = drift(series)
    likeness = autocorrelation(series)
    p5, p95 = np.percentile(series, [5, 95])
    return Summary(
        n=len(series),
        warmup=min(warmup, len(whole)),
        lost=lost,
        settled_after=settled_after(whole),
        median=median,
        ci95=median_interval(series, likeness, seed),
        p5=float(p5),
        p95=float(p95),
        p99=float(np.percentile(series, 99)) if len(series) >= MIN_FOR_P99 else None,
        mean=float(series.mean()),
        sd=float(series.std(ddof=1)) if len(series) > 1 else 0.0,
        low=float(series.min()),
        high=float(series.max()),
        outliers=int(np.count_nonzero((series < lower - reach) | (series > upper + reach))),
        drift_per_1000=1000 * slope,
        drift_ci95=(1000 * slope_interval[0], 1000 * slope_interval[1]),
        autocorrelation=likeness,
        resolution=resolution,
        resolution_share=resolution / median if resolution is not None and median > 0 else None,
    )


def settled_after(values: Floats) -> int | None:
    """Number of values before the first ten in a row whose coefficient of variation is below 1.5 %."""
    if len(values) < SETTLED_VALUES:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(values, SETTLED_VALUES)
    steady = windows.std(1, ddof=1) <= SETTLED_CV * np.abs(windows.mean(1))
    return int(np.argmax(steady)) if steady.any() else None


def autocorrelation(values: Floats) -> float:
    """Correlation of each value with the next; 0 for fewer than 4 or constant values."""
    centred = values - values.mean()
    power = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / power if len(values) >= 4 and power > 0 else 0.0


def drift(values: Floats) -> tuple[float, Interval]:
    """Change per value by Theil and Sen, and its 95 % interval (Sen 1968, from the ranks of the slopes).

    Long series are first reduced to medians of blocks, so that one outlier in a thousand does not count.
    """
    blocks = np.array_split(values, min(len(values), _DRIFT_POINTS))
    heights = np.array([np.median(block) for block in blocks])
    edges = np.concatenate([[0], np.cumsum([len(block) for block in blocks])])
    places = (edges[:-1] + edges[1:] - 1) / 2
    n = len(heights)
    if n < 3:
        return 0.0, (0.0, 0.0)
    first, second = np.triu_indices(n, 1)
    slopes = np.sort((heights[second] - heights[first]) / (places[second] - places[first]))
    spread = 1.96 * np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = round((len(slopes) - spread) / 2)
    high = round((len(slopes) + spread) / 2)
    last = len(slopes) - 1
    return float(np.median(slopes)), (float(slopes[max(low, 0)]), float(slopes[min(high, last)]))


def median_interval(values: Floats, likeness: float, seed: int = 0) -> Interval:
    """95 % interval of the median by percentile bootstrap of 10,000 rounds.

    Args:
        values: (N,), N >= 1.
        likeness: their `autocorrelation`.
        seed: of the draws.
    """
    low, high = np.percentile(_medians(values, likeness, np.random.default_rng(seed)), [2.5, 97.5])
    return float(low), float(high)


def _medians(series: Floats, likeness: float, rng: np.random.Generator) -> Floats:
    """(ROUNDS,) medians of resampled series, without resampling.

    The median of n draws from n values is the value at the rank that the median of n uniform numbers points at, and
    that is a Beta number; two of them for even n. When neighbours are alike, n values know as much as
    n (1 - r) / (1 + r) independent ones, r the correlation of neighbours (the rule for first-order processes), and
    the ranks are drawn for that many.
    """
    n = len(series)
    ordered = np.sort(series)
    known = n
    if likeness > 2 / np.sqrt(n):
        known = max(2, round(n * (1 - likeness) / (1 + likeness)))
    middle = (known + 1) // 2
    lower = rng.beta(middle, known - middle + 1, ROUNDS)
    upper = lower if known % 2 else lower + (1 - lower) * rng.beta(1, known - middle, ROUNDS)
    ranks = np.minimum((np.stack([lower, upper]) * n).astype(np.int64), n - 1)
    means: Floats = ordered[ranks].mean(0)
    return means


@dataclass(frozen=True)
class Comparison:
    """How two series differ: b against a.

    Attributes:
        a, b: summaries.
        difference, difference_ci95: median of b minus median of a.
        ratio, ratio_ci95: median of b over median of a; None when a's is 0.
        differ: the interval excludes 0 and the difference is more than a tick of either timer.
    """

    a: Summary
    b: Summary
    difference: float
    difference_ci95: Interval
    ratio: float | None
    ratio_ci95: Interval | None
    differ: bool

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return asdict(self)


def compare(
    a: Any,
    b: Any,
    warmup: tuple[int, int] = (WARM_UP, WARM_UP),
    resolution: tuple[float | None, float | None] = (None, None),
    seed: int = 0,
) -> Comparison:
    """Whether two series have different medians.

    Args:
        a: (N,) durations in order of time, warm-up included.
        b: (M,) others, measured apart from the first.
        warmup: first values of each that do not count.
        resolution: of each timer.
        seed: of the bootstrap.

    Raises:
        UsageError: see `summarize`.
    """
    first = summarize(a, warmup[0], resolution[0], seed=seed)
    second = summarize(b, warmup[1], resolution[1], seed=seed)
    rng = np.random.default_rng(seed)
    draws_a = _medians(np.asarray(a, np.float64)[warmup[0] :], first.autocorrelation, rng)
    draws_b = _medians(np.asarray(b, np.float64)[warmup[1] :], second.autocorrelation, rng)
    low, high = (float(x) for x in np.percentile(draws_b - draws_a, [2.5, 97.5]))
    difference = second.median - first.median
    ratio, ratio_interval = None, None
    if first.median > 0 and draws_a.min() > 0:
        ratio = second.median / first.median
        r_low, r_high = np.percentile(draws_b / draws_a, [2.5, 97.5])
        ratio_interval = (float(r_low), float(r_high))
    tick = max(resolution[0] or 0.0, resolution[1] or 0.0)
    differ = (low > 0 or high < 0) and abs(difference) > tick
    return Comparison(first, second, difference, (low, high), ratio, ratio_interval, differ)
