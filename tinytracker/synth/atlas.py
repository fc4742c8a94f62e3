"""The head unrolled onto a cylinder: where on the base mesh each texel of the skin lies.

All subjects share the base mesh, so a vertex has one place in the texture whatever its shape. Columns are the
angle around the vertical axis (0 at the nose, positive to the subject's left), rows the height.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinytracker.synth.head import load_head
from tinytracker.synth.raster import rasterize

Floats = NDArray[np.float32]

WIDTH, HEIGHT = 1024, 512
TOP_CM, BOTTOM_CM = 85.5, 54.5
AXIS_Z_CM = 3.0
"""The cylinder's axis passes through the middle of the skull, in coordinates of the base mesh."""


@dataclass(frozen=True)
class Atlas:
    """Per texel (HEIGHT, WIDTH): base mesh position (.., 3) cm and masks, zero outside the mesh."""

    position: Floats
    lips: Floats
    ears: Floats
    eyelids: Floats
    occlusion: Floats
    covered: NDArray[np.bool_]


def texture_coordinates(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Base mesh positions (n, 3) cm to texels (n, 2): column, row."""
    angle = np.arctan2(points[:, 0], points[:, 2] - AXIS_Z_CM)
    column = (angle / (2 * np.pi) + 0.5) * WIDTH
    row = (TOP_CM - points[:, 1]) / (TOP_CM - BOTTOM_CM) * HEIGHT
    return np.stack([column, row], 1)


@lru_cache(maxsize=1)
def load_atlas() -> Atlas:
    """Unroll the base mesh; the outermost surface wins."""
    head = load_head()
    xy = texture_coordinates(head.vertices).astype(np.float32)
    radius = np.hypot(head.vertices[:, 0], head.vertices[:, 2] - AXIS_Z_CM)
    across_seam = np.ptp(xy[head.triangles, 0], axis=1) > WIDTH / 2
    triangles = head.triangles[~across_seam & ~head.is_teeth]
    index, _ = rasterize(xy, (60 - radius).astype(np.float32), triangles, WIDTH, HEIGHT, 0)
    covered = index >= 0
    corners = triangles[np.maximum(index, 0)]
    a, b, c = (xy[corners[..., i]] for i in range(3))
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    p = np.stack([columns, rows], -1)

    def cross(u: Floats, v: Floats) -> Floats:
        return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]

    area = cross(b - a, c - a)
    area = np.where(np.abs(area) < 1e-9, 1, area)
    wb, wc = cross(p - a, c - a) / area, cross(b - a, p - a) / area
    weights = np.stack([1 - wb - wc, wb, wc], -1)

    def spread(values: NDArray[np.float64]) -> Floats:
        inside = np.einsum("yxk,yxk...->yx...", weights, values[corners])
        mask = covered.reshape(covered.shape + (1,) * (inside.ndim - 2))
        return np.where(mask, inside, 0).astype(np.float32)

    return Atlas(
        spread(head.vertices),
        spread(head.lips),
        spread(head.ears),
        spread(head.eyelids),
        spread(head.occlusion),
        covered,
    )
