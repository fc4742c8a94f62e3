"""The dots that the app shows: blocks of one orientation, fixed and random positions.

In GazeCapture's app the subject turns the device after each block of dots, dots appear at 13 fixed and at random
positions, and frames are kept while the dot pulses (Krafka et al., CVPR 2016, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.data.devices import Device, Orientation

Ints = NDArray[np.int64]

SETTLE_S = 0.5
"""Frames are kept after this time: the eyes need about this long to reach the dot."""
FRAMES_PER_S = 15.0
DOTS_PER_BLOCK = 60
EDGE_PT = 20.0
"""Smallest distance of a dot's centre from the edge of the screen."""

_GRID = np.array([0.0, 0.5, 1.0])
_FIXED = np.array(
    [(x, y) for y in _GRID for x in _GRID] + [(x, y) for y in (0.25, 0.75) for x in (0.25, 0.75)]
)  # 13 positions: a 3 × 3 grid and the centres of its cells
_FIXED_SHARE = 0.3


@dataclass(frozen=True)
class Dots:
    """Per frame: number of the dot, seconds since it appeared, position in points, screen, orientation."""

    number: Ints
    time: Floats
    x_pts: Floats
    y_pts: Floats
    screen_w: Ints
    screen_h: Ints
    orientation: Ints


def _orientations(device: Device, blocks: int, rng: np.random.Generator) -> list[Orientation]:
    upright = [Orientation.PORTRAIT, Orientation.LANDSCAPE_HOME_RIGHT, Orientation.LANDSCAPE_HOME_LEFT]
    choices = [*upright, Orientation.UPSIDE_DOWN] if device.family == "tablet" else upright
    others = [choices[i] for i in rng.permutation(len(choices))]
    # Most people begin with the device upright.
    if rng.random() < 0.6:
        others.remove(Orientation.PORTRAIT)
        others.insert(0, Orientation.PORTRAIT)
    return [others[i % len(others)] for i in range(blocks)]


def sample_dots(device: Device, frames: int, rng: np.random.Generator) -> Dots:
    """Draw the sequence of one sitting of `frames` frames.

    A short sitting has many dots with few frames each, like a long sitting from which frames were removed evenly.
    """
    blocks = int(np.clip(rng.integers(1, 5), 1, max(1, frames // 12)))
    orientations = _orientations(device, blocks, rng)
    zoomed = device.zoomed_pt is not None and bool(rng.random() < 0.15)
    mean_dwell = max(1.0, frames / (DOTS_PER_BLOCK * blocks))
    columns: dict[str, list[float]] = {name: [] for name in Dots.__dataclass_fields__}
    dot = 0
    for block, orientation in enumerate(orientations):
        width, height = device.screen_points(orientation, zoomed)
        left = frames * (block + 1) // blocks - frames * block // blocks
        while left:
            dwell = min(left, 1 + int(rng.poisson(mean_dwell - 1)))
            place = _FIXED[rng.integers(len(_FIXED))] if rng.random() < _FIXED_SHARE else rng.random(2)
            x, y = EDGE_PT + place * (np.array([width, height]) - 2 * EDGE_PT)
            step = rng.uniform(1, 4) / FRAMES_PER_S if mean_dwell < 4 else 1 / FRAMES_PER_S
            times = SETTLE_S + rng.uniform(0, 0.05) + step * np.arange(dwell)
            for time in times:
                row = (dot, time, x, y, width, height, int(orientation))
                for column, value in zip(columns.values(), row, strict=True):
                    column.append(float(value))
            left -= dwell
            dot += 1
    return Dots(
        number=np.array(columns["number"], np.int64),
        time=np.array(columns["time"]),
        x_pts=np.array(columns["x_pts"]),
        y_pts=np.array(columns["y_pts"]),
        screen_w=np.array(columns["screen_w"], np.int64),
        screen_h=np.array(columns["screen_h"], np.int64),
        orientation=np.array(columns["orientation"], np.int64),
    )
