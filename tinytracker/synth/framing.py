"""Varied framing: a sitting before cameras with other lenses, nearer and farther and off-centre.

GazeCapture's users hold a phone in front of their face. A camera on a desk, whose crop aims itself, also sees heads
that are farther away and beside the centre, through lenses that show more or less.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinytracker.synth.habits import keep_in_view
from tinytracker.synth.sitting import Frame, Sitting

FOCAL_FACTOR = (0.70, 1.05)
DISTANCE_FACTOR = (0.85, 1.45)
ASIDE_CM = 2.5
"""Standard deviation of each frame's additional shift, sideways and up."""


def vary(sitting: Sitting, rng: np.random.Generator) -> Sitting:
    """Change focal length and distance of a sitting by one factor each, and shift the head in each frame.

    The head stays in view, and a detector that finds every face is assumed.
    """
    focal, distance = rng.uniform(*FOCAL_FACTOR), rng.uniform(*DISTANCE_FACTOR)
    return replace(
        sitting, frames=tuple(_vary(f, float(focal), float(distance), rng) for f in sitting.frames)
    )


def _vary(frame: Frame, focal: float, distance: float, rng: np.random.Generator) -> Frame:
    camera = replace(frame.camera, focal=frame.camera.focal * focal)
    position = frame.pose.position * np.array([1, 1, distance])
    position[:2] += rng.normal(0, ASIDE_CM, 2)
    pose = replace(frame.pose, position=keep_in_view(position, camera))
    return replace(frame, camera=camera, pose=pose, lost=False, eyes_lost=False, focal_factor=focal)
