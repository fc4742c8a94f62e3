"""A plausible motion sensor track: gravity consistent with the pose, and the tremor of a hand.

Keys and units are those of Apple's CMDeviceMotion as `motion.json` stores it: gravity and acceleration in g,
rates in rad/s, attitude in radians; 60 samples per second while frames are kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.data.devices import Orientation
from tinytracker.synth.sitting import Sitting

RATE_HZ = 60.0
TREMOR_RAD_S = 0.03
TREMOR_G = 0.006

_HELD = {
    Orientation.PORTRAIT: 0.0,
    Orientation.UPSIDE_DOWN: np.pi,
    Orientation.LANDSCAPE_HOME_RIGHT: np.pi / 2,
    Orientation.LANDSCAPE_HOME_LEFT: -np.pi / 2,
}
"""Counter-clockwise rotation of the device as the user sees it."""


def _gravity(torso: Floats, orientation: int) -> Floats:
    """Return unit gravity in the device's axes (x right, y to the top, z out of the screen, in portrait)."""
    down = -torso[:, 1]  # the torso's up axis points away from the earth
    turn = -_HELD[Orientation(orientation)]
    x = np.cos(turn) * down[0] - np.sin(turn) * down[1]
    y = np.sin(turn) * down[0] + np.cos(turn) * down[1]
    return np.array([x, y, down[2]])


def _rotation(gravity: Floats, heading: float) -> Floats:
    """Return the attitude matrix whose third row points away from the earth, in the device's axes."""
    up = -gravity / np.linalg.norm(gravity)
    side = np.cross([np.cos(heading), np.sin(heading), 0.3], up)
    side /= np.linalg.norm(side)
    return np.stack([side, np.cross(up, side), up])


def _quaternion(m: Floats) -> list[float]:
    """Convert a rotation matrix to [x, y, z, w] with w >= 0 (Shepperd's method)."""
    candidates = np.array([1 + m[0, 0] - m[1, 1] - m[2, 2], 1 - m[0, 0] + m[1, 1] - m[2, 2],
                           1 - m[0, 0] - m[1, 1] + m[2, 2], 1 + np.trace(m)])  # fmt: skip
    largest = int(np.argmax(candidates))
    s = 0.5 / np.sqrt(candidates[largest])
    xy, xz, yz = m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1]
    wx, wy, wz = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    rows = [
        (candidates[0], xy, xz, wx),
        (xy, candidates[1], yz, wy),
        (xz, yz, candidates[2], wz),
        (wx, wy, wz, candidates[3]),
    ]
    q = np.array(rows[largest]) * s
    return [float(v) for v in (q if q[3] >= 0 else -q)]


def motion_track(sitting: Sitting, rng: np.random.Generator) -> tuple[dict[str, Any], ...]:
    """Return samples from the first to the last kept frame of each dot."""
    track: list[dict[str, Any]] = []
    heading = float(rng.uniform(-np.pi, np.pi))
    dots = sitting.dots
    for dot in np.unique(dots.number):
        frames = np.flatnonzero(dots.number == dot)
        first, last = float(dots.time[frames[0]]), float(dots.time[frames[-1]])
        count = max(2, int(np.ceil((last - first) * RATE_HZ)) + 1)
        gravity = _gravity(sitting.frames[frames[0]].pose.torso, int(dots.orientation[frames[0]]))
        for k in range(count):
            gravity = gravity + rng.normal(0, 0.002, 3)
            gravity /= np.linalg.norm(gravity)
            matrix = _rotation(gravity, heading)
            track.append(
                {
                    "DotNum": int(dot),
                    "Time": first + k / RATE_HZ,
                    "Gravity": gravity.tolist(),
                    "UserAcceleration": rng.normal(0, TREMOR_G, 3).tolist(),
                    "RotationRate": rng.normal(0, TREMOR_RAD_S, 3).tolist(),
                    "AttitudeRotationMatrix": matrix.ravel().tolist(),
                    "AttitudeQuaternion": _quaternion(matrix),
                    "AttitudePitch": float(np.arcsin(np.clip(matrix[1, 2], -1, 1))),
                    "AttitudeRoll": float(np.arctan2(-matrix[0, 2], matrix[2, 2])),
                    "AttitudeYaw": float(np.arctan2(-matrix[1, 0], matrix[1, 1])),
                }
            )
    return tuple(track)
