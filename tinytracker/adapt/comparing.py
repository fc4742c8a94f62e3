"""Errors of several networks on the same frames, and how much smaller one is than another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tinytracker.adapt.document import BUNDLED, Gain
from tinytracker.arrays import Floats

_ROUNDS = 4000


def gain(than: str, errors: Floats, others: Floats, clusters: NDArray[np.int64], seed: int = 0) -> Gain:
    """Compare errors (N,) cm with those of another network on the same frames.

    Frames of a cluster are alike; whole clusters are drawn with replacement, always both errors of a frame together.
    """
    difference = errors - others
    total, count = np.bincount(clusters, difference), np.bincount(clusters)
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(count), size=(_ROUNDS, len(count)))
    means = total[draws].sum(1) / count[draws].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Gain(
        than=than, ratio=round(float(errors.mean() / others.mean()), 4),
        difference_cm=round(float(difference.mean()), 4), ci95_cm=(round(float(low), 4), round(float(high), 4)),
    )  # fmt: skip


def choose(errors: Mapping[str, Floats], clusters: NDArray[np.int64], eligible: tuple[str, ...]) -> str:
    """Return the candidate to keep: one that changes more must be certainly better than the best that changes less.

    What changes more fits the recorded day better than another day, so a doubtful gain is none.

    Args:
        errors: (N,) cm by candidate, on the frames that choose.
        clusters: see `gain`.
        eligible: candidates that may be kept, from the one that changes least.
    """
    best = BUNDLED
    for name in eligible:
        if name != BUNDLED and gain(best, errors[name], errors[best], clusters).ci95_cm[1] < 0:
            best = name
    return best
