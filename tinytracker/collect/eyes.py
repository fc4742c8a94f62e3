"""Where the eyes are in each whole frame, found by the network with an aim, and how that frame looks.

The controller of `tinytracker.aim` follows the face from frame to frame. As the whole frame is here, the network looks
at it again where its own answer says that the strip lies, until the strip stays: the marks that are recorded carry less
noise than those of a device, which has one look per frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinytracker.aim.controller import Controller, State
from tinytracker.aim.cutting import Box, cut
from tinytracker.aim.finding import view_box
from tinytracker.arrays import Pixels
from tinytracker.data.eye_marks import STRIP_ASPECT, STRIP_PER_EYE_DISTANCE
from tinytracker.data.inputs import REFERENCE_CROP
from tinytracker.live.webcam_finder import Finder
from tinytracker.live.webcam_network import AimedNetwork

Strip = tuple[float, float, float]
"""Centre x, y and width, px of the frame."""

LOOKS = 4
"""Looks at one frame until there are eyes."""
REFINED = 2
"""Looks at the strip itself, once the eyes are followed."""
_Q12 = 4096
_HALF_EYES = 0.5 / STRIP_PER_EYE_DISTANCE
_EYE_HALF_WIDTH, _EYE_HALF_HEIGHT = 0.075, 0.05  # of the strip's width


@dataclass(frozen=True)
class Sight:
    """What was seen in one frame.

    Attributes:
        state: "searching", "following" or "lost".
        strip: with both eyes; None without eyes.
        roll: of the line through the eyes, rad, positive when the eye on the right of the picture is lower.
        gaze_cm: the network's own answer, not corrected; None without eyes.
        light: mean brightness around the eyes, or of the frame without eyes, 0 to 255.
        openness: how much the darkest part of both eyes stands out, 0 to 1; smaller when they are shut.
    """

    state: str
    strip: Strip | None = None
    roll: float = 0.0
    gaze_cm: tuple[float, float] | None = None
    light: float = 0.0
    openness: float = 0.0


class Watcher:
    """Follows the eyes of one person through whole frames.

    Args:
        network: with an aim.
        finder: for the first look; None when there is none, and the aim searches alone.
    """

    def __init__(self, network: AimedNetwork, finder: Finder | None = None) -> None:
        self._network, self._finder = network, finder
        self._size = (0, 0)
        self._controller = Controller(1, 1)

    def look(self, pixels: Pixels, near: Strip | None = None) -> Sight:
        """Look at the next frame.

        Args:
            pixels: uint8 RGB (h, w, 3).
            near: where another network has seen the strip, if it has; then nothing is searched.
        """
        if near is not None:
            return self._refined(pixels, near, State.FOLLOWING.name.lower())
        height, width = pixels.shape[:2]
        if (width, height) != self._size:
            self._size, self._controller = (width, height), Controller(width, height)
        found = None
        for _ in range(LOOKS):
            found = self._follow(pixels)
            if found is not None:
                break
        state = State(self._controller.state).name.lower()
        if found is None:
            return Sight(state, light=float(pixels[::8, ::8].mean()))
        return self._refined(pixels, found, state)

    def _follow(self, pixels: Pixels) -> Strip | None:
        """Take one look as a device does; returns the strip when there were eyes."""
        width, height = self._size
        controller = self._controller
        if self._finder is not None and controller.wants_finder:
            controller.found(self._finder.find(pixels, view_box(width, height), width, height))
        region = controller.region
        look = self._network.look(self._cut(pixels, region.box))
        controller.update(look.aim, region)
        if not controller.has_eyes:
            return None
        x, y, w, h = region.box
        return _moved((x + w / 2, y + h / 2, float(w)), look.aim.dx, look.aim.dy, look.aim.ln_scale)

    def _refined(self, pixels: Pixels, strip: Strip, state: str) -> Sight:
        strips = []
        for _ in range(REFINED):
            box = _box(strip)
            picture = self._cut(pixels, box)
            look = self._network.look(picture)
            seen = (box[0] + box[2] / 2, box[1] + box[3] / 2, float(box[2]))
            strip = _moved(seen, look.aim.dx, look.aim.dy, look.aim.ln_scale)
            strips.append(strip)
        x, y, width = np.mean(strips, axis=0).tolist()
        unit = REFERENCE_CROP * max(self._size) / box[2]
        roll = look.aim.roll / _Q12
        return Sight(
            state, (x, y, width), roll, (look.gaze[0] * unit, look.gaze[1] * unit), float(picture.mean()),
            openness(picture, roll),
        )  # fmt: skip

    def _cut(self, pixels: Pixels, box: Box) -> Pixels:
        return cut(pixels, box, self._network.width, self._network.height, 1 if self._network.grey else 3)


def openness(picture: Pixels, roll: float) -> float:
    """Return how much the darkest part of both eyes stands out from the skin around them, 0 to 1.

    Args:
        picture: a strip (height, width, channels).
        roll: of the line through the eyes, rad.
    """
    height, width = picture.shape[:2]
    grey = picture.astype(np.float64).mean(-1)
    found = []
    for side in (-1.0, 1.0):
        x = width * (0.5 + side * _HALF_EYES * math.cos(roll))
        y = height / 2 + side * width * _HALF_EYES * math.sin(roll)
        left, right = (round(x + k * _EYE_HALF_WIDTH * width) for k in (-1, 1))
        top, bottom = (round(y + k * _EYE_HALF_HEIGHT * width) for k in (-1, 1))
        eye = grey[max(top, 0) : bottom, max(left, 0) : right]
        if eye.size == 0:
            return 0.0
        skin = float(np.percentile(eye, 85))
        # An iris is dark over some rows; lashes and the crease of a shut lid over one or two.
        dark = np.sort(eye, axis=0)[: max(eye.shape[0] // 2, 1)].mean(0)
        found.append((skin - float(np.percentile(dark, 15))) / max(skin, 1.0))
    return float(np.clip(np.mean(found), 0.0, 1.0))


def _moved(seen: Strip, dx: int, dy: int, ln_scale: int) -> Strip:
    """Return the strip that an answer in Q12 describes on the crop that it was given for."""
    x, y, w = seen
    return x + w * dx / _Q12, y + w * dy / _Q12, w * math.exp(ln_scale / _Q12)


def _box(strip: Strip) -> Box:
    x, y, width = strip
    w = max(round(width), 3)
    h = max(round(width / STRIP_ASPECT), 1)
    return round(x - w / 2), round(y - h / 2), w, h
