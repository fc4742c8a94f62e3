"""Effects between scene and camera: spectacle lenses, soft edges, and a finger over the lens."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled
from tinytracker.synth.surface import normalised

CURVE_PER_CM = 0.085
"""Curvature of the front surface: a typical base curve has a radius of about 12 cm."""


@compiled
def draw_lens(
    image: Floats32,
    view: Floats32,
    frame: Floats32,
    shape: Floats32,
    sources: Floats32,
    glints: Floats32,
    sky: Floats32,
    screen: Floats32,
    screen_colour: Floats32,
) -> None:
    """Draw one lens over `image`.

    Args:
        image: (h, w, 3) linear RGB, changed in place.
        view: focal length and principal point.
        frame: (4, 3) centre of the lens in the scene, unit vectors across, up and out of it.
        shape: half width and half height (cm), exponent of the outline, magnification - 1, share of light
            reflected.
        sources: (k, 7) lamps.
        glints: (k,) cosine of half of each lamp's angular size.
        sky: (3,) linear RGB.
        screen: x0, y0, x1, y1 of the lit screen.
        screen_colour: (3,).
    """
    height, width, _ = image.shape
    cx, cy, cz = frame[0, 0], frame[0, 1], frame[0, 2]
    if cz < F(5):
        return
    cu, cv = view[1] - view[0] * cx / cz, view[2] - view[0] * cy / cz
    reach = view[0] / cz * max(shape[0], shape[1]) * F(1.25)
    x0, x1 = max(0, int(cu - reach)), min(width, int(cu + reach) + 2)
    y0, y1 = max(0, int(cv - reach)), min(height, int(cv + reach) + 2)
    if x0 >= x1 or y0 >= y1:
        return
    behind = image[y0:y1, x0:x1].copy()
    for y in range(y0, y1):
        for x in range(x0, x1):
            dx, dy, dz = normalised(
                (view[1] - F(x) - F(0.5)) / view[0], (view[2] - F(y) - F(0.5)) / view[0], F(1)
            )
            into = dx * frame[3, 0] + dy * frame[3, 1] + dz * frame[3, 2]
            if into > F(-0.05):
                continue
            way = (cx * frame[3, 0] + cy * frame[3, 1] + cz * frame[3, 2]) / into
            px, py, pz = dx * way, dy * way, dz * way
            u = (px - cx) * frame[1, 0] + (py - cy) * frame[1, 1] + (pz - cz) * frame[1, 2]
            v = (px - cx) * frame[2, 0] + (py - cy) * frame[2, 1] + (pz - cz) * frame[2, 2]
            if abs(u / shape[0]) ** shape[2] + abs(v / shape[1]) ** shape[2] > F(1):
                continue
            shrink = F(1) / (F(1) + shape[3])
            su = min(max(cu + (F(x) - cu) * shrink - F(x0), F(0)), F(x1 - x0) - F(1.01))
            sv = min(max(cv + (F(y) - cv) * shrink - F(y0), F(0)), F(y1 - y0) - F(1.01))
            iu, iv = int(su), int(sv)
            fu, fv = su - F(iu), sv - F(iv)
            curve = F(CURVE_PER_CM)
            nx, ny, nz = normalised(
                frame[3, 0] + curve * (u * frame[1, 0] + v * frame[2, 0]),
                frame[3, 1] + curve * (u * frame[1, 1] + v * frame[2, 1]),
                frame[3, 2] + curve * (u * frame[1, 2] + v * frame[2, 2]),
            )
            dot = dx * nx + dy * ny + dz * nz
            mx, my, mz = dx - F(2) * dot * nx, dy - F(2) * dot * ny, dz - F(2) * dot * nz
            share = shape[4] * (F(1) + F(8) * (F(1) - min(-dot, F(1))) ** 3)
            r, g, b = sky[0] * max(my, F(0)), sky[1] * max(my, F(0)), sky[2] * max(my, F(0))
            for s in range(glints.shape[0]):
                if glints[s] < F(0.9999):
                    near = mx * sources[s, 0] + my * sources[s, 1] + mz * sources[s, 2]
                    edge = min(max((near - glints[s]) / ((F(1) - glints[s]) * F(0.25)), F(0)), F(1))
                    radiance = min(F(0.5) / (F(1) - glints[s]), F(60)) * edge
                    r += sources[s, 3] * radiance
                    g += sources[s, 4] * radiance
                    b += sources[s, 5] * radiance
            if mz < F(-0.05):
                back = -pz / mz
                qx, qy = px + mx * back, py + my * back
                if screen[0] < qx < screen[2] and screen[1] < qy < screen[3]:
                    r, g, b = r + screen_colour[0], g + screen_colour[1], b + screen_colour[2]
            for c in range(3):
                top = behind[iv, iu, c] + (behind[iv, iu + 1, c] - behind[iv, iu, c]) * fu
                bottom = behind[iv + 1, iu, c] + (behind[iv + 1, iu + 1, c] - behind[iv + 1, iu, c]) * fu
                image[y, x, c] = (top + (bottom - top) * fv) * (F(0.97) - share)
            image[y, x, 0] += share * r
            image[y, x, 1] += share * g
            image[y, x, 2] += share * b


@compiled
def soften_edges(image: Floats32, inverse: Floats32, skip: NDArray[np.int32]) -> None:
    """Average pixels at depth discontinuities with their neighbours, where one sample per pixel causes aliasing.

    `skip` is a rectangle x0, y0, x1, y1 that is already smooth.
    """
    height, width = inverse.shape
    before = image.copy()
    jumps = np.zeros(width, np.bool_)
    for y in range(1, height - 1):
        above, row, below = inverse[y - 1], inverse[y], inverse[y + 1]
        for x in range(1, width - 1):
            here = row[x]
            jump = max(
                abs(row[x - 1] - here), abs(row[x + 1] - here), abs(above[x] - here), abs(below[x] - here)
            )
            jumps[x] = jump > F(0.05) * max(here, F(0.012))
        for x in range(1, width - 1):
            if not jumps[x] or (skip[0] <= x < skip[2] and skip[1] <= y < skip[3]):
                continue
            for c in range(3):
                around = before[y, x - 1, c] + before[y, x + 1, c] + before[y - 1, x, c] + before[y + 1, x, c]
                image[y, x, c] = F(0.4) * before[y, x, c] + F(0.15) * around


@compiled
def draw_finger(image: Floats32, finger: Floats32, colour: Floats32) -> None:
    """Draw a fingertip over the edge of the lens: so near that it is a soft dark red patch.

    `finger` is the centre x, y, radius and softness in px, length and direction (cosine, sine) of the finger.
    """
    height, width, _ = image.shape
    fx, fy, radius, soft, length, dx, dy = (
        finger[0],
        finger[1],
        finger[2],
        finger[3],
        finger[4],
        finger[5],
        finger[6],
    )
    for y in range(height):
        for x in range(width):
            px, py = F(x) - fx, F(y) - fy
            along = min(max(px * dx + py * dy, F(0)), length)
            px, py = px - along * dx, py - along * dy
            t = (radius + soft - math.sqrt(px * px + py * py)) / (F(2) * soft)
            if t <= F(0):
                continue
            t = min(t, F(1))
            t = t * t * (F(3) - F(2) * t)
            for c in range(3):
                image[y, x, c] += (colour[c] - image[y, x, c]) * t
