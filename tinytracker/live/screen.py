"""The screen that the gaze is shown on, as a rectangle around the camera, and where calibration dots lie on it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

from tinytracker.data.devices import Orientation, all_devices, find_device
from tinytracker.errors import UsageError
from tinytracker.words import counted

Point = tuple[float, float]

OWN = "this screen"
"""Name of a screen that is given by its size."""

DEFAULT_SIZE_CM = (34.0, 19.0)
"""A laptop's screen, with the camera in the middle above it."""

DOT_COUNTS = (5, 9, 13)
_EDGE = 0.1
_INNER = 0.3
_SIZES_CM = (1.0, 500.0)
_GAP_CM = 50.0


@dataclass(frozen=True)
class Screen:
    """A screen in the plane of gaze: cm, origin at the camera, x to the right, y up.

    Attributes:
        name: of the device, or `OWN`.
        orientation: 1 to 4 of a device, None for one's own screen.
        x_min, y_min, x_max, y_max: edges.
    """

    name: str
    orientation: int | None
    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def at(self, across: float, down: float) -> Point:
        """The point at a share of the width from the left and of the height from the top."""
        return (
            self.x_min + across * (self.x_max - self.x_min),
            self.y_max - down * (self.y_max - self.y_min),
        )

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """x_min, y_min, x_max, y_max."""
        return self.x_min, self.y_min, self.x_max, self.y_max

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        edges = [self.x_min, self.y_min, self.x_max, self.y_max]
        return {"name": self.name, "orientation": self.orientation, "edges": [round(e, 4) for e in edges]}


def screen_of_device(name: str, orientation: int = 1) -> Screen:
    """The screen of one of GazeCapture's devices or of one's own.

    Raises:
        UnknownNameError: no such device.
        UsageError: the orientation is not 1 to 4.
    """
    device = find_device(name)
    if orientation not in list(Orientation):
        raise UsageError(f"Orientation {orientation} does not exist.", "Orientations are 1 (upright) to 4.")
    return Screen(device.name, int(orientation), *device.screen_rectangle_cm(orientation))


def own_screen(width_cm: float, height_cm: float, gap_cm: float = 0.0, across_cm: float = 0.0) -> Screen:
    """A screen below a camera that sits above the middle of its upper edge.

    Args:
        width_cm: of what lights up.
        height_cm: likewise.
        gap_cm: from the camera's centre down to the upper edge; negative when the camera is below it.
        across_cm: from the screen's middle to the right to the camera's centre.

    Raises:
        UsageError: a size is out of range.
    """
    low, high = _SIZES_CM
    for name, value in (("width", width_cm), ("height", height_cm)):
        if not (math.isfinite(value) and low <= value <= high):
            raise UsageError(
                f"A screen's {name} of {value:g} cm is out of range.", f"It must be {low:g} to {high:g} cm."
            )
    if not (math.isfinite(gap_cm) and abs(gap_cm) <= _GAP_CM + high):
        raise UsageError(f"A camera {gap_cm:g} cm above the screen is out of range.")
    if not (math.isfinite(across_cm) and abs(across_cm) <= _GAP_CM + high / 2):
        raise UsageError(f"A camera {across_cm:g} cm beside the screen's middle is out of range.")
    left, right = -width_cm / 2 - across_cm, width_cm / 2 - across_cm
    return Screen(OWN, None, left, -gap_cm - height_cm, right, -gap_cm)


def device_names() -> list[str]:
    """For the page's choice, phones first."""
    known = all_devices()
    return sorted(known, key=lambda name: (known[name].family, name))


def calibration_dots(count: int, seed: int = 0) -> list[Point]:
    """Places on a screen, as shares of its width from the left and of its height from the top.

    The middle comes first; the others follow in an order that the eye cannot foresee but that is always the same.

    Raises:
        UsageError: the count is not 5, 9 or 13.
    """
    if count not in DOT_COUNTS:
        raise UsageError(
            f"A calibration with {counted(count, 'dot')} is not available.", "Choose 5, 9 or 13."
        )
    near, far = _EDGE, 1 - _EDGE
    places = [(near, near), (far, near), (near, far), (far, far)]
    if count > 5:
        places += [(0.5, near), (near, 0.5), (far, 0.5), (0.5, far)]
    if count > 9:
        low, high = _INNER, 1 - _INNER
        places += [(low, low), (high, low), (low, high), (high, high)]
    random.Random(seed).shuffle(places)
    return [(0.5, 0.5), *places]
