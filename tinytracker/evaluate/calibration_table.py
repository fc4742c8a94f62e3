"""The gain from calibration: error on a person's remaining dots against the number of calibration dots.

As in the literature (Krafka et al., "Eye Tracking for Everyone", CVPR 2016, section 5.3), the people are not in the
training data. 13 of each person's dots, spread over the area the person looked at, are used for calibration, and fits
on fewer dots use the first of them; errors are measured on all other dots, which are the same for each number. This
is repeated with different dots and averaged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.errors import CalibrationError, UsageError
from tinytracker.evaluate import EvaluationTarget, open_target
from tinytracker.evaluate.calibration import LEAST_DOTS, METHODS, fit
from tinytracker.evaluate.metrics import Frames, frame_errors, subject_bootstrap
from tinytracker.files import StrPath, write_json
from tinytracker.progress import bar
from tinytracker.requirements import require_tensorflow
from tinytracker.runs import SCHEMA_VERSION, provenance

DOTS = (5, 9, 13)
REPEATS = 10
_LEAST_TEST_DOTS = 5


@dataclass(frozen=True)
class CalibrationTable:
    """Errors by method and number of dots.

    Attributes:
        model, split, data_hash: the evaluated model and data.
        content: JSON object; see `calibration_table`.
        path: JSON file with the table, or None when the model is not in a run.
    """

    model: str
    split: str
    data_hash: str
    content: dict[str, Any]
    path: Path | None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "schema_version": SCHEMA_VERSION, "model": self.model, "split": self.split,
            "data_hash": self.data_hash, **self.content,
        }  # fmt: skip


def evaluate_calibration(
    target: StrPath,
    data: StrPath | None = None,
    split: str = "test",
    model: str = "float",
    preset: str | None = None,
    dots: Sequence[int] = DOTS,
    repeats: int = REPEATS,
    seed: int = 0,
) -> CalibrationTable:
    """Predict a split and measure the gain from calibration on it.

    For a model of a run, the result is stored in `RUN/evaluation/<model>-<split>-calibration.json`.

    Args:
        target: a run folder, or a .tflite file.
        data: prepared data; None for that of the run.
        split: "train", "val" or "test".
        model: for a run: "float", or the name of a quantized model.
        preset: for a .tflite file outside a run, see `tinytracker.evaluate.evaluate`.
        dots: numbers of calibration dots.
        repeats: number of random choices of dots to average over.
        seed: random seed of the choices.

    Raises:
        UsageError: a number of dots or repeats is out of range.
        CalibrationError: no person in the split has enough dots.
        TinyTrackerError: as raised by `evaluate`.
    """
    target = Path(target)
    data = Path(data) if data is not None else None
    if not dots or min(dots) < LEAST_DOTS or repeats < 1:
        raise UsageError(
            "The number of dots or repeats is out of range.", f"Use at least {LEAST_DOTS} dots and 1 repeat."
        )
    chosen: EvaluationTarget = open_target(target, data, split, model, preset)
    require_tensorflow("evaluation")
    from tinytracker.evaluate.predict import predict_with_features, truth

    frames = truth(chosen.index, split)
    predicted, features = predict_with_features(chosen.model, chosen.index, split, chosen.input)
    content = calibration_table(predicted, frames, features, sorted(set(dots)), repeats, seed)
    path = chosen.run.evaluation(model, f"{split}-calibration") if chosen.run else None
    result = CalibrationTable(chosen.kind, split, chosen.index.data_sha256, content, path)
    if path is not None:
        write_json(path, result.as_json() | provenance())
    return result


def calibration_table(
    predicted: Floats,
    frames: Frames,
    features: Floats | None,
    dots: Sequence[int],
    repeats: int,
    seed: int = 0,
) -> dict[str, Any]:
    """Compute the errors with and without calibration on dots that were not used for it.

    Args:
        predicted: (N, 2) cm.
        frames: ground truth and origin.
        features: (N, F) penultimate activations, or None.
        dots: numbers of calibration dots, increasing.
        repeats: number of random choices of dots per person.
        seed: random seed of the choices.

    Returns:
        A JSON object: `subjects` (and `left_out`, those with too few dots), `test_frames` per choice on average,
        `before_cm`, and `rows` with method, dots, error_cm, ci95_cm over subjects, change (relative, of the mean
        error), change_ci95, worse (share of subjects whose error increased by more than 1 %) and kinds (how often
        each kind of correction was chosen).

    Raises:
        CalibrationError: no person has enough dots.
    """
    subjects = np.unique(frames.subject)
    rng = np.random.default_rng(seed)
    people = []
    with bar("calibrate", len(subjects), "subjects") as advance:
        for subject in subjects:
            mine = frames.subject == subject
            if len(np.unique(frames.dot[mine])) >= max(dots) + _LEAST_TEST_DOTS:
                own = None if features is None else features[mine]
                person = _Person(predicted[mine], frames.gaze[mine], own, frames.dot[mine])
                people.append(_try_all(person, dots, repeats, rng))
            advance(1)
    if not people:
        raise CalibrationError(
            f"None of the {len(subjects)} people in this split has {max(dots) + _LEAST_TEST_DOTS} dots "
            f"({max(dots)} for calibration, {_LEAST_TEST_DOTS} for testing).",
            "Use data with more dots per person, or fewer calibration dots with --dots.",
        )
    before = np.array([p.before for p in people])
    return {
        "subjects": len(people), "left_out": len(subjects) - len(people), "repeats": repeats, "seed": seed,
        "test_frames": float(np.mean([p.test_frames for p in people])),
        "features": 0 if features is None else int(features.shape[1]),
        "before_cm": float(before.mean()),
        "rows": [_row(cell, before, people) for cell in people[0].after],
    }  # fmt: skip


@dataclass(frozen=True)
class _Person:
    """Frames of one person: predicted and true gaze (n, 2), features (n, F) or None, dots (n,)."""

    predicted: Floats
    true: Floats
    features: Floats | None
    dot: NDArray[np.int64]

    def part(self, chosen: NDArray[np.bool_]) -> _Person:
        features = None if self.features is None else self.features[chosen]
        return _Person(self.predicted[chosen], self.true[chosen], features, self.dot[chosen])


@dataclass(frozen=True)
class _Tried:
    """Mean errors of one person over all choices of dots: before, after by (method, dots), kinds by (method, dots)."""

    test_frames: float
    before: float
    after: dict[tuple[str, int], float]
    kinds: dict[tuple[str, int], Counter[str]]


def _try_all(person: _Person, dots: Sequence[int], repeats: int, rng: np.random.Generator) -> _Tried:
    cells = [(method, k) for method in METHODS for k in dots]
    kinds: dict[tuple[str, int], Counter[str]] = {cell: Counter() for cell in cells}
    before, after, tested = 0.0, dict.fromkeys(cells, 0.0), 0
    for _ in range(repeats):
        order = spread_dots(person.true, person.dot, max(dots), rng)
        test = person.part(~np.isin(person.dot, order))
        tested += len(test.true)
        before += float(frame_errors(test.predicted, test.true).mean())
        for method, k in cells:
            known = person.part(np.isin(person.dot, order[:k]))
            found = fit(known.predicted, known.true, known.features, method, known.dot)
            corrected = found.apply(test.predicted, test.features)
            after[method, k] += float(frame_errors(corrected, test.true).mean())
            kinds[method, k][found.kind] += 1
    return _Tried(tested / repeats, before / repeats, {cell: e / repeats for cell, e in after.items()}, kinds)


def _row(cell: tuple[str, int], before: Floats, people: list[_Tried]) -> dict[str, Any]:
    names = np.arange(len(people)).astype(str)
    after = np.array([p.after[cell] for p in people])
    low, high = subject_bootstrap(after - before, names)
    kinds = sum((p.kinds[cell] for p in people), Counter[str]())
    return {
        "method": cell[0], "dots": cell[1], "error_cm": float(after.mean()),
        "ci95_cm": list(subject_bootstrap(after, names)),
        "change": float((after - before).mean() / before.mean()),
        "change_ci95": [float(low / before.mean()), float(high / before.mean())],
        "worse": float((after > 1.01 * before).mean()),
        "kinds": dict(sorted(kinds.items())),
    }  # fmt: skip


def spread_dots(
    gaze: Floats, dot: NDArray[np.int64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose `count` dots, spread like a calibration pattern: each is the one farthest from those before it.

    Args:
        gaze: (n, 2) cm of one person's frames.
        dot: (n,) dot of each frame.
        count: number of dots, at most as many as there are.
        rng: chooses the first dot.
    """
    numbers, first = np.unique(dot, return_index=True)
    places = gaze[first]
    chosen = [int(rng.integers(len(numbers)))]
    distance = np.linalg.norm(places - places[chosen[0]], axis=1)
    while len(chosen) < count:
        distance[chosen] = -1.0
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return numbers[chosen]
