"""Smooth random fields in space: lattice noise, a pure function of the position."""

from __future__ import annotations

import numpy as np

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled, floor

CELLS = 32
TABLE: Floats32 = np.random.default_rng(20160626).standard_normal(CELLS**3).astype(np.float32)
"""Lattice values, flat, z fastest; the field repeats after 32 units."""


@compiled
def lattice_noise(table: Floats32, x: float, y: float, z: float) -> float:
    """Return value noise at a point, from `TABLE`: a smooth average of the eight nearest lattice values, ~N(0, 0.6)."""
    fx, fy, fz = floor(x), floor(y), floor(z)
    last = CELLS - 1
    ix, iy, iz = (fx & last) * CELLS * CELLS, (fy & last) * CELLS, fz & last
    jx, jy, jz = ((fx + 1) & last) * CELLS * CELLS, ((fy + 1) & last) * CELLS, (fz + 1) & last
    tx, ty, tz = (
        F(x - F(fx)),
        F(y - F(fy)),
        F(z - F(fz)),
    )
    two, three = F(2), F(3)
    tx, ty, tz = tx * tx * (three - two * tx), ty * ty * (three - two * ty), tz * tz * (three - two * tz)
    a = table[ix + iy + iz] + (table[jx + iy + iz] - table[ix + iy + iz]) * tx
    b = table[ix + jy + iz] + (table[jx + jy + iz] - table[ix + jy + iz]) * tx
    c = table[ix + iy + jz] + (table[jx + iy + jz] - table[ix + iy + jz]) * tx
    d = table[ix + jy + jz] + (table[jx + jy + jz] - table[ix + jy + jz]) * tx
    e = a + (b - a) * ty
    value: float = e + (c + (d - c) * ty - e) * tz
    return value


@compiled
def noise_field(table: Floats32, points: Floats32, scale: float, offset: Floats32) -> Floats32:
    """Return noise at points (..., 3), flattened to (n, 3), after scaling and shifting them."""
    result = np.empty(points.shape[0], np.float32)
    for i in range(points.shape[0]):
        result[i] = lattice_noise(
            table,
            points[i, 0] * scale + offset[0],
            points[i, 1] * scale + offset[1],
            points[i, 2] * scale + offset[2],
        )
    return result
