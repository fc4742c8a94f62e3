"""How much of the surroundings each vertex of a surface sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats

Ints = NDArray[np.int64]

AO_DIRECTIONS = 192
AO_MAP = 384


def occlusion(vertices: Floats, normals: Floats, triangles: Ints) -> Floats:
    """Return the ambient occlusion per vertex: the cosine-weighted share of directions from which it is visible."""
    from tinytracker.synth.raster import rasterize

    k = np.arange(AO_DIRECTIONS) + 0.5
    height, azimuth = 1 - 2 * k / AO_DIRECTIONS, np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - height**2)
    directions = np.stack([ring * np.cos(azimuth), height, ring * np.sin(azimuth)], 1)
    seen, total = np.zeros(len(vertices)), np.zeros(len(vertices))
    for d in directions:
        side = np.cross(d, [0.0, 0.0, 1.0] if abs(d[2]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        view = vertices @ np.stack([side, np.cross(d, side), -d], 1)
        low, high = view.min(0), view.max(0)
        scale = (AO_MAP - 3) / max(high[0] - low[0], high[1] - low[1])
        xy = ((view[:, :2] - low[:2]) * scale + 1).astype(np.float32)
        depth = (view[:, 2] - low[2] + 1).astype(np.float32)
        _, inverse = rasterize(xy, depth, triangles.astype(np.int32), AO_MAP, AO_MAP, 0)
        x, y = xy.astype(int).T
        nearest = np.min([inverse[y + dy, x + dx] for dy in (0, 1) for dx in (0, 1)], axis=0)
        visible = 1 / np.maximum(nearest, 1e-6) > depth - 0.03
        cosine = np.clip(normals @ d, 0, None)
        seen += cosine * visible
        total += cosine
    share: Floats = seen / np.maximum(total, 1e-9)
    return share


def smooth(values: Floats, triangles: Ints, rounds: int) -> Floats:
    """Average each vertex with its neighbours, `rounds` times; removes the noise of the depth test."""
    a = np.concatenate([triangles[:, i] for i in range(3)])
    b = np.concatenate([triangles[:, (i + 1) % 3] for i in range(3)])
    for _ in range(rounds):
        total, count = values.copy(), np.ones(len(values))
        for i, j in ((a, b), (b, a)):
            np.add.at(total, i, values[j])
            np.add.at(count, i, 1)
        values = total / count
    return values
