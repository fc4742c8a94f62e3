"""Exact eye marks of a subject: eyes.json, which the synthesiser writes and no recorded data set has.

The file holds parallel arrays, one value per frame, as the other JSON files of a subject do:

    LeftX, LeftY, RightX, RightY   centre of the subject's left and right eye, px of the frame
    Width                          of the strip with both eyes, px of the frame
    Closed                         how far the eye that is closed more is shut, 0 (open) to 1
    Occluded                       1 where a finger over the lens covers an eye, else 0
    Focal                          focal length, relative to that of a phone's front camera
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.data.gazecapture import Recording

EYES_FILE = "eyes.json"
ROOMS_FOLDER = "rooms"
"""Folder of a subject with pictures of the room without a person, 00000.jpg and so on."""

BAND_WIDTH = 0.75
"""Width of the strip as a fraction of the face box's width, as in the presets that see a strip."""
FACE_PER_EYE_DISTANCE = 2.35
"""Side of the face box divided by the distance between the eyes."""
STRIP_PER_EYE_DISTANCE = BAND_WIDTH * FACE_PER_EYE_DISTANCE
STRIP_ASPECT = 3.0
"""Width of a strip divided by its height."""

_KEYS = {
    "LeftX": "left_x", "LeftY": "left_y", "RightX": "right_x", "RightY": "right_y", "Width": "width",
    "Closed": "closed", "Occluded": "occluded", "Focal": "focal",
}  # fmt: skip


@dataclass(frozen=True)
class EyeMarks:
    """Where the eyes of all frames of a subject are; arrays (n,), px of the frame.

    Attributes:
        left_x, left_y, right_x, right_y: the subject's left and right eye.
        width: of the strip.
        closed: 0 to 1. occluded: 0 or 1.
        focal: focal length relative to that of a phone's front camera; cm on the screen per unit of a network's
            output grow with it.
        exact: whether they come from eyes.json; else from boxes, which carry a detector's noise.
    """

    left_x: Floats
    left_y: Floats
    right_x: Floats
    right_y: Floats
    width: Floats
    closed: Floats
    occluded: Floats
    focal: Floats
    exact: bool

    @property
    def strips(self) -> Floats:
        """Centre x, y and width of each strip, (n, 3)."""
        x, y = (self.left_x + self.right_x) / 2, (self.left_y + self.right_y) / 2
        return np.stack([x, y, self.width], -1)

    @property
    def roll(self) -> Floats:
        """Angle of the line through both eyes, rad, (n,); positive when the eye on the picture's right is lower."""
        angle: Floats = np.arctan2(self.left_y - self.right_y, self.left_x - self.right_x)
        return angle

    def as_json(self) -> dict[str, Any]:
        """Return the content of eyes.json."""
        return {key: np.asarray(getattr(self, field)).round(4).tolist() for key, field in _KEYS.items()}


def read_eye_marks(content: bytes, frames: int) -> EyeMarks:
    """Read eyes.json.

    Raises:
        ValueError: it is damaged; the message says how.
    """
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError("not an object")
    columns: dict[str, NDArray[np.float64]] = {}
    for key, field in _KEYS.items():
        values = np.asarray(document.get(key, []), np.float64)
        if values.shape != (frames,) or not np.isfinite(values).all():
            raise ValueError(f"{key} does not hold {frames} finite numbers")
        columns[field] = values
    if (columns["width"] <= 0).any() or (columns["focal"] <= 0).any():
        raise ValueError("Width and Focal must be positive")
    return EyeMarks(**columns, exact=True)


def marks_from_boxes(recording: Recording) -> EyeMarks:
    """Derive eye marks from the boxes of a detector: what a recorded data set has."""
    face, eyes = recording.face.corners(), []
    for box in (recording.left_eye, recording.right_eye):
        corners = box.corners()
        eyes.append(face[:, :2] + corners[:, :2] + corners[:, 2:] / 2)
    left, right = eyes
    n = len(recording)
    return EyeMarks(
        left[:, 0], left[:, 1], right[:, 0], right[:, 1], BAND_WIDTH * face[:, 2],
        np.zeros(n), np.zeros(n), np.ones(n), exact=False,
    )  # fmt: skip


def strip_box(strip: Floats) -> Floats:
    """Return the box (..., 4) x, y, w, h of strips (..., 3) x, y of the centre and width."""
    x, y, w = np.moveaxis(np.asarray(strip, np.float64), -1, 0)
    return np.stack([x - w / 2, y - w / STRIP_ASPECT / 2, w, w / STRIP_ASPECT], -1)
