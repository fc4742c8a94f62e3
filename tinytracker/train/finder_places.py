"""Where a finder found the eyes, beside where they are. Importing this module needs TensorFlow only for records.

A position is measured in cm at the face: a strip with both eyes is 10.9 cm wide there. So the errors of a finder go
through the same tables as those of a gaze.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.finding import read_finder
from tinytracker.aim.fixed import Q4, Q12
from tinytracker.arrays import Floats
from tinytracker.data.examples import parse
from tinytracker.data.eye_marks import STRIP_PER_EYE_DISTANCE
from tinytracker.data.index import PreparedIndex
from tinytracker.data.pipeline import serialized_records

EYE_DISTANCE_CM = 6.2
STRIP_CM = STRIP_PER_EYE_DISTANCE * EYE_DISTANCE_CM
"""Width of a strip at the face, cm."""


def strips_of(index: PreparedIndex, split: str) -> tuple[Floats, Floats]:
    """Return strips (N, 3), centre and width, and frame sizes (N, 2), px, in the order of the records."""
    rows = [
        (r["strip"], r["frame_size"])
        for r in serialized_records(index, split).map(lambda r: parse(r, True)).as_numpy_iterator()
    ]
    return np.array([r[0] for r in rows], np.float64), np.array([r[1] for r in rows], np.float64)


def read_places(codes: NDArray[np.uint8], sizes: Floats) -> tuple[Floats, Floats]:
    """Return what a finder found: centre and width (N, 3) in px of the frames, and scores (N,), logits.

    Args:
        codes: (N, 9, 12, 4).
        sizes: (N, 2) width and height of the frames, px.
    """
    finds = [read_finder(c, round(w), round(h)) for c, (w, h) in zip(codes, sizes, strict=True)]
    places = np.array([[f.x, f.y, f.width] for f in finds], np.float64).reshape(-1, 3) / Q4
    return places, np.array([f.score for f in finds], np.float64) / Q12


def in_cm(places: Floats, strips: Floats, sizes: Floats) -> Floats:
    """Return positions (N, 2) in cm at the face, right of and above the middle of the frame."""
    offset: Floats = (places[:, :2] - sizes / 2) / strips[:, 2:] * (STRIP_CM * np.array([1.0, -1.0]))
    return offset


def mean_distance_cm(places: Floats, strips: Floats) -> float:
    """Return the mean distance in cm at the face; each is limited to a strip's width, beyond which all are misses."""
    distance = np.linalg.norm(places[:, :2] - strips[:, :2], axis=1) / strips[:, 2]
    return float(np.minimum(distance, 1.0).mean() * STRIP_CM)
