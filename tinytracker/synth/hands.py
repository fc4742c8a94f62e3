"""A hand at the face: fingers and palm as capsules, lit like skin."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats, Floats32
from tinytracker.synth.face_front import FaceFront
from tinytracker.synth.jit import F, compiled
from tinytracker.synth.surface import normalised

Singles = NDArray[np.float32]

_FINGER_CM = (0.72, 0.78, 0.74, 0.62)
"""Radii from the index finger to the little finger."""
_LENGTH = (0.94, 1.0, 0.96, 0.8)
"""Lengths of the fingers relative to the middle finger."""
MELT_CM = 0.35
"""Fingers and palm closer to each other than this melt into one surface."""
STEPS = 36
"""Steps along a ray at most."""
_PALM_CM, _WRIST_CM = 1.5, 2.4


def hand_capsules(front: FaceFront, place: str, side: float) -> Floats:
    """Return the capsules (k, 8) of a hand in head coordinates: two ends (3,), and their radii, cm.

    Args:
        front: of the face.
        place: of `tinytracker.synth.identity.HAND_PLACES`.
        side: 1 for the subject's left, -1 for the right.
    """
    knuckle, tip, apart = {
        "cheek": (np.array([5.0, -9.0]), np.array([4.6, -2.6]), np.array([1.15, 0.25])),
        "temple": (np.array([8.0, -5.2]), np.array([5.6, 0.9]), np.array([0.95, -0.75])),
        "chin": (np.array([6.2, -12.2]), np.array([-0.6, -10.9]), np.array([0.3, -1.45])),
    }[place]
    capsules, knuckles = [], []
    for finger, (radius, length) in enumerate(zip(_FINGER_CM, _LENGTH, strict=True)):
        way = (tip - knuckle) * length + apart * 0.08 * finger
        flat = knuckle + apart * finger + np.array([0.0, 0.5, 0.8, 1.0])[:, None] * way
        flat[:, 0] *= side
        points = front.on(flat, 0.7 * radius)
        points[0, 2] += 0.6
        points[1, 2] += 0.45
        knuckles.append(points[0])
        radii = radius * np.array([1.1, 0.98, 0.9, 0.8])
        capsules += [[*points[i], *points[i + 1], radii[i], radii[i + 1]] for i in range(3)]
    back = (knuckles[0] + knuckles[-1]) / 2
    wrist = back + np.array([side * 2.2, -8.5, 0.0])
    for point in knuckles:
        capsules.append([*point, *(point + 0.6 * (wrist - point)), 0.95, _PALM_CM])
    capsules.append([*(back + 0.5 * (wrist - back)), *wrist, _WRIST_CM * 0.9, _WRIST_CM])
    capsules.append([*wrist, *(wrist + np.array([side * 3.0, -14.0, -1.0])), _WRIST_CM, _WRIST_CM * 1.25])
    return np.array(capsules)


def covers(capsules: Floats, points: Floats, centre: Floats) -> bool:
    """Whether capsules (k, 8) hide one of the points (n, 3) from a camera at `centre`; all in the same coordinates."""
    for point in points:
        way = point - centre
        for capsule in capsules:
            for share in np.linspace(0, 1, 8):
                ball = capsule[:3] * (1 - share) + capsule[3:6] * share
                radius = capsule[6] * (1 - share) + capsule[7] * share
                nearest = (ball - centre) @ way / (way @ way)
                off = np.linalg.norm(centre + nearest * way - ball)
                if off < radius and nearest - np.sqrt(radius**2 - off**2) / np.linalg.norm(way) < 1:
                    return True
    return False


@compiled
def _distance(capsules: Floats32, x: float, y: float, z: float) -> float:
    """Return the distance (cm) of a point from capsules (k, 8) that melt into each other, negative inside."""
    nearest = F(1e3)
    for n in range(capsules.shape[0]):
        ax, ay, az = capsules[n, 0], capsules[n, 1], capsules[n, 2]
        bx, by, bz = capsules[n, 3] - ax, capsules[n, 4] - ay, capsules[n, 5] - az
        px, py, pz = x - ax, y - ay, z - az
        share = (px * bx + py * by + pz * bz) / (bx * bx + by * by + bz * bz)
        share = min(max(share, F(0)), F(1))
        px, py, pz = px - bx * share, py - by * share, pz - bz * share
        radius = capsules[n, 6] + (capsules[n, 7] - capsules[n, 6]) * share
        own = math.sqrt(px * px + py * py + pz * pz) - radius
        # A polynomial smooth minimum.
        mix = max(F(MELT_CM) - abs(nearest - own), F(0)) / F(MELT_CM)
        nearest = min(nearest, own) - mix * mix * F(0.25 * MELT_CM)
    return nearest


@compiled
def draw_capsules(
    image: Floats32,
    inverse: Floats32,
    view: Floats32,
    capsules: Floats32,
    colour: Floats32,
    light: Floats32,
    sources: Floats32,
) -> None:
    """Draw capsules that melt into each other into `image` and `inverse`, where nothing is nearer.

    Args:
        image: (h, w, 3) linear RGB.
        inverse: (h, w) 1/cm.
        view: focal length, principal point.
        capsules: (k, 8) two ends in the scene, cm, and the radius at each.
        colour: (3,) of the skin.
        light: (3, 3) sky, ground, up.
        sources: (k, 7), see `reflection`.
    """
    height, width = inverse.shape
    start = np.full((height, width), F(1e6))
    for n in range(capsules.shape[0]):
        _bound(start, view, capsules[n])
    for y in range(height):
        for x in range(width):
            along = start[y, x]
            if along > F(1e5):
                continue
            dx, dy, dz = normalised(
                (view[1] - F(x) - F(0.5)) / view[0], (view[2] - F(y) - F(0.5)) / view[0], F(1)
            )
            gap, least, at = F(1), F(1e3), along
            for _ in range(STEPS):
                gap = _distance(capsules, dx * along, dy * along, dz * along)
                if gap < least:
                    least, at = gap, along
                if gap < F(0.01):
                    break
                along += gap
            # Rays that pass within half a pixel cover part of it.
            pixel = at / view[0]
            share = min(max(F(0.5) - (least - F(0.01)) / pixel, F(0)), F(1))
            near = F(1) / (dz * at)
            if share <= F(0) or near <= inverse[y, x]:
                continue
            px, py, pz = dx * at, dy * at, dz * at
            e = F(0.03)
            here = _distance(capsules, px, py, pz)
            nx, ny, nz = normalised(
                _distance(capsules, px + e, py, pz) - here,
                _distance(capsules, px, py + e, pz) - here,
                _distance(capsules, px, py, pz + e) - here,
            )
            # Little light reaches between the fingers: there the distance grows slowly along the normal.
            open_ = _distance(capsules, px + F(0.5) * nx, py + F(0.5) * ny, pz + F(0.5) * nz) * F(2)
            open_ = min(max(open_, F(0.25)), F(1))
            r, g, b = _skin_light(nx, ny, nz, light, sources)
            image[y, x, 0] += (colour[0] * r * math.sqrt(open_) - image[y, x, 0]) * share
            image[y, x, 1] += (colour[1] * g * open_ - image[y, x, 1]) * share
            image[y, x, 2] += (colour[2] * b * open_ - image[y, x, 2]) * share
            if share > F(0.5):
                inverse[y, x] = near


@compiled
def _bound(start: Floats32, view: Floats32, capsule: Floats32) -> None:
    """Write into `start` how far along its ray each pixel may meet the capsule at the earliest, cm."""
    height, width = start.shape
    ax, ay, az, bx, by, bz = capsule[0], capsule[1], capsule[2], capsule[3], capsule[4], capsule[5]
    wide = max(capsule[6], capsule[7]) + F(MELT_CM)
    near = min(az, bz) - wide
    if near < F(8):
        return
    u0, v0 = view[1] - view[0] * ax / az, view[2] - view[0] * ay / az
    u1, v1 = view[1] - view[0] * bx / bz, view[2] - view[0] * by / bz
    reach = view[0] * wide / near + F(1)
    x0, x1 = max(0, int(min(u0, u1) - reach)), min(width, int(max(u0, u1) + reach) + 1)
    y0, y1 = max(0, int(min(v0, v1) - reach)), min(height, int(max(v0, v1) + reach) + 1)
    ux, uy = u1 - u0, v1 - v0
    length = ux * ux + uy * uy + F(1e-6)
    for y in range(y0, y1):
        for x in range(x0, x1):
            px, py = F(x) - u0, F(y) - v0
            share = min(max((px * ux + py * uy) / length, F(0)), F(1))
            px, py = px - ux * share, py - uy * share
            if px * px + py * py < reach * reach:
                start[y, x] = min(start[y, x], near)


@compiled
def _skin_light(
    nx: float, ny: float, nz: float, light: Floats32, sources: Floats32
) -> tuple[float, float, float]:
    """Return the light on skin with this normal; it wraps around the terminator, further for red."""
    lift = F(0.5) + F(0.5) * (nx * light[2, 0] + ny * light[2, 1] + nz * light[2, 2])
    r = (light[1, 0] + (light[0, 0] - light[1, 0]) * lift) * F(0.9)
    g = (light[1, 1] + (light[0, 1] - light[1, 1]) * lift) * F(0.8)
    b = (light[1, 2] + (light[0, 2] - light[1, 2]) * lift) * F(0.8)
    for s in range(sources.shape[0]):
        cosine = nx * sources[s, 0] + ny * sources[s, 1] + nz * sources[s, 2]
        r += sources[s, 3] * max((cosine + F(0.36)) / F(1.36), F(0))
        g += sources[s, 4] * max((cosine + F(0.22)) / F(1.22), F(0))
        b += sources[s, 5] * max((cosine + F(0.17)) / F(1.17), F(0))
    return r, g, b
