"""A frame's light as the compiled loops read it: lamps, the screen, and the key light's shadow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.synth.light import Light
from tinytracker.synth.raster import rasterize
from tinytracker.synth.scene import HeadPose
from tinytracker.synth.strands import splat_shadow

Singles = NDArray[np.float32]
Rectangle = tuple[float, float, float, float]

SHADOW_SIDE, SHADOW_CM = 160, 17.0
"""Size of the shadow map: texels along a side, and half its side in the scene."""
SHADOW_CENTRE_CM = np.array([0.0, -3.0, -7.0])
SCREEN_SOFTNESS = 0.6


def lamps(light: Light, pose: HeadPose, screen: Rectangle) -> tuple[Singles, Singles]:
    """Return (3, 3) sky, ground and up; (k, 7) direction, colour and softness of each source, the screen last."""
    toward = np.array([(screen[0] + screen[2]) / 2, (screen[1] + screen[3]) / 2, 0.0]) - pose.position
    toward /= np.linalg.norm(toward)
    rows = [[*d, *c, s] for d, c, s in zip(light.directions, light.colours, light.softness, strict=True)]
    rows.append([*toward, *(light.screen * light.screen_share), SCREEN_SOFTNESS])
    return np.array([light.sky, light.ground, pose.torso[:, 1]], np.float32), np.array(rows, np.float32)


def key_shadow(
    light: Light, pose: HeadPose, positions: Singles, triangles: NDArray[np.int32], hair: Singles | None
) -> tuple[Singles, Singles]:
    """Return the depth of head and hair as seen from the first source, and the axes for `shade.shadow_lookup`."""
    towards = light.directions[0]
    side = np.cross(towards, [0.0, 1.0, 0.0] if abs(towards[1]) < 0.95 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    up = np.cross(towards, side)
    scale = SHADOW_SIDE / (2 * SHADOW_CM)
    centre = pose.position + pose.head @ SHADOW_CENTRE_CM
    corner = centre - (side + up) * SHADOW_CM + towards * 60
    axes = np.array([side * scale, up * scale, -towards, corner], np.float32)
    local = (positions - axes[3]) @ axes[:3].T
    xy, depth = np.ascontiguousarray(local[:, :2]), np.ascontiguousarray(local[:, 2])
    _, inverse = rasterize(xy, depth, triangles, SHADOW_SIDE, SHADOW_SIDE, 0)
    if hair is not None:
        splat_shadow(inverse, axes, hair)
    return inverse, axes
