"""What is behind the user: a plain room, out of focus, in linear light."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.synth.jit import compiled
from tinytracker.synth.light import Light
from tinytracker.synth.sensor import blur, blur_kernel

Floats = NDArray[np.float32]
F = np.float32
SIDE = 192
"""Pixels along each side of the painted room, which covers more than the camera sees."""
SEEN_SHARE = 0.75


def paint_room(rng: np.random.Generator, light: Light) -> Floats:
    """The room as (SIDE, SIDE, 3) linear RGB: walls, floor, furniture, a window or a lamp."""
    saturation = rng.uniform(0.05, 0.5)

    def colour(low: float, high: float) -> Floats:
        grey = rng.uniform(low, high)
        return (grey * (1 + saturation * rng.uniform(-1, 1, 3))).clip(0.005, 1.5).astype(np.float32)

    room = np.empty((SIDE, SIDE, 3), np.float32)
    room[:] = colour(0.08, 0.7)
    corner = int(rng.uniform(0.1, 0.9) * SIDE)
    room[:, corner:] *= rng.uniform(0.55, 0.95)
    ceiling = int(rng.uniform(-0.2, 0.3) * SIDE)
    if ceiling > 0:
        room[:ceiling] = colour(0.4, 0.85)
    floor = int(rng.uniform(0.7, 1.2) * SIDE)
    room[floor:] = colour(0.04, 0.4)
    for _ in range(rng.integers(2, 9)):
        w, h = rng.uniform(0.05, 0.4, 2) * SIDE
        x, y = rng.uniform(-0.1, 1.0, 2) * SIDE
        x0, y0, x1, y1 = (int(np.clip(v, 0, SIDE)) for v in (x, y, x + w, y + h))
        room[y0:y1, x0:x1] = colour(0.015, 0.7)
        for line in range(rng.integers(0, 4)):
            at = y0 + (y1 - y0) * (line + 1) // 5
            room[at : at + 2, x0:x1] *= 0.5
    if light.kind in ("window", "backlight", "outdoor") and rng.random() < 0.6:
        w, h = rng.uniform(0.15, 0.5, 2) * SIDE
        x, y = rng.uniform(0.0, 0.8) * SIDE, rng.uniform(0.0, 0.5) * SIDE
        x0, y0, x1, y1 = (int(np.clip(v, 0, SIDE)) for v in (x, y, x + w, y + h))
        room[y0:y1, x0:x1] = np.array([0.9, 1.0, 1.1]) * rng.uniform(1.0, 3.0)
        middle = (x0 + x1) // 2
        room[y0:y1, middle : middle + 2] = colour(0.2, 0.6)
    shade = np.linspace(1.1, 0.85, SIDE, dtype=np.float32)[:, None, None]
    ambient = (light.sky + light.ground) / 2 + light.colours[0] * 0.35
    room = room * shade * (ambient * light.room).astype(np.float32)
    kernel = blur_kernel(float(rng.uniform(0.8, 4.0)))
    return blur(np.ascontiguousarray(room, np.float32), kernel, kernel)


@compiled
def fill_background(
    image: Floats, index: NDArray[np.int32], room: Floats, shift_x: float, shift_y: float, zoom: float
) -> None:
    """Paint the room where `index` is empty; shift in room pixels, zoom in room pixels per picture pixel."""
    height, width = index.shape
    limit = F(room.shape[0] - 1.001)
    centre = F(room.shape[0] / 2)
    for y in range(height):
        v = min(max(centre + (y - height / 2) * zoom + shift_y, F(0)), limit)
        iv = int(v)
        fv = F(v - iv)
        for x in range(width):
            if index[y, x] >= 0:
                continue
            u = min(max(centre + (x - width / 2) * zoom + shift_x, F(0)), limit)
            iu = int(math.floor(u))
            fu = F(u - iu)
            for c in range(3):
                top = room[iv, iu, c] + (room[iv, iu + 1, c] - room[iv, iu, c]) * fu
                bottom = room[iv + 1, iu, c] + (room[iv + 1, iu + 1, c] - room[iv + 1, iu, c]) * fu
                image[y, x, c] = top + (bottom - top) * fv
