"""Errors of several networks on the same frames, and how much smaller one is than another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tinytracker.adapt.document import ALL, BUNDLED, Gain
from tinytracker.arrays import Floats

_ROUNDS = 4000


def gain(than: str, errors: Floats, others: Floats, clusters: NDArray[np.int64], seed: int = 0) -> Gain:
    """Compare errors (N,) cm with those of another network on the same frames.

    Frames of a cluster are alike; whole clusters are drawn with replacement, always both errors of a frame together.
    """
    difference = errors - others
    numbers = np.ravel(np.unique(clusters, return_inverse=True)[1])  # without those that have no frame here
    total, count = np.bincount(numbers, difference), np.bincount(numbers)
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(count), size=(_ROUNDS, len(count)))
    means = total[draws].sum(1) / count[draws].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Gain(
        than=than, ratio=round(float(errors.mean() / others.mean()), 4),
        difference_cm=round(float(difference.mean()), 4), ci95_cm=(round(float(low), 4), round(float(high), 4)),
    )  # fmt: skip


def choose(errors: Mapping[str, Floats], clusters: NDArray[np.int64], eligible: tuple[str, ...]) -> str:
    """Return the candidate to keep: the best of those that are certainly better than the bundled weights.

    Training of all layers must be certainly better than that one, too: it changes most, and which of its epochs counts
    was chosen on the same frames.

    Args:
        errors: (N,) cm by candidate, on the frames that choose.
        clusters: see `gain`.
        eligible: candidates that may be kept, from the one that changes least.
    """

    def is_sure(name: str, than: str) -> bool:
        return gain(than, errors[name], errors[than], clusters).ci95_cm[1] < 0

    sure = [name for name in eligible if name not in (BUNDLED, ALL) and is_sure(name, BUNDLED)]
    best = min(sure, key=lambda name: float(errors[name].mean()), default=BUNDLED)
    return ALL if ALL in eligible and is_sure(ALL, best) else best


def is_withdrawn(measured: Gain, with_fresh_dots: Gain | None) -> bool:
    """Return whether the frames that measure take a chosen candidate back, so that the bundled weights stay.

    They never choose: they can only bring the bundled weights back. They do when the candidate is certainly worse than
    these, unless it is the better one as soon as the sitting is calibrated.

    Args:
        measured: of the candidate, compared with the bundled weights on the frames that measure.
        with_fresh_dots: the same when both are calibrated with nine dots of the sitting; None for too few dots.
    """
    worse = measured.ci95_cm[0] > 0
    return worse and not (with_fresh_dots is not None and with_fresh_dots.difference_cm < 0)
