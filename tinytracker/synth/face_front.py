"""The front of a face as heights over a grid: for what lies on it, such as hands and hair over an eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.synth.head import load_head
from tinytracker.synth.raster import rasterize

_CELL_CM, _SIDE = 0.25, 128
_FAR_CM = 60.0


@dataclass(frozen=True)
class FaceFront:
    """Depth z (cm) of the foremost surface over a grid of x and y in head coordinates; -inf outside the head."""

    z: Floats

    @classmethod
    def of(cls, vertices: Floats) -> FaceFront:
        """Measure vertices (n, 3) cm in head coordinates."""
        xy = (vertices[:, :2] / _CELL_CM + _SIDE / 2).astype(np.float32)
        depth = (_FAR_CM - vertices[:, 2]).astype(np.float32)
        _, inverse = rasterize(xy, depth, load_head().triangles, _SIDE, _SIDE, 0)
        with np.errstate(divide="ignore"):
            return cls(np.where(inverse > 0, _FAR_CM - 1 / inverse.astype(np.float64), -np.inf))

    def on(self, points: Floats, above_cm: float) -> Floats:
        """Return points (..., 2) in head coordinates with z (..., 3): `above_cm` in front of the surface.

        Beside the head, the depth is that of the point's nearest place on it, in the same row.
        """
        flat = np.asarray(points, np.float64).reshape(-1, 2)
        column, row = (np.clip((flat[:, k] / _CELL_CM + _SIDE / 2).astype(int), 0, _SIDE - 1) for k in (0, 1))
        depth = np.empty(len(flat))
        for i, (x, y) in enumerate(zip(column, row, strict=True)):
            there = np.flatnonzero(np.isfinite(self.z[y]))
            depth[i] = self.z[y, there[np.abs(there - x).argmin()]] if len(there) else 0.0
        placed: Floats = np.column_stack([flat, depth + above_cm]).reshape((*np.shape(points)[:-1], 3))
        return placed
