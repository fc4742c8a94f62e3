"""What every candidate predicts for the frames of each split, and how far off it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.adapt.comparing import choose, gain, is_withdrawn
from tinytracker.adapt.document import BUNDLED, CALIBRATED, CANDIDATES, Candidate
from tinytracker.arrays import Floats

if TYPE_CHECKING:
    from tinytracker.adapt.frames import SplitFrames


@dataclass
class Scores:
    """Predictions and times of the candidates.

    Attributes:
        frames: by split. predicted: gaze (N, 2) cm by candidate and split; NaN where a calibration was made of a frame.
        seconds: of work by candidate.
    """

    frames: Mapping[str, SplitFrames]
    predicted: dict[str, Mapping[str, Floats]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def known(self, split: str) -> tuple[dict[str, Floats], NDArray[np.int64]]:
        """Errors (n,) of all candidates, and the clusters, of the frames that no calibration was made of."""
        frames = self.frames[split]
        errors = {
            name: np.linalg.norm(predicted[split] - frames.gaze, axis=1)
            for name, predicted in self.predicted.items()
        }
        known = np.isfinite(np.stack(list(errors.values()))).all(0)
        return {name: e[known] for name, e in errors.items()}, frames.clusters[known]

    def error(self, name: str, split: str) -> float:
        """Return a candidate's mean error on a split, cm."""
        return float(self.known(split)[0][name].mean())

    def decide(self, eligible: tuple[str, ...]) -> tuple[str, str]:
        """Return the candidate to keep, and the one that was chosen but is taken back; "" for none.

        Args:
            eligible: see `choose`.
        """
        chosen = choose(*self.known("val"), eligible)
        row = next(row for row in self.candidates() if row.name == chosen)
        measured = row.gain_on_measuring_frames
        if measured is not None and is_withdrawn(measured, row.fresh_gain):
            return BUNDLED, chosen
        return chosen, ""

    def candidates(self) -> tuple[Candidate, ...]:
        """Return the rows of the comparison."""
        rows = []
        (val, val_dots), (test, test_dots) = self.known("val"), self.known("test")
        for name in CANDIDATES:
            others = [other for other in (BUNDLED, CALIBRATED) if other != name]
            row: dict[str, Any] = {
                "name": name, "val_cm": round(float(val[name].mean()), 4),
                "test_cm": round(float(test[name].mean()), 4),
                "test_gains": tuple(gain(o, test[name], test[o], test_dots) for o in others),
                "seconds": round(self.seconds[name], 1),
            }  # fmt: skip
            if name != BUNDLED:
                row["val_gain"] = gain(BUNDLED, val[name], val[BUNDLED], val_dots)
            rows.append(Candidate(**row | self._with_fresh_dots(name)))
        return tuple(rows)

    def _with_fresh_dots(self, name: str) -> dict[str, Any]:
        """Measure a network that is calibrated each time, as `live` does, on the frames that decided nothing."""
        from tinytracker.adapt.nine_dots import with_fresh_dots

        if name == CALIBRATED:  # is calibrated already, and unknown where that was learned from
            return {}
        frames = self.frames["test"]
        mine, bundled = (
            np.linalg.norm(with_fresh_dots(self.predicted[n]["test"], frames) - frames.gaze, axis=1)
            for n in (name, BUNDLED)
        )
        known = np.isfinite(mine)
        if not known.any():
            return {}
        row: dict[str, Any] = {"fresh_cm": round(float(mine[known].mean()), 4)}
        if name != BUNDLED:
            row["fresh_gain"] = gain(BUNDLED, mine[known], bundled[known], frames.clusters[known])
        return row
