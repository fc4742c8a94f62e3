"""The bundled weights with a calibration of nine dots: what `live` offers without any training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.evaluate.calibration import Calibration, fit

if TYPE_CHECKING:
    from tinytracker.adapt.frames import SplitFrames

DOTS = 9
_SHARES = (0.1, 0.5, 0.9)
_LEFT = 3
"""Dots beside the nine that a sitting must have, so that something is left to measure."""


def nearest_dots(gaze: Floats, dots: NDArray[np.int64]) -> list[int]:
    """Return nine dots of (N,) `dots` at `gaze` (N, 2) cm that lie nearest to the places of a calibration.

    The places are those of `tinytracker.live.screen.calibration_dots` on the area that the dots cover.
    """
    numbers = np.unique(dots)
    place = np.stack([gaze[dots == number][0] for number in numbers])
    low, high = place.min(0), place.max(0)
    chosen: list[int] = []
    for y in _SHARES:
        for x in _SHARES:
            distance = np.linalg.norm(place - (low + np.array([x, y]) * (high - low)), axis=1)
            distance[[i for i, number in enumerate(numbers) if int(number) in chosen]] = np.inf
            if np.isfinite(distance).any():
                chosen.append(int(numbers[distance.argmin()]))
    return chosen


def calibrated(
    predicted: Mapping[str, Floats], frames: Mapping[str, SplitFrames], by: str
) -> tuple[dict[str, Floats], Calibration | None]:
    """Return the predictions after calibration by split, and the calibration.

    With one person ("time"), nine dots of the training frames are used. With several ("people"), each person who is
    held out is calibrated by nine dots of their own, whose frames become NaN; there is no calibration for all then.
    """
    if by == "time":
        calibration = _fit(predicted["train"], frames["train"].gaze, frames["train"].clusters)
        return {split: calibration.apply(gaze) for split, gaze in predicted.items()}, calibration
    found = {"train": predicted["train"]}
    for split, gaze in predicted.items():
        if split != "train":
            corrected = with_fresh_dots(gaze, frames[split])
            part = frames[split]
            few = np.isin(part.subject, [s for s in np.unique(part.subject) if not _can_spare(part, s)])
            found[split] = np.where(few[:, None], gaze, corrected)  # too few dots to spare nine
    return found, None


def with_fresh_dots(predicted: Floats, part: SplitFrames) -> Floats:
    """Return predictions (N, 2) cm after each sitting has been calibrated with nine dots of its own.

    Frames of these dots become NaN: they were learned from. So do those of a sitting with too few other dots.
    """
    corrected = np.full_like(predicted, np.nan)
    for subject in np.unique(part.subject):
        if not _can_spare(part, subject):
            continue
        own = part.subject == subject
        dots = part.clusters[own]
        chosen = np.isin(dots, nearest_dots(part.gaze[own], dots))
        calibration = _fit(predicted[own], part.gaze[own], dots)
        corrected[own] = np.where(chosen[:, None], np.nan, calibration.apply(predicted[own]))
    return corrected


def _can_spare(part: SplitFrames, subject: str) -> bool:
    return len(np.unique(part.dot[part.subject == subject])) >= DOTS + _LEFT


def _fit(predicted: Floats, gaze: Floats, dots: NDArray[np.int64]) -> Calibration:
    chosen = np.isin(dots, nearest_dots(gaze, dots))
    return fit(predicted[chosen], gaze[chosen], dots=dots[chosen])
