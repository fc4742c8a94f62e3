"""Confidence intervals of the mean and the median of an autocorrelated series.

Durations and energies of consecutive frames are correlated: temperature, clocks, refresh, a regulator. An interval
that treats them as independent is too narrow, and so is one from blocks shorter than the noise. Here the noise is
measured where it matters, at the lowest frequencies of the series. What is slower than that is not visible in a short
series, so every interval allows for it: for noise as slow as a correlation of `SLOWEST` between neighbours. In 1,000
values that costs a third of the width, in 100 values a factor of four.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tinytracker.arrays import Floats

Interval = tuple[float, float]

MAX_COSINES = 32
MIN_COSINES = 4

SLOWEST = 0.98
"""Correlation of neighbours in the slowest noise that intervals allow for; its time constant is 50 values."""

MIN_FOR_INTERVAL = 80
"""With fewer values, an interval that allows for slow noise would reach further than the values' standard deviation."""

MIN_INDEPENDENT = 4.0
"""Independent values that an interval of the median needs: the 95 % interval of fewer reaches beyond all values."""

_NORMAL_95 = 1.959964
_LONG = 10_000  # values after which noise of `SLOWEST` is fast; the allowance no longer changes
_DRAWS = 4000


@dataclass(frozen=True)
class LongRun:
    """The long-run variance of a series: N times the variance of the mean of N values.

    Attributes:
        variance: in the square of the values' unit; equals the variance of the values when they are independent.
        degrees: degrees of freedom of this estimate: the number of cosines; few when the noise is slow.
    """

    variance: float
    degrees: int


def long_run_variance(values: Floats) -> LongRun:
    """Estimate the long-run variance by equally weighted cosines (Müller 2007; Lazarus, Lewis, Stock, Watson 2018).

    The squared coefficients of the first B cosines of the series are B estimates of its spectrum at frequency 0, each
    with one degree of freedom, as long as the spectrum is flat up to B / (2 N). B starts with the number that gives
    the narrowest intervals for N values (4 to 32, see `allowance`) and is halved, to no fewer than 4, while the lower
    half of the coefficients has more power than the upper half, which is the sign of slow noise.

    Args:
        values: (N,) in order of time; fewer than 8 values are treated as independent.
    """
    n = len(values)
    if n < 2 * MIN_COSINES:
        return LongRun(float(values.var(ddof=1)) if n > 1 else 0.0, max(n - 1, 1))
    count = _best_count(n)
    power = _power(values, count)
    while count > MIN_COSINES and power[: count // 2].sum() > power[count // 2 : count].sum():
        count //= 2
    return LongRun(float(power[:count].mean()), count)


def _power(values: Floats, count: int) -> Floats:
    """(count,) squared coefficients of the first cosines of a series."""
    coefficients: Floats = _cosines(len(values), count) @ (values - values.mean())
    return coefficients**2


def _cosines(n: int, count: int) -> Floats:
    """(count, n) orthonormal cosines, the constant not among them."""
    angles = np.pi * np.outer(np.arange(1, count + 1), np.arange(n) + 0.5) / n
    cosines: Floats = np.sqrt(2 / n) * np.cos(angles)
    return cosines


def quantile_of_t(degrees: float, probability: float = 0.975) -> float:
    """Return the quantile of Student's t distribution at a probability."""
    from scipy.special import stdtrit  # 0.1 s to import

    return float(stdtrit(degrees, probability))


def allowance(n: int, count: int) -> float:
    """Return half the width of a 95 % interval of the mean of n values, in square roots of the long-run variance / n.

    Chosen so that the interval covers the mean of the slowest noise that is allowed for (a first-order process with
    correlation `SLOWEST`) in 95 % of series, when the long-run variance is estimated with `count` cosines; for faster
    noise it covers more. For long series this is Student's t. (Müller, 2014, chooses the critical value of an
    interval by the most persistent process, too.)
    """
    return _allowance(min(n, _LONG), count)


@lru_cache(maxsize=256)
def _allowance(n: int, count: int) -> float:
    from scipy.special import ndtr

    mean, cosines = _slow_variances(n, count)
    rng = np.random.default_rng(0)
    estimates = (rng.standard_normal((_DRAWS, count)) ** 2 @ cosines) / count
    ratio = np.sqrt(estimates / mean)
    low, high = 0.0, 1000.0
    while high - low > 1e-4:  # the share of series outside the interval falls as it gets wider
        middle = (low + high) / 2
        low, high = (middle, high) if 2 * ndtr(-middle * ratio).mean() > 0.05 else (low, middle)
    return high


def _slow_variances(n: int, count: int) -> tuple[float, Floats]:
    """Variances, for noise of `SLOWEST` and variance 1: of sqrt(n) times the mean, and (count,) of each cosine."""
    rows = np.vstack([np.full((1, n), n**-0.5), _cosines(n, count)])
    at_lag = np.fft.irfft(np.abs(np.fft.rfft(rows, 2 * n)) ** 2, 2 * n)[:, :n]
    weights = 2 * SLOWEST ** np.arange(n)
    weights[0] = 1.0
    variances = at_lag @ weights
    return float(variances[0]), variances[1:]


@lru_cache(maxsize=256)
def _best_count(n: int) -> int:
    """Number of cosines that gives the narrowest intervals for independent values."""
    from scipy.special import gammaln

    counts = [b for b in (4, 8, 16, 32) if b <= max(n // 4, MIN_COSINES)]
    # mean of the square root of a chi-squared number with b degrees of freedom, over sqrt(b)
    widths = [
        allowance(n, b) * np.exp(gammaln((b + 1) / 2) - gammaln(b / 2)) * np.sqrt(2 / b) for b in counts
    ]
    return counts[int(np.argmin(widths))]


def effective_count(values: Floats) -> float:
    """Return how many independent values would determine the median equally well; at most N.

    Computed from the signs of the distances from the median, on which the median's uncertainty depends.
    """
    signs = np.sign(values - np.median(values))
    power = float(signs.var())
    if power == 0:
        return float(len(values))
    return len(values) / max(long_run_variance(signs).variance / power, 1.0)


def independent_count(values: Floats) -> float:
    """Return how many independent values remain for an interval of the median, after the allowance for slow noise.

    The largest long-run variance that 4, 8, 16 or 32 cosines give counts: few cosines miss nothing slow, many cannot
    be small by chance. All values equal: N.
    """
    n = len(values)
    signs = np.sign(values - np.median(values))
    variance = float(signs.var())
    if variance == 0:
        return float(n)
    if n < MIN_FOR_INTERVAL:
        return 0.0
    best = _best_count(n)
    counts = [b for b in (4, 8, 16, 32) if best <= b <= max(n // 4, best)]
    power = _power(signs, counts[-1])
    slowest = max(float(power[:b].mean()) for b in counts)
    return n / max(slowest / variance, 1.0) * (_NORMAL_95 / allowance(n, best)) ** 2


def mean_draws(values: Floats, rounds: int, rng: np.random.Generator) -> Floats | None:
    """Draw (rounds,) plausible means: Student's t around the mean, scaled by the long-run variance and the allowance.

    None for fewer than `MIN_FOR_INTERVAL` values that are not all equal.

    Args:
        values: (N,) in order of time, N >= 1.
        rounds: how many.
        rng: source of the draws.
    """
    n = len(values)
    if np.ptp(values) == 0:
        return np.full(rounds, values[0])
    if n < MIN_FOR_INTERVAL:
        return None
    found = long_run_variance(values)
    wider = allowance(n, found.degrees) / quantile_of_t(found.degrees)
    draws: Floats = values.mean() + wider * np.sqrt(found.variance / n) * rng.standard_t(
        found.degrees, rounds
    )
    return draws


def median_draws(values: Floats, rounds: int, rng: np.random.Generator) -> Floats | None:
    """Draw (rounds,) plausible medians from the ranks around the median.

    The median of n draws from n values is the value at the rank given by the median of n uniform numbers, which
    has a Beta distribution; two such ranks for even n. Instead of n, the number of independent values that remain
    after the allowance for slow noise is used (`independent_count`). None when that is below `MIN_INDEPENDENT`.

    Args:
        values: (N,) in order of time, N >= 1.
        rounds: how many.
        rng: source of the draws.
    """
    n = len(values)
    if np.ptp(values) == 0:
        return np.full(rounds, values[0])
    remaining = independent_count(values)
    if remaining < MIN_INDEPENDENT:
        return None
    ordered, known = np.sort(values), int(remaining)
    middle = (known + 1) // 2
    lower = rng.beta(middle, known - middle + 1, rounds)
    upper = lower if known % 2 else lower + (1 - lower) * rng.beta(1, known - middle, rounds)
    ranks = np.minimum((np.stack([lower, upper]) * n).astype(np.int64), n - 1)
    draws: Floats = ordered[ranks].mean(0)
    return draws


def interval95(draws: Floats) -> Interval:
    """Return the middle 95 % of draws."""
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)


def interval_of(draws: Floats | None) -> Interval | None:
    """The middle 95 % of draws; None when there are none."""
    return None if draws is None else interval95(draws)


def as_list(interval: Interval | None) -> list[float] | None:
    """For a JSON document."""
    return None if interval is None else list(interval)
