"""Statistics of a series of durations, with the numbers needed to judge them. No outlier is ever deleted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.errors import UsageError
from tinytracker.series import (
    MIN_FOR_INTERVAL,
    MIN_INDEPENDENT,
    Interval,
    effective_count,
    independent_count,
    interval_of,
    median_draws,
)
from tinytracker.words import counted

TimedBy = Literal["timer", "clocks"]

WARM_UP = 10
"""First frames that do not count, unless a session gives another number: MLPerf Tiny's default."""

SETTLED_CV = 0.015
SETTLED_VALUES = 10
"""A series has settled where this many values in a row have a coefficient of variation below the limit."""

ROUNDS = 10_000
MIN_FOR_P99 = 1000
_FAR_OUT = 3.0
_DRIFT_POINTS = 100


@dataclass(frozen=True)
class Summary:
    """A series of N durations after warm-up; every number but the counts and shares has the unit of the values.

    Attributes:
        n: values that count. warmup: first values that do not. lost: values that are missing.
        settled_after: values of the whole series before ten in a row vary by less than 1.5 %; None when they never do.
        median, ci95: and the interval of the median by bootstrap, wider when neighbours are alike (see `series`). None
            when too few independent values remain for one.
        interval_n: independent values that remain for the interval, after an allowance for slow noise.
        p5, p95, p99: percentiles; p99 is None below 1,000 values.
        mean, sd, low, high: sd with n - 1.
        outliers: values further than 3 interquartile ranges outside the quartiles (Tukey's "far out").
        drift_per_1000: change over 1,000 values, by Theil and Sen. drift_ci95: its interval, by Sen's rank method.
        autocorrelation: of neighbours.
        effective_n: number of independent values that would give the same interval of the median.
        resolution: of the timer, or how well two clocks are known to agree; None when not known.
        resolution_share: of the median.
        timed_by: "timer" of one device, or "clocks" of two.
    """

    n: int
    warmup: int
    lost: int
    settled_after: int | None
    median: float
    ci95: Interval | None
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
    effective_n: float
    interval_n: float
    resolution: float | None
    resolution_share: float | None
    timed_by: TimedBy = "timer"

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return asdict(self)

    @property
    def drifts(self) -> bool:
        """True when the interval of the drift excludes 0 and it changes the median by more than 1 % in 1,000 values."""
        low, high = self.drift_ci95
        return low * high > 0 and abs(self.drift_per_1000) > 0.01 * abs(self.median)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the numbers should know, in sentences."""
        said = []
        if self.ci95 is None and self.n < MIN_FOR_INTERVAL:
            said.append(f"No interval: {counted(self.n, 'value')}; 200 or more are recommended.")
        elif self.ci95 is None:
            said.append(
                f"No interval: slow noise cannot be excluded, so {self.n:,} values count as {self.interval_n:.1f} "
                f"independent ones; {MIN_INDEPENDENT:g} are needed. Measure longer."
            )
        # A noisy series never has ten values within 1.5 %; that is not evidence of a warm-up. Drift is.
        if self.settled_after is not None and self.settled_after > self.warmup:
            said.append(
                f"The values settle after {self.settled_after}, {self.warmup} were dropped as warm-up."
            )
        if self.drifts:
            said.append(f"The values drift by {100 * self.drift_per_1000 / self.median:+.1f} % per 1,000.")
        if self.resolution_share is not None and self.resolution_share > 0.05:
            what = (
                "One tick of the timer is" if self.timed_by == "timer" else "The clocks agree only to within"
            )
            said.append(f"{what} {100 * self.resolution_share:.0f} % of the median.")
        return tuple(said)


def summarize(
    values: Any,
    warmup: int = WARM_UP,
    resolution: float | None = None,
    lost: int = 0,
    seed: int = 0,
    timed_by: TimedBy = "timer",
) -> Summary:
    """Statistics of a series of durations.

    Args:
        values: (N,) in order of time, warm-up included.
        warmup: first values that do not count.
        resolution: of the timer, in the unit of the values.
        lost: values that are missing from the series.
        seed: of the bootstrap.
        timed_by: what the resolution is of.

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
            f"{counted(len(whole), 'frame')}, {warmup} of them warm-up: none are left.",
            "Measure more frames.",
        )
    if not np.isfinite(whole).all():
        raise UsageError("A duration is not a finite number.")
    median = float(np.median(series))
    lower, upper = np.percentile(series, [25, 75])
    # A counter with coarse ticks has no spread at all: one tick is then the smallest spread assumed.
    reach = _FAR_OUT * max(float(upper - lower), resolution or 0.0)
    slope, slope_interval = drift(series)
    p5, p95 = np.percentile(series, [5, 95])
    return Summary(
        n=len(series),
        warmup=min(warmup, len(whole)),
        lost=lost,
        settled_after=settled_after(whole),
        median=median,
        ci95=interval_of(median_draws(series, ROUNDS, np.random.default_rng(seed))),
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
        autocorrelation=autocorrelation(series),
        effective_n=effective_count(series),
        interval_n=independent_count(series),
        resolution=resolution,
        resolution_share=resolution / median if resolution is not None and median > 0 else None,
        timed_by=timed_by,
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
    if len(values) < 4 or np.ptp(values) == 0:  # the mean of equal values may be a rounding away from them
        return 0.0
    centred = values - values.mean()
    power = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / power if power > 0 else 0.0


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
