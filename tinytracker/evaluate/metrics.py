"""Errors in centimetres, as defined in the gaze literature, with confidence intervals and a baseline.

Error of a frame: Euclidean distance in cm between predicted and true gaze. Error of a dot: the predictions of all
frames of one dot are averaged first (Krafka et al., "Eye Tracking for Everyone", CVPR 2016, section 5.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tinytracker.arrays import Floats
from tinytracker.documents import Part
from tinytracker.evaluate.traits import groups_of

_BOOTSTRAP_ROUNDS = 2000


class ErrorNumbers(Part):
    """Errors of some frames, cm.

    Attributes:
        frames, subjects: their numbers.
        error_cm: mean over frames. median_cm: median over frames. dot_error_cm: mean over dots, frames averaged first.
        ci95_cm: 95 % interval of `error_cm` over subjects.
        constant_cm: mean error of the constant predictor on the same frames.
    """

    frames: int
    subjects: int
    error_cm: float
    median_cm: float
    dot_error_cm: float
    ci95_cm: tuple[float, float]
    constant_cm: float


class Headline(Part):
    """The errors that a package shows: over all frames, and by device family."""

    overall: ErrorNumbers
    by_family: dict[str, ErrorNumbers]


class Errors(Headline):
    """All errors of one model: over all frames, and by device family, orientation, device and subject.

    Attributes:
        by_trait: by kind of person and picture, where that is known: for each trait the errors of its groups.
    """

    by_orientation: dict[str, ErrorNumbers]
    by_device: dict[str, ErrorNumbers]
    by_subject: dict[str, ErrorNumbers]
    by_trait: dict[str, dict[str, ErrorNumbers]] = Field(default_factory=dict)

    @property
    def headline(self) -> Headline:
        """The part that a package shows."""
        return Headline(overall=self.overall, by_family=self.by_family)


@dataclass(frozen=True)
class Frames:
    """Ground truth and origin of N evaluated frames.

    Attributes:
        gaze: (N, 2) cm.
        subject, device, family: (N,) str.
        orientation, dot: (N,) int; a dot is one target shown to one subject.
    """

    gaze: Floats
    subject: NDArray[np.str_]
    device: NDArray[np.str_]
    family: NDArray[np.str_]
    orientation: NDArray[np.int64]
    dot: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.gaze)


def frame_errors(predicted: Floats, gaze: Floats) -> Floats:
    """Return the Euclidean distance in cm, (N,), of predictions (N, 2) from the truth (N, 2)."""
    distance: Floats = np.linalg.norm(predicted - gaze, axis=1)
    return distance


def dot_errors(predicted: Floats, frames: Frames) -> Floats:
    """Return the error per (subject, dot), in cm, after averaging predictions and truth over its frames."""
    _, group = np.unique(np.stack([frames.subject, frames.dot.astype(str)]), axis=1, return_inverse=True)
    group = np.ravel(group)
    count = np.bincount(group)

    def averaged(values: Floats) -> Floats:
        return np.stack([np.bincount(group, values[:, i]) / count for i in (0, 1)], -1)

    return frame_errors(averaged(predicted), averaged(frames.gaze))


def subject_bootstrap(errors: Floats, subject: NDArray[np.str_], seed: int = 0) -> tuple[float, float]:
    """Return the 95 % confidence interval of the mean over frames, by resampling whole subjects with replacement.

    Frames of one person are not independent; resampling frames would give an interval that is far too narrow.
    """
    _, group = np.unique(subject, return_inverse=True)
    total, count = np.bincount(group, errors), np.bincount(group)
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(count), size=(_BOOTSTRAP_ROUNDS, len(count)))
    means = total[draws].sum(1) / count[draws].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def summarize(
    predicted: Floats,
    frames: Frames,
    constant: tuple[float, float],
    people: Mapping[str, Mapping[str, Any]] | None = None,
) -> Errors:
    """Compute all errors of one model, and those of the constant predictor.

    Args:
        predicted: (N, 2) cm.
        frames: ground truth and origin.
        constant: output of the constant predictor in cm: the mean of the training labels.
        people: attributes of subjects by name, where they are known.
    """
    errors = frame_errors(predicted, frames.gaze)
    blind = frame_errors(np.broadcast_to(np.asarray(constant), frames.gaze.shape), frames.gaze)

    def numbers(chosen: NDArray[np.bool_]) -> ErrorNumbers:
        part = Frames(*(getattr(frames, name)[chosen] for name in Frames.__dataclass_fields__))
        return ErrorNumbers(
            frames=len(part),
            subjects=len(np.unique(part.subject)),
            error_cm=float(errors[chosen].mean()),
            median_cm=float(np.median(errors[chosen])),
            dot_error_cm=float(dot_errors(predicted[chosen], part).mean()),
            ci95_cm=subject_bootstrap(errors[chosen], part.subject),
            constant_cm=float(blind[chosen].mean()),
        )

    def split_by(values: NDArray[Any]) -> dict[str, ErrorNumbers]:
        return {str(v): numbers(values == v) for v in np.unique(values) if str(v)}

    groups = groups_of(people or {}, frames.subject)
    traits = {"by_trait": {name: split_by(values) for name, values in groups.items()}} if groups else {}
    return Errors(
        overall=numbers(np.ones(len(frames), bool)),
        by_family=split_by(frames.family),
        by_orientation=split_by(frames.orientation),
        by_device=split_by(frames.device),
        by_subject=split_by(frames.subject),
        **traits,
    )
