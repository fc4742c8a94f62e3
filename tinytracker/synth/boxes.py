"""The boxes that a face detector would return, in the conventions of GazeCapture's JSON files.

The face box is a square in pixels of the frame and may extend beyond it; the eye boxes are relative to the face
box's corner; the face grid has 25 × 25 cells over the frame, counted from 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.data.eye_marks import FACE_PER_EYE_DISTANCE
from tinytracker.data.gazecapture import Boxes
from tinytracker.data.grid import face_grid
from tinytracker.synth.head import SIDES, load_head
from tinytracker.synth.identity import Identity
from tinytracker.synth.scene import Camera, HeadPose
from tinytracker.synth.sitting import Frame

MOUTH_SHARE = 0.32
"""Position of the square's centre, as a fraction of the way from between the eyes to the mouth."""
EYE_PER_FACE = 0.30
MOUTH_BELOW_EYES_CM = np.array([0.0, -6.6, 1.6])
SIZE_JITTER, PLACE_JITTER, EYE_JITTER = 0.03, 0.035, 0.06
TURNED_EYE_DISTANCE_CM = 6.2


@dataclass(frozen=True)
class FaceMarks:
    """Positions (2,) of both eyes (left is the subject's) and the mouth in px, and the px per cm there."""

    left_eye: Floats
    right_eye: Floats
    mouth: Floats
    px_per_cm: float


def face_marks(identity: Identity, camera: Camera, pose: HeadPose) -> FaceMarks:
    """Project the points that place the boxes: 1.2 cm in front of the eyes' centres, and the mouth."""
    front = np.array([0.0, 0.0, 1.2])
    points = np.stack([*(identity.eyes[side].centre + front for side in SIDES), mouth_point(identity)])
    scene = points @ pose.head.T + pose.position
    left, right, mouth = camera.project(scene)
    return FaceMarks(left, right, mouth, camera.focal / float(scene[:2, 2].mean()))


def mouth_point(identity: Identity) -> Floats:
    """Return the middle (3,) of the lips in head coordinates."""
    middle: Floats = identity.vertices[load_head().lips > 0.5].mean(0)
    return middle


def _grid(x: Floats, y: Floats, side: Floats, frames: tuple[Frame, ...], valid: NDArray[np.bool_]) -> Boxes:
    face = np.stack([x, y, side, side], 1)
    cells = face_grid(face, [f.camera.width for f in frames], [f.camera.height for f in frames])
    columns = np.where(valid[:, None], cells, 0).astype(np.float64)
    return Boxes(x=columns[:, 0], y=columns[:, 1], w=columns[:, 2], h=columns[:, 3], valid=valid)


def detect(identity: Identity, frames: tuple[Frame, ...], rng: np.random.Generator) -> dict[str, Boxes]:
    """Return boxes "face", "left_eye", "right_eye" and "face_grid" for all frames; zeros where nothing was found."""
    marks = [face_marks(identity, f.camera, f.pose) for f in frames]
    n = len(frames)
    eye = {side: np.array([getattr(m, f"{side}_eye") for m in marks]).reshape(n, 2) for side in SIDES}
    mouth = np.array([m.mouth for m in marks]).reshape(n, 2)
    # A detector follows the size of the head; the distance between the eyes shrinks when the head turns.
    size = np.array([m.px_per_cm for m in marks]) * TURNED_EYE_DISTANCE_CM
    distance = np.maximum(np.linalg.norm(eye["left"] - eye["right"], axis=1), 0.9 * size)
    centre = (1 - MOUTH_SHARE) * (eye["left"] + eye["right"]) / 2 + MOUTH_SHARE * mouth
    centre += rng.normal(0, PLACE_JITTER, (n, 2)) * distance[:, None]
    side_px = distance * FACE_PER_EYE_DISTANCE * (1 + rng.normal(0, SIZE_JITTER, n))
    corner = centre - side_px[:, None] / 2
    found = ~np.array([f.lost for f in frames], bool)
    eyes_found = found & ~np.array([f.eyes_lost for f in frames], bool)

    def boxes(place: Floats, side: Floats, valid: NDArray[np.bool_]) -> Boxes:
        x, y, size = (np.where(valid, values, 0.0) for values in (place[:, 0], place[:, 1], side))
        return Boxes(x=x, y=y, w=size, h=size, valid=valid)

    result = {"face": boxes(corner, side_px, found)}
    eye_side = side_px * EYE_PER_FACE
    for name in SIDES:
        place = (
            eye[name] - corner - eye_side[:, None] / 2 + rng.normal(0, EYE_JITTER, (n, 2)) * eye_side[:, None]
        )
        result[f"{name}_eye"] = boxes(place, eye_side, eyes_found)
    result["face_grid"] = _grid(corner[:, 0], corner[:, 1], side_px, frames, found)
    return result
