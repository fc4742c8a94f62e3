"""Confidence intervals of means over frames that follow each other, by resampling blocks."""

from __future__ import annotations

import numpy as np

from tinytracker.energy.trace import Floats

ROUNDS = 2000


def block_means(values: Floats, rounds: int, rng: np.random.Generator) -> Floats:
    """(rounds,) means of resampled series, drawn in blocks (moving-block bootstrap, Künsch 1989).

    Neighbouring frames are alike: temperature, refresh, regulator. Drawing single frames would make the interval too
    narrow; blocks of n^(1/2) frames keep the likeness inside them.

    Args:
        values: (n,) in order of time, n >= 1.
        rounds: how many.
        rng: source of the draws.
    """
    n = len(values)
    length = max(1, min(round(n**0.5), n // 4))
    sums = np.concatenate([[0.0], np.cumsum(values)])
    blocks = sums[length:] - sums[:-length]
    count = -(-n // length)
    means = np.empty(rounds)
    for at in range(0, rounds, 100):
        stop = min(at + 100, rounds)
        means[at:stop] = blocks[rng.integers(len(blocks), size=(stop - at, count))].sum(1)
    # A series of n/length blocks of moving starts varies a little less than n/(n - length + 1) of the truth; the mean
    # of all blocks is also not quite the mean of the values, so the draws are centred on it.
    means /= count * length
    centred = (means - means.mean()) * np.sqrt(n / max(n - length, 1)) + values.mean()
    return np.asarray(centred, np.float64)


def interval95(draws: Floats) -> tuple[float, float]:
    """The middle 95 % of draws."""
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
