"""The last layer of a network for one's own frames, as the posterior mean of a linear model.

The prior is the layer as it came, so that few frames change it little. Robust weights make the squares a mean distance
(iteratively reweighted least squares), which is the error that is reported.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Weights of the prior, relative to the frames."""

CAUTION = 1.03
"""The strongest prior is used whose error on left-out minutes is within this factor of the least: on another day head
and light are farther from what was recorded than any minute is from its neighbours."""

_ROUNDS = 4
_LEAST_CM = 0.3
"""Frames that are nearer than this do not count more."""


def fit_head(
    hidden: Floats, unit: Floats, gaze: Floats, kernel: Floats, bias: Floats, strength: float
) -> tuple[Floats, Floats]:
    """Return kernel (F, 2) and bias (2,) of the last layer.

    Args:
        hidden: (N, F) its inputs.
        unit: (N,) cm per unit of its output.
        gaze: (N, 2) where the person looked, cm.
        kernel: (F, 2) as it came.
        bias: (2,) as it came.
        strength: of the prior, relative to the frames.
    """
    scale = np.maximum(hidden.std(0), 0.05 * max(float(hidden.std()), 1e-6))
    design = np.concatenate([hidden * (1 / scale), np.ones((len(hidden), 1))], 1)
    before = np.concatenate([kernel * scale[:, None], bias[None]])
    rows = design * unit[:, None]
    missed = gaze - rows @ before
    change = np.zeros_like(before)
    weight = 1 / np.maximum(np.linalg.norm(missed, axis=1), _LEAST_CM)
    # The bias is free to move a hundred times as easily: a camera that is placed otherwise shifts everything.
    prior = np.full(design.shape[1], strength * float(np.mean(weight * unit**2)) * len(hidden))
    prior[-1] /= 100
    for _ in range(_ROUNDS):
        weighted = rows * weight[:, None]
        change = np.linalg.solve(rows.T @ weighted + np.diag(prior), weighted.T @ missed)
        weight = 1 / np.maximum(np.linalg.norm(missed - rows @ change, axis=1), _LEAST_CM)
    after = before + change
    return after[:-1] / scale[:, None], after[-1]


def choose_strength(
    hidden: Floats, unit: Floats, gaze: Floats, kernel: Floats, bias: Floats, folds: NDArray[np.int64]
) -> float:
    """Return the strength of the prior, by leaving out one stretch of time after the other.

    The arguments are those of `fit_head`; `folds` (N,) numbers the stretches.
    """
    errors = np.zeros(len(STRENGTHS))
    for fold in np.unique(folds):
        out = folds == fold
        for i, strength in enumerate(STRENGTHS):
            new, shift = fit_head(hidden[~out], unit[~out], gaze[~out], kernel, bias, strength)
            predicted = (hidden[out] @ new + shift) * unit[out, None]
            errors[i] += float(np.linalg.norm(predicted - gaze[out], axis=1).sum())
    good = np.flatnonzero(errors <= CAUTION * errors.min())
    return STRENGTHS[int(good.max())]
