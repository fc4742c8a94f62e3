"""The face units of a frame: lids that follow the eyes, blinks, and facial expression."""

from __future__ import annotations

import numpy as np

from tinytracker.synth.head import SIDES, Side
from tinytracker.synth.identity import Identity
from tinytracker.synth.scene import EyePose
from tinytracker.synth.sitting import Frame

LID_DOWN, LID_UP = np.radians(40), np.radians(26)
"""Gaze angles down and up at which the lids' face units have full weight, so that the lids follow the iris."""
LID_YAW = np.radians(35)


def lid_weights(eye: EyePose, side: Side, closed: float) -> dict[str, float]:
    """Return the face units of one eye's lids; `closed` is 0 for relaxed, 1 for shut, negative for wide open."""
    name = side.capitalize()
    if eye.pitch > 0:
        weights = {f"eyeLookUp{name}": min(eye.pitch / LID_UP, 1.2)}
    else:
        weights = {f"eyeLookDown{name}": min(-eye.pitch / LID_DOWN, 1.2)}
    outward = eye.yaw if side == "left" else -eye.yaw
    weights[f"eyeLook{'Out' if outward > 0 else 'In'}{name}"] = min(abs(outward) / LID_YAW, 1.2)
    if closed > 0:
        weights[f"eyeBlink{name}"] = min(closed, 1.0)
    else:
        weights[f"eyeWide{name}"] = min(-closed, 0.5)
    return weights


def face_units(identity: Identity, frame: Frame, eyes: dict[Side, EyePose]) -> dict[str, float]:
    """Return the weight of every face unit of this frame."""
    units: dict[str, float] = {}
    for source in (identity.neutral, frame.units):
        for name, weight in source.items():
            both = [name, name.replace("Left", "Right")] if name.endswith("Left") else [name]
            for unit in both:
                units[unit] = units.get(unit, 0.0) + weight
    for side, closed in zip(SIDES, frame.closed, strict=True):
        units |= lid_weights(eyes[side], side, closed)
    return units
