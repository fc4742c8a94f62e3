"""What a series of neighbours knows: how far its mean and its median would move in a repetition.

Durations and energies of frames that follow each other are alike: temperature, clocks, refresh, a regulator. An
interval that takes them for independent is too narrow, and so is one from blocks shorter than the noise. Here the
noise is measured where it matters, at the lowest frequencies of the series, and as few of them are used as its
slowness asks for.
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
        variance: in the square of the values' unit; that of the values themselves when they are independent.
        degrees: of freedom of this estimate; few when the noise is slow.
    """

    variance: float
    degrees: int


def long_run_variance(values: Floats) -> LongRun:
    """Long-run variance by equally weighted cosines (Müller 2007; Lazarus, Lewis, Stock and Watson 2018).

    The squared coefficients of the first B cosines of the series are B estimates of its spectrum at frequency 0, each
    with one degree of freedom, as long as the spectrum is flat up to B / (2 N). B starts at 32 (or N / 4) and is
    halved, to no fewer than 4, while the lower half of the coefficients has more power than the upper half: slow
    noise shows itself there. Noise slower than the series is long cannot be seen by this or any other estimate.

    Args:
        values: (N,) in order of time; fewer than 8 values are taken for independent.
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
    """The value that a variable with Student's t distribution stays below with a probability."""
    from scipy.special import stdtrit  # 0.1 s to import

    return float(stdtrit(degrees, probability))


def effective_count(values: Floats) -> float:
    """How many independent values would know the median as well; at most N.

    Judged by the signs of the distances from the median, which is what the median's uncertainty depends on.
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
    """(rounds,) draws of what the mean could be: Student's t around it, as wide as the long-run variance says.

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
    """(rounds,) draws of what the median could be, from the ranks around it.

    The median of n draws from n values is the value at the rank that the median of n uniform numbers points at, and
    that is a Beta number; two of them for even n. Instead of n, as many are drawn as the series has independent values,
    fewer still when that number itself is uncertain (the square of normal over t quantile).

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
    """The middle 95 % of draws."""
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
