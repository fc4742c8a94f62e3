"""The head unrolled onto a cylinder: the position on the base mesh of each texel of the skin.

All subjects share the base mesh, so a vertex has the same texture coordinates for every head shape. Columns are the
angle around the vertical axis (0 at the nose, positive to the subject's left), rows are the height.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.synth.head import load_head
from tinytracker.synth.raster import rasterize

WIDTH, HEIGHT = 1024, 512
TOP_CM, BOTTOM_CM = 85.5, 54.5
AXIS_Z_CM = 3.0
"""The cylinder's axis passes through the middle of the skull, in coordinates of the base mesh."""


PAINTED_DEG = 125.0
"""Texels further towards the back of the head than this angle never face the camera."""


@dataclass(frozen=True)
class Atlas:
    """The visible texels: flat index (t,), base mesh position (t, 3) cm, and masks (t,)."""

    texel: NDArray[np.int64]
    position: Floats32
    lips: Floats32
    ears: Floats32
    eyelids: Floats32


def texture_coordinates(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert base mesh positions (n, 3) cm to texels (n, 2): column, row."""
    angle = np.arctan2(points[:, 0], points[:, 2] - AXIS_Z_CM)
    column = (angle / (2 * np.pi) + 0.5) * WIDTH
    row = (TOP_CM - points[:, 1]) / (TOP_CM - BOTTOM_CM) * HEIGHT
    return np.stack([column, row], 1)


@lru_cache(maxsize=1)
def load_atlas() -> Atlas:
    """Unroll the base mesh; the outermost surface is kept."""
    head = load_head()
    xy = texture_coordinates(head.vertices).astype(np.float32)
    radius = np.hypot(head.vertices[:, 0], head.vertices[:, 2] - AXIS_Z_CM)
    across_seam = np.ptp(xy[head.triangles, 0], axis=1) > WIDTH / 2
    triangles = head.triangles[~across_seam & ~head.is_teeth]
    index, _ = rasterize(xy, (60 - radius).astype(np.float32), triangles, WIDTH, HEIGHT, 0)
    around = (np.arange(WIDTH) + 0.5) / WIDTH - 0.5
    texel = np.flatnonzero((index >= 0) & (np.abs(around) < PAINTED_DEG / 360))
    rows, columns = np.divmod(texel, WIDTH)
    corners = triangles[index.ravel()[texel]]
    a, b, c = (xy[corners[:, i]] for i in range(3))
    p = np.stack([columns, rows], 1) + 0.5

    def cross(u: NDArray[np.floating[Any]], v: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        product: NDArray[np.floating[Any]] = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
        return product

    area = cross(b - a, c - a)
    area = np.where(np.abs(area) < 1e-9, 1, area)
    share_b, share_c = cross(p - a, c - a) / area, cross(b - a, p - a) / area
    weights = np.stack([1 - share_b - share_c, share_b, share_c], 1)

    def spread(values: NDArray[np.float64]) -> Floats32:
        inside: Floats32 = np.einsum("tk,tk...->t...", weights, values[corners]).astype(np.float32)
        return inside

    return Atlas(texel, spread(head.vertices), spread(head.lips), spread(head.ears), spread(head.eyelids))
