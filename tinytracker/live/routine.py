"""The calibration routine: one dot after the other, what the network answers meanwhile, and the fit at the end.

Time is given, not taken, so that the same frames always give the same calibration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinytracker.errors import CalibrationError
from tinytracker.evaluate.calibration import Calibration, fit
from tinytracker.evaluate.calibration_identity import Identity
from tinytracker.live.screen import Point, Screen, calibration_dots

SETTLE_S = 1.0
"""From a dot's appearing until the eye rests on it: the dot moves, the eye follows, and jumps once more."""

LOOK_S = 1.2
LEAST_FRAMES = 5
"""With a slow board, a dot takes longer rather than getting fewer frames."""


@dataclass
class Routine:
    """A calibration that runs.

    Attributes:
        screen: the dots lie on it.
        places: of the dots, as shares of width and height.
        began_s: when the present dot appeared.
    """

    screen: Screen
    places: list[Point]
    began_s: float
    _answers: list[list[Point]] = field(default_factory=lambda: [[]])

    @classmethod
    def start(cls, screen: Screen, count: int, now_s: float) -> Routine:
        """Show the first of `count` dots.

        Raises:
            UsageError: another count than 5, 9 or 13.
        """
        return cls(screen, calibration_dots(count), now_s)

    @property
    def index(self) -> int:
        """Number of the present dot, from 0."""
        return len(self._answers) - 1

    @property
    def dot_cm(self) -> Point:
        """Where the present dot is."""
        return self.screen.at(*self.places[self.index])

    def take(self, gaze_cm: Point | None, now_s: float) -> bool:
        """A frame arrived: the network's own answer, not corrected, or None when it has none.

        Returns:
            True when it was the last one needed.
        """
        looking_s = now_s - self.began_s - SETTLE_S
        if looking_s < 0:
            return False
        frames = self._answers[-1]
        if gaze_cm is not None:
            frames.append(gaze_cm)
        if looking_s < LOOK_S or len(frames) < LEAST_FRAMES:
            return False
        if self.index == len(self.places) - 1:
            return True
        self._answers.append([])
        self.began_s = now_s
        return False

    def finish(self, identity: Identity | None = None) -> Calibration:
        """The correction that these dots show.

        Args:
            identity: network, board and person.

        Raises:
            CalibrationError: not all dots have been looked at, or no calibration fits them.
        """
        if len(self._answers) < len(self.places):
            raise CalibrationError(f"Only {self.index} of {len(self.places)} dots have been looked at.")
        dots = np.repeat(np.arange(len(self.places)), [len(frames) for frames in self._answers])
        true = np.array([self.screen.at(*place) for place in self.places])[dots]
        answers = np.array([p for frames in self._answers for p in frames])
        return fit(answers, true, dots=dots, identity=identity)

    def as_json(self, now_s: float) -> dict[str, Any]:
        """For the page: where the dot is, and how far the present one has come (0 to 1)."""
        across, down = self.places[self.index]
        looking_s = now_s - self.began_s - SETTLE_S
        frames = len(self._answers[-1])
        return {
            "state": "running", "dot": self.index, "dots": len(self.places), "across": across, "down": down,
            "settled": looking_s >= 0,
            "progress": round(min(max(looking_s / LOOK_S, 0.0), frames / LEAST_FRAMES, 1.0), 3),
        }  # fmt: skip
