"""The background: a plain room, out of focus, in linear light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled
from tinytracker.synth.light import Light
from tinytracker.synth.rooms import SIDE, paint_scenery
from tinytracker.synth.scene import Camera
from tinytracker.synth.sensor import blur, blur_kernel

SEEN_SHARE = 0.75
ROOM_PER_RADIAN = 40.0


def paint_room(rng: np.random.Generator, light: Light) -> Floats32:
    """Paint the background, out of focus, as (SIDE, SIDE, 3) linear RGB."""
    surfaces, glow = paint_scenery(rng, outdoors=light.kind == "outdoor" and bool(rng.random() < 0.75))
    ambient = (light.sky + light.ground) / 2 + 0.35 * light.colours[0]
    shade = np.linspace(1.1, 0.85, SIDE, dtype=np.float32)[:, None, None]
    lamps = float(ambient.mean()) * (0.15 if light.kind == "screen" else 1.0)
    room = (surfaces * shade * ambient.astype(np.float32) + glow * np.float32(lamps)) * np.float32(light.room)
    kernel = blur_kernel(float(np.exp(rng.uniform(np.log(0.5), np.log(3.5)))))
    return blur(np.ascontiguousarray(room, np.float32), kernel, kernel)


def window_into_room(camera: Camera, face: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return shift x, y and zoom for `fill_background`: the room moves opposite to the face."""
    turn = np.arctan2(face[:2], face[2]) * ROOM_PER_RADIAN
    return F(turn[0]), F(turn[1]), F(room_zoom(camera))


def room_zoom(camera: Camera) -> float:
    """Return the room pixels per image pixel at which a frame sees its share of the room."""
    return SIDE * SEEN_SHARE / max(camera.width, camera.height)


@compiled
def fill_background(
    image: Floats32, index: NDArray[np.int32], room: Floats32, shift_x: float, shift_y: float, zoom: float
) -> None:
    """Paint the room where `index` is empty; shift in room pixels, zoom in room pixels per image pixel."""
    height, width = index.shape
    side = room.shape[0]
    limit = F(side - 1.001)
    centre = F(side / 2)
    pixels = room.reshape(side, 3 * side)
    line = np.empty(3 * side, np.float32)
    columns, shares = np.empty(width, np.int32), np.empty(width, np.float32)
    for x in range(width):
        u = min(max(centre + (F(x) - F(width) * F(0.5)) * zoom + shift_x, F(0)), limit)
        columns[x] = 3 * int(u)
        shares[x] = u - F(int(u))
    for y in range(height):
        v = min(max(centre + (F(y) - F(height) * F(0.5)) * zoom + shift_y, F(0)), limit)
        iv = int(v)
        fv = v - F(iv)
        for i in range(3 * side):
            line[i] = pixels[iv, i] + (pixels[iv + 1, i] - pixels[iv, i]) * fv
        for x in range(width):
            if index[y, x] >= 0:
                continue
            at, share = columns[x], shares[x]
            for c in range(3):
                image[y, x, c] = line[at + c] + (line[at + 3 + c] - line[at + c]) * share
