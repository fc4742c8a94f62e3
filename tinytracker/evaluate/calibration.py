"""Calibration to one person: a correction of the network's gaze, learned from a few dots that the person looked at.

The network is trained for an average person. The deviation of an individual (the angle between visual and optical
axis, the shape of the lids, the way of holding the device) is nearly the same in all frames and can be estimated from
a few dots.

A correction is the posterior mean of a linear model whose prior is "no correction": the more dots, the larger the
fraction of their error that is corrected. The kind of correction, the strength of the prior and the weight against no
correction are chosen by leave-one-out prediction of the dots. A few noisy points change little.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tinytracker.arrays import Floats
from tinytracker.documents import Versioned
from tinytracker.errors import CalibrationError, UnknownNameError
from tinytracker.evaluate.calibration_fit import (
    AFFINE,
    IDENTITY,
    LEAST_DOTS,
    METHODS,
    OFFSET,
    RIDGE,
    Solution,
    average_dots,
    choose,
    constant_error,
    quadratic_terms,
)  # fmt: skip
from tinytracker.evaluate.calibration_identity import Dot, Identity
from tinytracker.files import StrPath, write_json
from tinytracker.words import too_few

__all__ = [
    "AFFINE",
    "IDENTITY",
    "LEAST_DOTS",
    "METHODS",
    "OFFSET",
    "RIDGE",
    "Calibration",
    "fit",
    "read_calibration",
]

Pair = tuple[float, float]
_LARGEST = 1e6
_FOLLOWS = 0.95
"""A network that follows the eyes misses dots by less than this share of what the mean of the other dots misses."""


_MIRRORED = -0.5
"""Correlation of predicted and true x below which the picture is mirrored."""


class Terms(BaseModel):
    """The part of a ridge correction that is not linear in gaze: `weights`ᵀ (terms - centre) / scale.

    Attributes:
        source: "features" for the penultimate activations of the network, "quadratic" for x², xy and y² of gaze.
        centre: one per term. scale: one for all, so that a term that hardly varied on the dots does not get a huge
            value on the first frame on which it varies. weights: cm (x, y) per term.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    source: Literal["features", "quadratic"]
    centre: tuple[float, ...]
    scale: float = Field(gt=0)
    weights: tuple[Pair, ...]

    @model_validator(mode="after")
    def _same_length(self) -> Terms:
        if not len(self.centre) == len(self.weights) > 0:
            raise ValueError("centre and weights must have the same length, at least 1")
        if self.source == "quadratic" and len(self.centre) != 3:
            raise ValueError("there must be three quadratic terms: x², xy, y²")
        return self


class Evidence(BaseModel):
    """The data a calibration was fitted on, and its expected effect.

    Attributes:
        dots, frames: their numbers.
        before_cm: mean error on the dots without correction.
        left_out_cm: mean error on each dot when the correction is fitted without it and applied in full.
        applied: weight of the correction against none, 0 to 1: the fraction of it that is applied.
        constant_cm: mean error on each dot of the mean of the others, which needs no network; None in older files.
        follows_eyes: whether the network knows more than that; otherwise nothing is corrected.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    dots: int = Field(ge=1)
    frames: int = Field(ge=1)
    before_cm: float = Field(ge=0)
    left_out_cm: float = Field(ge=0)
    applied: float = Field(ge=0, le=1)
    constant_cm: float | None = Field(default=None, ge=0)
    follows_eyes: bool = True


class Calibration(Versioned):
    """A correction of gaze in cm: matrix · gaze + offset, plus `terms` for a ridge.

    Attributes:
        schema_version: of the file. unit: of all lengths.
        kind: "identity", "offset", "affine" or "ridge".
        matrix: rows of the 2 × 2 matrix. offset: cm.
        terms: of a ridge, else None.
        evidence: the data it was fitted on; None for a correction from another source.
        identity: network, screen, person; None in older files. dots: that it was fitted on; empty in older files.

    Unlike in other documents, unknown keys are also rejected when reading: such files may be written by hand, and a
    misspelt key would silently be ignored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    title: ClassVar[str] = "a calibration"
    way_out: ClassVar[str] = "Create one with: tinytracker calibrate fit POINTS --out FILE"

    schema_version: Literal[1] = 1
    unit: Literal["cm"] = "cm"
    kind: Literal["identity", "offset", "affine", "ridge"] = "identity"
    matrix: tuple[Pair, Pair] = ((1.0, 0.0), (0.0, 1.0))
    offset: Pair = (0.0, 0.0)
    terms: Terms | None = None
    evidence: Evidence | None = None
    identity: Identity | None = None
    dots: tuple[Dot, ...] = ()

    @model_validator(mode="after")
    def _kind_says_what_it_is(self) -> Calibration:
        if (self.terms is not None) != (self.kind == RIDGE):
            raise ValueError("a ridge must have terms, and every other kind must have none")
        if self.kind in (IDENTITY, OFFSET) and self.matrix != ((1.0, 0.0), (0.0, 1.0)):
            raise ValueError(f"the matrix of kind {self.kind!r} must be the identity")
        if self.kind == IDENTITY and self.offset != (0.0, 0.0):
            raise ValueError("the offset of kind 'identity' must be 0")
        if max(map(abs, (*self.matrix[0], *self.matrix[1], *self.offset))) > _LARGEST:
            raise ValueError(f"numbers must be within ±{_LARGEST:g}")
        return self

    @classmethod
    def parse(cls, path: Path, document: Any) -> Calibration:
        """Check a calibration that was read from a file; one without a version has version 1."""
        return super().parse(
            path, {"schema_version": 1} | document if isinstance(document, dict) else document
        )

    @property
    def is_affine(self) -> bool:
        """Whether it consists only of matrix and offset, so that a device needs only the network's output."""
        return self.terms is None

    @property
    def is_mirrored(self) -> bool:
        """Whether the network's gaze went to the left when the person looked to the right: the picture is mirrored."""
        true, predicted = (
            np.array([d.true_cm[0] for d in self.dots]), np.array([d.predicted_cm[0] for d in self.dots])
        )  # fmt: skip
        if len(true) < LEAST_DOTS or not true.std() > 0 or not predicted.std() > 0:
            return False
        return bool(np.corrcoef(true, predicted)[0, 1] < _MIRRORED)

    @property
    def needs_features(self) -> bool:
        """Whether `apply` needs the network's penultimate activations."""
        return self.terms is not None and self.terms.source == "features"

    def apply(
        self, gaze_cm: NDArray[np.floating[Any]], features: NDArray[np.floating[Any]] | None = None
    ) -> Floats:
        """Return the corrected gaze.

        Args:
            gaze_cm: (N, 2) or (2,), output of the network in cm.
            features: (N, F) or (F,) penultimate activations of the same frames; used only by a ridge on features.

        Returns:
            float64 of the shape of `gaze_cm`; NaN stays NaN.

        Raises:
            CalibrationError: features are needed but not given, or their number is wrong.
        """
        gaze = np.asarray(gaze_cm, np.float64)
        corrected: Floats = gaze @ np.asarray(self.matrix).T + np.asarray(self.offset)
        if self.terms is not None:
            values = quadratic_terms(gaze) if self.terms.source == "quadratic" else self._checked(features)
            standard = (values - np.asarray(self.terms.centre)) / self.terms.scale
            corrected = corrected + standard @ np.asarray(self.terms.weights)
        return corrected

    def _checked(self, features: NDArray[np.floating[Any]] | None) -> Floats:
        count = len(self.terms.centre) if self.terms else 0
        if features is None:
            raise CalibrationError(
                f"This calibration needs the {count} penultimate activations of the network.",
                "Fit one on the outputs only, for example with --method affine.",
            )
        if features.shape[-1] != count:
            raise CalibrationError(
                f"This calibration needs {count} penultimate activations, but the network has {features.shape[-1]}.",
                "Use the network that it was made for.",
            )
        return np.asarray(features, np.float64)

    def write(self, path: StrPath) -> Path:
        """Write the JSON file; returns its path."""
        path = Path(path)
        return write_json(path, self.model_dump(mode="json"))


def read_calibration(path: StrPath) -> Calibration:
    """Read a calibration from a JSON file.

    Raises:
        InputFileError: the file is missing, not JSON, of another schema version, or not a valid calibration.

    Example:
        >>> import numpy as np
        >>> from tinytracker.evaluate import fit, read_calibration
        >>> dots = np.array([[x, y] for x in (-4.0, 0.0, 4.0) for y in (-9.0, -5.0, -1.0)])
        >>> path = fit(dots + [1.5, -0.5], dots).write("ann.json")
        >>> read_calibration("ann.json").kind
        'offset'
    """
    return Calibration.read(Path(path))


def fit(
    predicted_cm: NDArray[np.floating[Any]],
    true_cm: NDArray[np.floating[Any]],
    features: NDArray[np.floating[Any]] | None = None,
    method: str = "auto",
    dots: NDArray[np.generic] | None = None,
    identity: Identity | None = None,
) -> Calibration:
    """Fit a calibration to the person who looked at these dots.

    The frames of a dot are combined by the median, so that a blink has no effect; all dots have the same weight,
    regardless of the number of their frames.

    Args:
        predicted_cm: (N, 2) output of the network.
        true_cm: (N, 2) positions of the dots.
        features: (N, F) penultimate activations; without them a ridge uses x², xy and y² of the gaze.
        method: "offset", "affine", "ridge", or "auto" to choose among them by leaving out one dot at a time.
            Each may result in "identity" when the dots do not support a correction.
        dots: (N,) the dot of each frame; None when frames with the same true gaze belong to the same dot.
        identity: what the points were taken with.

    Raises:
        UnknownNameError: no such method.
        CalibrationError: fewer than 3 dots, shapes that do not match, or numbers that are not finite.

    Example:
        >>> import numpy as np
        >>> from tinytracker.evaluate import fit
        >>> dots = np.array([[x, y] for x in (-4.0, 0.0, 4.0) for y in (-9.0, -5.0, -1.0)])
        >>> calibration = fit(dots + [1.5, -0.5], dots)
        >>> calibration.kind, np.round(calibration.apply(np.array([[1.5, -5.5]])), 1).tolist()
        ('offset', [[0.1, -5.0]])
    """
    if method not in METHODS:
        raise UnknownNameError("calibration method", method, METHODS)
    predicted, true = np.asarray(predicted_cm, np.float64), np.asarray(true_cm, np.float64)
    values = None if features is None else np.asarray(features, np.float64)
    _check_points(predicted, true, values, dots)
    points = average_dots(predicted, true, values, dots)
    solution = choose(points, method)
    before, after = solution.before_cm, solution.left_out_cm
    constant = constant_error(points.true)
    follows = min(before, after) < _FOLLOWS * constant
    evidence = Evidence(
        dots=len(points.true), frames=len(true), before_cm=before, left_out_cm=after,
        applied=solution.applied if follows else 0.0, constant_cm=constant, follows_eyes=follows,
    )  # fmt: skip
    seen = tuple(
        Dot(true_cm=(t[0], t[1]), predicted_cm=(p[0], p[1]), frames=n)
        for t, p, n in zip(points.true.tolist(), points.predicted.tolist(), points.frames, strict=True)
    )
    if not follows:
        return Calibration(evidence=evidence, identity=identity, dots=seen)
    try:
        return _from_solution(solution, evidence).model_copy(update={"identity": identity, "dots": seen})
    except ValidationError:
        raise CalibrationError(
            "The correction of these points is out of range.", "Give the points in cm from the camera."
        ) from None


def _from_solution(solution: Solution, evidence: Evidence) -> Calibration:
    if solution.kind == IDENTITY:
        return Calibration(evidence=evidence)
    offset: Pair = (float(solution.offset[0]), float(solution.offset[1]))
    if solution.kind == OFFSET:
        return Calibration(kind="offset", offset=offset, evidence=evidence)
    (a, b), (c, d) = solution.matrix.tolist()
    if solution.terms is None:
        return Calibration(kind="affine", matrix=((a, b), (c, d)), offset=offset, evidence=evidence)
    terms = Terms(
        source="features" if solution.on_features else "quadratic",
        centre=tuple(solution.terms.centre.tolist()), scale=solution.terms.scale,
        weights=tuple((x, y) for x, y in solution.terms.weights.tolist()),
    )  # fmt: skip
    return Calibration(kind="ridge", matrix=((a, b), (c, d)), offset=offset, terms=terms, evidence=evidence)


def _check_points(
    predicted: Floats, true: Floats, features: Floats | None, dots: NDArray[np.generic] | None
) -> None:
    if predicted.ndim != 2 or predicted.shape[1] != 2 or predicted.shape != true.shape:
        raise CalibrationError(
            f"Predicted and true gaze have shapes {list(predicted.shape)} and {list(true.shape)}; "
            "both must be N x 2."
        )
    if features is not None and (features.ndim != 2 or len(features) != len(true) or not features.size):
        raise CalibrationError(f"Features have shape {list(features.shape)}; it must be {len(true)} x F.")
    if dots is not None and dots.shape != (len(true),):
        raise CalibrationError(
            f"Dots have shape {list(dots.shape)}; there must be one per frame ({len(true)})."
        )
    for name, values in (("predicted gaze", predicted), ("true gaze", true), ("features", features)):
        if values is not None and not (np.isfinite(values).all() and (np.abs(values) <= _LARGEST).all()):
            raise CalibrationError(
                f"The {name} holds a value that is not finite or beyond {_LARGEST:g}.",
                "Omit frames without a prediction.",
            )
    count = len(np.unique(true, axis=0)) if dots is None else len(np.unique(dots))
    if count < LEAST_DOTS:
        raise CalibrationError(
            f"{too_few(count, 'dot')} for a calibration; at least {LEAST_DOTS} are needed.",
            "Use 5 dots or more; 9 are a good choice.",
        )
