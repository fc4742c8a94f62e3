"""The arithmetic behind `tinytracker.evaluate.calibration`: one linear model, its leave-one-dot-out errors, the choice.

The error of the network on k dots, r (k, 2), is modelled as Z w + noise. Z holds a column of ones, the predicted gaze
and, for a ridge, further terms, all standardised over the dots. w has a normal prior around zero whose variances v are
given relative to that of the noise. With K = Z diag(v) Zᵀ and A = (K + I)⁻¹ the posterior mean is w = diag(v) Zᵀ A r,
and the error on a dot that is left out is (A r)ᵢ / Aᵢᵢ without fitting again (Hastie, Tibshirani and Friedman, The
Elements of Statistical Learning, section 7.10). K is as small as the number of dots, however many terms there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

IDENTITY, OFFSET, AFFINE, RIDGE = "identity", "offset", "affine", "ridge"
METHODS = ("auto", OFFSET, AFFINE, RIDGE)
LEAST_DOTS = 3
LEAST_DOTS_FOR_GAIN = 5
"""Fewer dots cannot tell a gain from an offset and noise; then only an offset is fitted."""

_OFFSET_VARIANCES = (0.1, 0.3, 1.0, 3.0)
_GAIN_VARIANCES = (0.03, 0.1, 0.3, 1.0)
_TERM_VARIANCES = (0.03, 0.1, 0.3, 1.0)
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Points:
    """One row per dot: predicted and true gaze (k, 2) in cm, and features (k, F) or None."""

    predicted: Floats
    true: Floats
    features: Floats | None


@dataclass(frozen=True)
class SolvedTerms:
    """Standardisation of the terms of a ridge, (T,) and a common scale, and weights (T, 2)."""

    centre: Floats
    scale: float
    weights: Floats


@dataclass(frozen=True)
class Solution:
    """What `choose` found.

    Attributes:
        kind: one of identity, offset, affine, ridge.
        matrix: (2, 2). offset: (2,) cm. terms: of a ridge.
        on_features: the terms are features, not squares of the gaze.
        before_cm, left_out_cm: mean error over dots without correction, and of each dot when it is left out.
        applied: share of the fitted correction in `matrix`, `offset` and `terms`.
    """

    kind: str
    matrix: Floats
    offset: Floats
    terms: SolvedTerms | None
    on_features: bool
    before_cm: float
    left_out_cm: float
    applied: float


@dataclass(frozen=True)
class _Fit:
    """A fitted correction: weights (1 + 2 + T, 2), and the vectors by which it misses each dot left out (k, 2)."""

    kind: str
    weights: Floats
    left_out: Floats

    @property
    def squares(self) -> Floats:
        """Squared miss per dot."""
        total: Floats = (self.left_out**2).sum(1)
        return total


def quadratic_terms(gaze: Floats) -> Floats:
    """(..., 3): x², xy and y² of gaze (..., 2)."""
    x, y = gaze[..., 0], gaze[..., 1]
    return np.stack([x * x, x * y, y * y], -1)


def average_dots(
    predicted: Floats, true: Floats, features: Floats | None, dots: NDArray[np.generic] | None
) -> Points:
    """Put the frames of each dot together: medians of what was predicted, the mean of where the dot was."""
    keys = true if dots is None else np.asarray(dots)
    _, group = np.unique(keys, axis=0, return_inverse=True)
    rows = [np.flatnonzero(np.ravel(group) == dot) for dot in range(int(group.max()) + 1)]
    return Points(
        np.stack([np.median(predicted[r], 0) for r in rows]),
        np.stack([true[r].mean(0) for r in rows]),
        None if features is None else np.stack([np.median(features[r], 0) for r in rows]),
    )


def choose(points: Points, method: str) -> Solution:
    """Fit every kind that `method` allows and take the one whose dots left out are nearest.

    A richer kind must win by more than its luck; see `_believable`.
    """
    residual = points.true - points.predicted
    terms = _terms(points)
    centre = points.predicted.mean(0)
    # One scale for both axes, so that the correction does not depend on how the device is turned.
    scale = max(float(np.sqrt(points.predicted.var(0).mean())), _LEAST_SPREAD)
    columns = np.hstack([np.ones((len(residual), 1)), (points.predicted - centre) / scale, terms.values])
    identity = _Fit(IDENTITY, np.zeros((columns.shape[1], 2)), residual)
    chosen, applied = identity, 0.0
    for kind in _kinds(method, len(residual)):
        candidate = _best(kind, columns, residual)
        share = _believable(identity, candidate)
        if share > 0 and (chosen is identity or _wins(chosen, candidate)):
            chosen, applied = candidate, share
    weights = applied * chosen.weights
    matrix = np.eye(2) + weights[1:3].T / scale
    offset = weights[0] - weights[1:3].T @ centre / scale
    solved = SolvedTerms(terms.centre, terms.scale, weights[3:]) if chosen.kind == RIDGE else None
    return Solution(
        chosen.kind, matrix, offset, solved, points.features is not None,
        _mean_length(residual), _mean_length(chosen.left_out), applied,
    )  # fmt: skip


@dataclass(frozen=True)
class _Terms:
    """Terms (k, T), centred, and divided by one scale that makes all of them together weigh as much as one column."""

    values: Floats
    centre: Floats
    scale: float


def _terms(points: Points) -> _Terms:
    raw = quadratic_terms(points.predicted) if points.features is None else points.features
    centre = raw.mean(0)
    scale = max(float(np.sqrt(raw.var(0).sum())), _LEAST_SPREAD)
    return _Terms((raw - centre) / scale, centre, scale)


def _kinds(method: str, dots: int) -> tuple[str, ...]:
    """The kinds to try, the simplest first. A named method with too few dots falls back to an offset."""
    if dots < LEAST_DOTS_FOR_GAIN:
        return (OFFSET,)
    return (OFFSET, AFFINE, RIDGE) if method == "auto" else (method,)


def _prior_variances(kind: str) -> list[tuple[float, float, float]]:
    """Offset, gain and terms: the combinations that are tried for a kind."""
    if kind == OFFSET:
        return [(v, 0.0, 0.0) for v in _OFFSET_VARIANCES]
    if kind == AFFINE:
        return [(v, gain, 0.0) for v, gain in product(_OFFSET_VARIANCES, _GAIN_VARIANCES)]
    return list(product(_OFFSET_VARIANCES, (0.0, *_GAIN_VARIANCES), _TERM_VARIANCES))


def _best(kind: str, columns: Floats, residual: Floats) -> _Fit:
    """The prior with the smallest mean squared error on the dots left out."""
    parts = [columns[:, :1], columns[:, 1:3], columns[:, 3:]]
    kernels = [part @ part.T for part in parts]
    variances = np.array(_prior_variances(kind))
    inverses = np.linalg.inv(np.tensordot(variances, np.stack(kernels), 1) + np.eye(len(residual)))
    left_out = (inverses @ residual) / np.diagonal(inverses, axis1=1, axis2=2)[..., None]
    best = int(np.argmin((left_out**2).sum((1, 2))))
    dual = inverses[best] @ residual
    weights = np.vstack([v * part.T @ dual for v, part in zip(variances[best], parts, strict=True)])
    return _Fit(kind, weights, left_out[best])


def _believable(without: _Fit, candidate: _Fit) -> float:
    """Share of a correction to apply, from how surely it lowers the squared error of dots left out.

    t is the mean gain over its standard error; the share is 1 - (limit / t)², and 0 below the limit. It is the form of
    the positive-part James-Stein estimator. The limit 1 + 4/k is larger for few dots, of which the standard error
    itself is uncertain; it was set on simulated users (docs/calibration.md).
    """
    gain = without.squares - candidate.squares
    mean, error = float(gain.mean()), _standard_error(gain)
    limit = 1 + 4 / len(gain)
    if mean <= limit * error or mean <= 0:
        return 0.0
    return 1 - (limit * error / mean) ** 2


def _wins(simpler: _Fit, richer: _Fit) -> bool:
    """Whether the richer kind is better by more than one standard error."""
    gain = simpler.squares - richer.squares
    return float(gain.mean()) > _standard_error(gain)


def _standard_error(values: Floats) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def _mean_length(vectors: Floats) -> float:
    return float(np.linalg.norm(vectors, axis=1).mean())
