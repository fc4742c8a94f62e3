"""Boxes of face and eyes, as GazeCapture's detector would give them, from the strip that the aim has found.

The strip of these boxes is the one that was found: `prepare` cuts what the network would see on a device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinytracker.collect.eyes import Strip
from tinytracker.data.eye_marks import BAND_WIDTH, STRIP_PER_EYE_DISTANCE
from tinytracker.data.gazecapture import Boxes
from tinytracker.data.grid import face_grid

CENTRE_BELOW_EYES = 0.34
"""From between the eyes down to the middle of the face box, in distances between the eyes."""
EYE_PER_FACE = 0.30
"""Side of an eye's box, in sides of the face box."""


@dataclass(frozen=True)
class FaceBoxes:
    """Boxes x, y, w, h of one frame: the face in px of the frame, the eyes (left: the subject's) relative to it."""

    face: tuple[float, float, float, float]
    left_eye: tuple[float, float, float, float]
    right_eye: tuple[float, float, float, float]


def face_boxes(strip: Strip, roll: float) -> FaceBoxes:
    """Return the boxes for a strip.

    Args:
        strip: centre x, y and width, px.
        roll: of the line through the eyes, rad, positive when the eye on the right of the picture is lower.
    """
    x, y, width = strip
    side, distance = width / BAND_WIDTH, width / STRIP_PER_EYE_DISTANCE
    cos, sin = math.cos(roll), math.sin(roll)
    left = x - CENTRE_BELOW_EYES * distance * sin - side / 2
    top = y + CENTRE_BELOW_EYES * distance * cos - side / 2
    eye = EYE_PER_FACE * side

    def eye_box(direction: float) -> tuple[float, float, float, float]:
        at_x, at_y = x + direction * distance / 2 * cos, y + direction * distance / 2 * sin
        return at_x - left - eye / 2, at_y - top - eye / 2, eye, eye

    return FaceBoxes((left, top, side, side), eye_box(1.0), eye_box(-1.0))


def recording_boxes(found: list[FaceBoxes], frame_px: list[tuple[int, int]]) -> dict[str, Boxes]:
    """Return the boxes of all frames by field of a `Recording`; `frame_px` are widths and heights."""
    valid = np.ones(len(found), bool)

    def boxes(rows: list[tuple[float, float, float, float]]) -> Boxes:
        x, y, w, h = np.array(rows, np.float64).reshape(-1, 4).T
        return Boxes(x, y, w, h, valid)

    sizes = np.array(frame_px, np.float64).reshape(-1, 2)
    cells = face_grid(np.array([b.face for b in found]).reshape(-1, 4), sizes[:, 0], sizes[:, 1])
    columns = cells.astype(np.float64).T
    grid = Boxes(columns[0], columns[1], columns[2], columns[3], valid)
    return {
        "face": boxes([b.face for b in found]), "left_eye": boxes([b.left_eye for b in found]),
        "right_eye": boxes([b.right_eye for b in found]), "face_grid": grid,
    }  # fmt: skip
