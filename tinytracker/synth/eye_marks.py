"""Exact eye marks of synthetic frames."""

from __future__ import annotations

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.data.eye_marks import STRIP_PER_EYE_DISTANCE, EyeMarks
from tinytracker.synth.boxes import TURNED_EYE_DISTANCE_CM, face_marks
from tinytracker.synth.face_front import FaceFront
from tinytracker.synth.hands import covers, hand_capsules
from tinytracker.synth.head import SIDES
from tinytracker.synth.identity import Identity
from tinytracker.synth.sitting import Frame, Sitting

NARROWEST_TURNED = 0.9
"""When the head turns, the strip shrinks with the distance between the eyes, but not below this fraction of the width
that it has for the mean distance between the eyes of a frontal face."""


def mark_eyes(sitting: Sitting) -> EyeMarks:
    """Return the marks of all frames: what a detector's boxes would be without its noise."""
    marks = [face_marks(sitting.identity, f.camera, f.pose) for f in sitting.frames]
    left = np.array([m.left_eye for m in marks]).reshape(-1, 2)
    right = np.array([m.right_eye for m in marks]).reshape(-1, 2)
    floor = NARROWEST_TURNED * TURNED_EYE_DISTANCE_CM * np.array([m.px_per_cm for m in marks])
    hand = None
    if sitting.identity.extras.hand:
        extras, front = sitting.identity.extras, FaceFront.of(sitting.identity.vertices)
        hand = hand_capsules(front, extras.hand, extras.hand_side)
    distance = np.maximum(np.linalg.norm(left - right, axis=1), floor)
    return EyeMarks(
        left[:, 0], left[:, 1], right[:, 0], right[:, 1],
        STRIP_PER_EYE_DISTANCE * distance,
        closed=np.array([max(f.closed) for f in sitting.frames]),
        occluded=np.array([
            float(_covered(f, (left[i], right[i])) or _behind_hand(f, sitting.identity, hand))
            for i, f in enumerate(sitting.frames)
        ]),
        focal=np.array([f.focal_factor for f in sitting.frames]),
        exact=True,
    )  # fmt: skip


def _behind_hand(frame: Frame, identity: Identity, hand: Floats | None) -> bool:
    """Whether the hand at the face, capsules (k, 8) in head coordinates, hides the centre of an eye."""
    if hand is None or not frame.hand:
        return False
    camera = -frame.pose.position @ frame.pose.head
    eyes = np.stack([identity.eyes[side].centre + [0.0, 0.0, 1.2] for side in SIDES])
    return covers(hand, eyes, camera)


def _covered(frame: Frame, eyes: tuple[Floats, Floats]) -> bool:
    """Whether a finger over the lens covers the centre of an eye."""
    if frame.finger is None:
        return False
    place, radius, length, outward = frame.finger[:2], frame.finger[2], frame.finger[4], frame.finger[5:7]
    for eye in eyes:
        along = np.clip((eye - place) @ outward, 0, length)
        if np.linalg.norm(eye - place - along * outward) < radius:
            return True
    return False
