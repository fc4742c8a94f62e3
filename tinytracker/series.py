"""Confidence intervals of the mean and the median of an autocorrelated series.

Durations and energies of consecutive frames are correlated: temperature, clocks, refresh, a regulator. An interval
that treats them as independent is too narrow, and so is one from blocks shorter than the noise. Here the noise is
measured where it matters, at the lowest frequencies of the series; the slower the noise, the fewer frequencies are
used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytracker.arrays import Floats

Interval = tuple[float, float]

MAX_COSINES = 32
MIN_COSINES = 4
_NORMAL_95 = 1.959964


@dataclass(frozen=True)
class LongRun:
    """The long-run variance of a series: N times the variance of the mean of N values.

    Attributes:
        variance: in the square of the values' unit; equals the variance of the values when they are independent.
        degrees: degrees of freedom of this estimate; few when the noise is slow.
    """

    variance: float
    degrees: int


def long_run_variance(values: Floats) -> LongRun:
    """Estimate the long-run variance by equally weighted cosines (Müller 2007; Lazarus, Lewis, Stock, Watson 2018).

    The squared coefficients of the first B cosines of the series are B estimates of its spectrum at frequency 0, each
    with one degree of freedom, as long as the spectrum is flat up to B / (2 N). B starts at 32 (or N / 4) and is
    halved, to no fewer than 4, while the lower half of the coefficients has more power than the upper half, which is
    the sign of slow noise. Noise with a period longer than the series cannot be detected by this or any estimate.

    Args:
        values: (N,) in order of time; fewer than 8 values are treated as independent.
    """
    n = len(values)
    if n < 2 * MIN_COSINES:
        return LongRun(float(values.var(ddof=1)) if n > 1 else 0.0, max(n - 1, 1))
    count = MAX_COSINES
    while count > max(n // 4, MIN_COSINES):
        count //= 2
    angles = np.pi * np.outer(np.arange(1, count + 1), np.arange(n) + 0.5) / n
    power = 2 / n * (np.cos(angles) @ (values - values.mean())) ** 2
    while count > MIN_COSINES and power[: count // 2].sum() > power[count // 2 : count].sum():
        count //= 2
    return LongRun(float(power[:count].mean()), count)


def quantile_of_t(degrees: float, probability: float = 0.975) -> float:
    """Return the quantile of Student's t distribution at a probability."""
    from scipy.special import stdtrit  # 0.1 s to import

    return float(stdtrit(degrees, probability))


def effective_count(values: Floats) -> float:
    """Return how many independent values would determine the median equally well; at most N.

    Computed from the signs of the distances from the median, on which the median's uncertainty depends.
    """
    return _effective_count(values)[0]


def _effective_count(values: Floats) -> tuple[float, int]:
    signs = np.sign(values - np.median(values))
    power = float(signs.var())
    if power == 0:
        return float(len(values)), MAX_COSINES
    found = long_run_variance(signs)
    return len(values) / max(found.variance / power, 1.0), found.degrees


def mean_draws(values: Floats, rounds: int, rng: np.random.Generator) -> Floats:
    """Draw (rounds,) plausible means: Student's t around the mean, scaled by the long-run variance.

    Args:
        values: (N,) in order of time, N >= 1.
        rounds: how many.
        rng: source of the draws.
    """
    found = long_run_variance(values)
    spread = np.sqrt(found.variance / len(values))
    draws: Floats = values.mean() + spread * rng.standard_t(found.degrees, rounds)
    return draws


def median_draws(values: Floats, rounds: int, rng: np.random.Generator) -> Floats:
    """Draw (rounds,) plausible medians from the ranks around the median.

    The median of n draws from n values is the value at the rank given by the median of n uniform numbers, which
    has a Beta distribution; two such ranks for even n. Instead of n, the number of independent values of the series is
    used, reduced further when that number is itself uncertain (by the squared ratio of normal to t quantile).

    Args:
        values: (N,) in order of time, N >= 1.
        rounds: how many.
        rng: source of the draws.
    """
    n = len(values)
    ordered = np.sort(values)
    count, degrees = _effective_count(values)
    known = max(2, round(count * (_NORMAL_95 / quantile_of_t(degrees)) ** 2)) if n > 1 else 1
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
