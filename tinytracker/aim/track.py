"""One tracked pair of eyes: place, movement, width and how far they can be trusted, in integers.

An alpha-beta-gamma filter: each frame the place moves on by the speed and the speed by the acceleration, then a
measurement corrects all three. Such a filter does not lag behind a steady movement, whatever its gains. Heads turn
back: between two frames the acceleration changes against the speed, as in a swing. Measured on simulated heads, that
halves the error of looking three frames ahead (docs/aim.md). The running mean of the corrections says how well the
filter predicts, and shrinks the prediction: a head at rest is not chased after its own noise.
deploy/common/tt_track.c is the same in C.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinytracker.aim.answer import AimAnswer
from tinytracker.aim.fixed import Q4, Q8, Q12, divided, exp_q16, length, limited
from tinytracker.aim.region import REACH_PX, Region

SUB = Q8 // Q4
"""Tracks count in Q8 px, regions in Q4 px."""

PLACE_GAIN = 143  # of 256: share of a correction that goes to the place
SPEED_GAIN = 63  # of 256: to the speed, per frame
TURN_GAIN = 3  # of 256: to the acceleration, per frame²
TURN_KEPT = 230  # of 256: what is left of the acceleration in the next frame
SWING = 11  # of 256: how much of the speed the acceleration loses per frame
WIDTH_GAIN = 64  # of 256: widths are smoothed more than places
ERROR_GAIN = 64  # of 256: of the running mean of corrections
DOUBT = 96  # of 256: share of that mean which a speed must exceed to be believed
FIRST_ERROR = 51  # of 256 widths: the mean before the first correction
JUMP = 345  # of 256: a width that changed by more than this factor (1.35) is taken as it is
FASTEST = 64  # of 256 widths per frame
HARDEST = 16  # of 256 widths per frame²
SPEED_KEPT = 192  # of 256: what is left of the speed after each frame without eyes
OPENING = 384  # of 256: the crop opens by 1.5 times the way that the head moves meanwhile, in widths,
FREE = 100  # of 256: less this
WIDEST_OPENING = 461  # of 256: but not beyond 1.8 times


@dataclass(frozen=True)
class Sight:
    """A strip as an answer places it in the frame: centre and width in Q8 px."""

    x: int
    y: int
    width: int


def sight(answer: AimAnswer, region: Region) -> Sight:
    """Return the strip that an answer means: the answer is in widths of the region on which it was computed."""
    far, unit = REACH_PX * Q4, 2 * Q12
    width = SUB * limited(region.width, Q4, far)
    x = SUB * limited(region.x, -far, far) + divided(limited(answer.dx, -unit, unit) * width, Q12)
    y = SUB * limited(region.y, -far, far) + divided(limited(answer.dy, -unit, unit) * width, Q12)
    return Sight(x, y, divided(exp_q16(answer.ln_scale) * width, Q8 * Q8))


@dataclass
class Track:
    """A tracked strip.

    Attributes:
        x, y: centre now, Q8 px. width: Q8 px.
        vx, vy: speed, Q8 px per frame. ax, ay: acceleration, Q8 px per frame².
        error: running mean of the corrections, Q8 px.
    """

    x: int
    y: int
    width: int
    vx: int = 0
    vy: int = 0
    ax: int = 0
    ay: int = 0
    error: int = 0

    @classmethod
    def begin(cls, seen: Sight) -> Track:
        """Return a track that was seen once: it does not move."""
        return cls(seen.x, seen.y, seen.width, error=divided(FIRST_ERROR * seen.width, Q8))

    def step(self) -> None:
        """Move on by one frame."""
        self.x += self.vx + divided(self.ax, 2)
        self.y += self.vy + divided(self.ay, 2)
        turn_x, turn_y = self.ax, self.ay
        self.ax = divided(TURN_KEPT * self.ax - SWING * self.vx, Q8)
        self.ay = divided(TURN_KEPT * self.ay - SWING * self.vy, Q8)
        self.vx += turn_x
        self.vy += turn_y

    def advance(self, frame_width: int, frame_height: int) -> None:
        """Move on by one frame, but not out of the picture (its sides in px)."""
        self.step()
        self.x = limited(self.x, 0, Q8 * frame_width)
        self.y = limited(self.y, 0, Q8 * frame_height)

    def distance(self, seen: Sight) -> int:
        """Return about how far a sight lies from the track, in 1/256 of the track's width."""
        return divided(Q8 * length(seen.x - self.x, seen.y - self.y), self.width)

    def correct(self, seen: Sight) -> None:
        """Take a measurement of this frame into account."""
        dx, dy = seen.x - self.x, seen.y - self.y
        fastest, hardest = divided(FASTEST * self.width, Q8), divided(HARDEST * self.width, Q8)
        self.x += divided(PLACE_GAIN * dx, Q8)
        self.y += divided(PLACE_GAIN * dy, Q8)
        self.vx = limited(self.vx + divided(SPEED_GAIN * dx, Q8), -fastest, fastest)
        self.vy = limited(self.vy + divided(SPEED_GAIN * dy, Q8), -fastest, fastest)
        self.ax = limited(self.ax + divided(TURN_GAIN * dx, Q8), -hardest, hardest)
        self.ay = limited(self.ay + divided(TURN_GAIN * dy, Q8), -hardest, hardest)
        self.error += divided(ERROR_GAIN * (length(dx, dy) - self.error), Q8)
        jumps = Q8 * seen.width > JUMP * self.width or Q8 * self.width > JUMP * seen.width
        self.width += divided((Q8 if jumps else WIDTH_GAIN) * (seen.width - self.width), Q8)

    def coast(self) -> None:
        """A frame without eyes: the movement is believed less and less."""
        self.vx = divided(SPEED_KEPT * self.vx, Q8)
        self.vy = divided(SPEED_KEPT * self.vy, Q8)
        self.ax = self.ay = 0

    def ahead(self, frames: int, opening: int = Q8) -> Sight:
        """Return the crop that will show the strip after `frames` frames.

        Args:
            frames: from the frame of the last measurement to the frame that the crop is for.
            opening: factor on the width, in 1/256.

        A gaze is most precise in a crop as wide as the strip, so small movements do not open it. The strip is three
        times as wide as high, so movement downwards counts three times.
        """
        later = replace(self)
        for _ in range(frames):
            later.step()
        trust = _trust(length(self.vx, self.vy), divided(DOUBT * self.error, Q8))
        right, down = divided(trust * (later.x - self.x), Q8), divided(trust * (later.y - self.y), Q8)
        moved = divided(OPENING * length(right, 3 * down), self.width)
        wider = Q8 + max(moved - FREE, 0)
        opened = limited(divided(wider * opening, Q8), Q8, max(WIDEST_OPENING, opening))
        return Sight(self.x + right, self.y + down, divided(opened * self.width, Q8))


def _trust(size: int, error: int) -> int:
    """Return the share of a movement to believe: size² / (size² + error²), in 1/256."""
    return divided(Q8 * size * size, size * size + error * error + 1)
