"""Which frames of a dot are kept, and why the others are not."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tinytracker.collect.eyes import Sight

SETTLE_S = 0.6
"""From a dot's appearing until the eyes rest on it: 0.2 s until they start, a jump, a second small one (GazeCapture's
app waits 0.5 s), and some time that the camera takes."""

DARK = 25.0
"""Mean brightness of the part around the eyes below which they cannot be seen, 0 to 255."""

SMALLEST_STRIP_PX = 60
"""Narrower strips have too few pixels per iris."""

SHUT = 0.6
"""Eyes are shut when their openness is below this share of the person's usual one."""
UNKNOWN_SHUT = 0.4
"""The same while the usual one is not known."""
_USUAL_FRAMES = 120
_USUAL_LEAST = 10

ASIDE_CM = 6.0
"""A frame whose gaze is this far from the median of its dot shows a look elsewhere."""

LEAST_FRAMES = 2
"""A dot with fewer frames is shown again."""


class LeftOut(str, Enum):
    """Why a frame is not kept."""

    BEFORE = "before the eyes arrived"
    BLINK = "eyes shut"
    NO_EYES = "no eyes"
    DARK = "too dark"
    FAR = "too far away"
    ASIDE = "looked elsewhere"
    WRONG_LETTER = "wrong letter"
    NO_LETTER = "no letter"
    SCREEN = "the screen changed"
    FEW = "too few frames of its dot"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Taken:
    """A frame of the dot that is shown.

    Attributes:
        jpeg: as the camera gave it. width, height: px. captured_s: time, s.
        sight: what was seen in it. reason: why it is left out; None while it counts.
        clock_ms, region, board_gaze_cm: of a board's frame; see `tinytracker.data.sitting.SeenFrame`.
    """

    jpeg: bytes
    width: int
    height: int
    captured_s: float
    sight: Sight
    reason: LeftOut | None = None
    clock_ms: float | None = None
    region: tuple[float, float, float, float] | None = None
    board_gaze_cm: tuple[float, float] | None = None


class Lids:
    """How open this person's eyes usually are; learned from the frames that are kept."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=_USUAL_FRAMES)

    def are_shut(self, openness: float) -> bool:
        """Whether the eyes of a frame are shut."""
        if len(self._seen) < _USUAL_LEAST:
            return openness < UNKNOWN_SHUT
        return openness < SHUT * float(np.median(self._seen))

    def learn(self, openness: float) -> None:
        """Take a frame with open eyes."""
        self._seen.append(openness)


def judge_frame(sight: Sight, since_s: float, lids: Lids) -> LeftOut | None:
    """Return why a frame is left out whatever the others of its dot are; None when it counts.

    Args:
        sight: what was seen in it.
        since_s: from the dot's appearing to the frame.
        lids: of this person.
    """
    if since_s < SETTLE_S:
        return LeftOut.BEFORE
    if sight.light < DARK:
        return LeftOut.DARK
    if sight.strip is None:
        return LeftOut.NO_EYES
    if sight.strip[2] < SMALLEST_STRIP_PX:
        return LeftOut.FAR
    return LeftOut.BLINK if lids.are_shut(sight.openness) else None


def aside(frames: Sequence[Taken]) -> list[bool]:
    """Return which frames of a dot show a look elsewhere than most of them."""
    gaze = np.array([f.sight.gaze_cm for f in frames if f.sight.gaze_cm is not None], np.float64)
    if len(gaze) < 3:
        return [False] * len(frames)
    away: list[bool] = (np.linalg.norm(gaze - np.median(gaze, axis=0), axis=1) > ASIDE_CM).tolist()
    return away


ATTENTION_DOTS = 12
_FOLLOWS, _SLOPE = 0.3, 0.25
"""Least correlation with the dots, and least cm of the gaze per cm of the dots."""


class Attention:
    """Whether the network's gaze goes where the dots go: that of a person who looks elsewhere does not."""

    def __init__(self) -> None:
        self._dots: deque[tuple[float, float, float, float]] = deque(maxlen=ATTENTION_DOTS)

    def add(self, dot_cm: tuple[float, float], gaze_cm: tuple[float, float]) -> None:
        """Take a dot that was kept, and the median of its gaze."""
        self._dots.append((*dot_cm, *gaze_cm))

    def follows(self) -> bool | None:
        """Return whether the gaze follows the last dots; None while there are too few."""
        if len(self._dots) < ATTENTION_DOTS:
            return None
        rows = np.array(self._dots)
        axis = int(rows[:, :2].std(0).argmax())  # the screen's longer side
        dot, gaze = rows[:, axis], rows[:, 2 + axis]
        if dot.std() == 0 or gaze.std() == 0:
            return False
        correlation = float(np.corrcoef(dot, gaze)[0, 1])
        return correlation > _FOLLOWS and bool(correlation * gaze.std() / dot.std() > _SLOPE)
