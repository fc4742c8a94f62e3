"""Triangle rasterization: a depth buffer and the index of the visible triangle per pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled, floor

Ints = NDArray[np.int32]


@compiled
def rasterize(
    xy: Floats32, depth: Floats32, triangles: Ints, width: int, height: int, facing: int
) -> tuple[Ints, Floats32]:
    """Draw all triangles; the nearest is visible.

    Args:
        xy: (n, 2) pixel positions; a pixel (column, row) has its centre at (column + .5, row + .5).
        depth: (n,) distance along the view axis, positive.
        triangles: (m, 3) indices.
        width: of the image.
        height: of the image.
        facing: +1 or -1 draws only triangles whose area has that sign (x right, y down), 0 draws all.

    Returns:
        Index of the triangle (height, width), -1 where there is none, and 1/depth (height, width), 0 where there is
        none. 1/depth, unlike depth, is linear in image coordinates.
    """
    index = np.full((height, width), np.int32(-1))
    inverse = np.zeros((height, width), np.float32)
    nearness = F(1) / depth
    for t in range(triangles.shape[0]):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if depth[i] <= F(0.5) or depth[j] <= F(0.5) or depth[k] <= F(0.5):
            continue
        ay, by, cy = xy[i, 1], xy[j, 1], xy[k, 1]
        top = max(0, -floor(F(0.5) - min(ay, by, cy)))
        bottom = min(height - 1, floor(max(ay, by, cy) - F(0.5)))
        if top > bottom:
            continue
        ax, bx, cx = xy[i, 0], xy[j, 0], xy[k, 0]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area * facing < 0 or abs(area) < F(1e-9):
            continue
        left = max(0, -floor(F(0.5) - min(ax, bx, cx)))
        right = min(width - 1, floor(max(ax, bx, cx) - F(0.5)))
        if left > right:
            continue
        scale = F(1) / area
        da, db, dc = nearness[i], nearness[j], nearness[k]
        ux, uy = (by - cy) * scale, (cx - bx) * scale
        vx, vy = (cy - ay) * scale, (ax - cx) * scale
        for y in range(top, bottom + 1):
            py = F(y) + F(0.5) - cy
            for x in range(left, right + 1):
                px = F(x) + F(0.5) - cx
                u = ux * px + uy * py
                v = vx * px + vy * py
                w = F(1) - u - v
                near = u * da + v * db + w * dc
                if (min(u, v, w) >= F(-1e-5)) & (near > inverse[y, x]):
                    inverse[y, x] = near
                    index[y, x] = t
    return index, inverse
