"""Scene geometry: head, eyes and dot in the camera's frame, and conversion between gaze and eyeball rotation.

Scene axes (cm): the camera is the origin and looks along +z at the user, y is up, x is to the right as the
user sees it, so that the screen is the plane z = 0 and a dot is (XCam, YCam, 0). The image is not mirrored:
the user's left is on the right of the image, u = W/2 - f x/z, v = H/2 - f y/z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinytracker.arrays import Floats
from tinytracker.synth.head import SIDES, Side
from tinytracker.synth.identity import Eye, Identity

MESH_TO_SCENE = np.diag([-1.0, 1.0, -1.0])
"""Rotation of an upright head that faces the camera: its left is the scene's -x, its front the scene's -z."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: width, height and focal length in pixels."""

    width: int
    height: int
    focal: float

    def project(self, points: ArrayLike) -> Floats:
        """Project scene points (..., 3) cm to pixels (..., 2), x right, y down."""
        p = np.asarray(points, np.float64)
        u = self.width / 2 - self.focal * p[..., 0] / p[..., 2]
        v = self.height / 2 - self.focal * p[..., 1] / p[..., 2]
        return np.stack([u, v], -1)


@dataclass(frozen=True)
class HeadPose:
    """Position (3,) of the point between the eyes; rotations (3, 3) of head and torso from mesh to scene."""

    position: Floats
    head: Floats
    torso: Floats


@dataclass(frozen=True)
class EyePose:
    """An eyeball in the scene: centre (3,), unit optical axis (3,), gaze angles in the head (radians)."""

    centre: Floats
    optical: Floats
    yaw: float
    pitch: float


def rotation(pitch: float, yaw: float, roll: float) -> Floats:
    """Return the rotation from mesh to scene, radians: the head nods up by pitch, turns to +x by yaw, tilts by roll."""
    cp, sp, cy, sy, cr, sr = (
        np.cos(pitch),
        np.sin(pitch),
        np.cos(-yaw),
        np.sin(-yaw),
        np.cos(roll),
        np.sin(roll),
    )
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    matrix: Floats = about_y @ about_x @ about_z @ MESH_TO_SCENE
    return matrix


def to_angles(direction: Floats) -> tuple[float, float]:
    """Convert a unit vector in the head's frame to (yaw to the subject's left, pitch up)."""
    return float(np.arctan2(direction[0], direction[2])), float(np.arcsin(np.clip(direction[1], -1, 1)))


def to_direction(yaw: float, pitch: float) -> Floats:
    """Convert angles to a unit vector; the inverse of `to_angles`."""
    return np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])


def aim_eye(eye: Eye, pose: HeadPose, target: Floats) -> EyePose:
    """Turn an eye so that its visual axis passes through the target (3,) in the scene."""
    centre = pose.head @ eye.centre + pose.position
    toward = pose.head.T @ (target - centre)
    yaw, pitch = to_angles(toward / np.linalg.norm(toward))
    optical = pose.head @ to_direction(yaw + eye.kappa_yaw, pitch + eye.kappa_pitch)
    return EyePose(centre, optical, yaw, pitch)


def visual_axis(eye: Eye, pose: HeadPose, optical: Floats) -> Floats:
    """Return the visual axis (unit, scene) of an eye with the given optical axis; used to check the label."""
    yaw, pitch = to_angles(pose.head.T @ optical)
    axis: Floats = pose.head @ to_direction(yaw - eye.kappa_yaw, pitch - eye.kappa_pitch)
    return axis


def aim_eyes(identity: Identity, pose: HeadPose, dot_cm: ArrayLike) -> dict[Side, EyePose]:
    """Aim both eyes at the dot (x, y) on the screen plane; each has its own axis, so they converge."""
    target = np.array([*np.asarray(dot_cm, np.float64), 0.0])
    return {side: aim_eye(identity.eyes[side], pose, target) for side in SIDES}


def pose_vertices(vertices: Floats, neck: Floats, follows_head: Floats, pose: HeadPose) -> Floats:
    """Transform the mesh (n, 3) to the scene: skull by the head pose, torso by its own, the neck blended."""
    with_head = vertices @ pose.head.T + pose.position
    pivot = pose.head @ neck + pose.position
    with_torso = (vertices - neck) @ pose.torso.T + pivot
    share = follows_head[:, None]
    blended: Floats = share * with_head + (1 - share) * with_torso
    return blended
