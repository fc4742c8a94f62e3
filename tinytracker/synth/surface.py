"""Values computed per vertex rather than per pixel: normals and the share of the key light."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled, floor

Ints = NDArray[np.int32]

SHADOW_BIAS_CM = 0.45


@compiled
def vertex_normals(positions: Floats32, triangles: Ints) -> Floats32:
    """Return area-weighted unit normals (n, 3)."""
    normals = np.zeros_like(positions)
    for t in range(triangles.shape[0]):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = (
            positions[j, 0] - positions[i, 0],
            positions[j, 1] - positions[i, 1],
            positions[j, 2] - positions[i, 2],
        )
        vx, vy, vz = (
            positions[k, 0] - positions[i, 0],
            positions[k, 1] - positions[i, 1],
            positions[k, 2] - positions[i, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for v in (i, j, k):
            normals[v, 0] += nx
            normals[v, 1] += ny
            normals[v, 2] += nz
    for v in range(positions.shape[0]):
        x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
        length = math.sqrt(x * x + y * y + z * z) + F(1e-12)
        normals[v, 0] /= length
        normals[v, 1] /= length
        normals[v, 2] /= length
    return normals


@compiled
def normalised(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return the unit vector of this direction."""
    scale = F(1) / math.sqrt(x * x + y * y + z * z + F(1e-12))
    return x * scale, y * scale, z * scale


@compiled
def shadow_lookup(shadow: Floats32, axes: Floats32, px: float, py: float, pz: float) -> float:
    """Return the share of the key light that reaches a point, 0 to 1: a soft depth test over 3 x 3 texels.

    `shadow` holds 1/depth as seen from the light; the rows of `axes` are the two directions across that map
    (per texel), the direction of the light, and the corner.
    """
    size = shadow.shape[0]
    dx, dy, dz = px - axes[3, 0], py - axes[3, 1], pz - axes[3, 2]
    x = dx * axes[0, 0] + dy * axes[0, 1] + dz * axes[0, 2] - F(0.5)
    y = dx * axes[1, 0] + dy * axes[1, 1] + dz * axes[1, 2] - F(0.5)
    limit = dx * axes[2, 0] + dy * axes[2, 1] + dz * axes[2, 2] - F(SHADOW_BIAS_CM)
    ix, iy = floor(x), floor(y)
    if ix < 1 or iy < 1 or ix >= size - 2 or iy >= size - 2:
        return F(1)
    tx, ty = x - F(ix), y - F(iy)
    lit = F(0)
    for j in range(4):
        wy = F(1) - ty if j == 0 else (ty if j == 3 else F(1))
        row = F(0)
        for i in range(4):
            open_ = F(1) if shadow[iy + j - 1, ix + i - 1] * limit < F(1) else F(0)
            row += open_ * (F(1) - tx if i == 0 else (tx if i == 3 else F(1)))
        lit += row * wy
    return lit * F(1 / 9)


@compiled
def vertex_shadows(shadow: Floats32, axes: Floats32, positions: Floats32, attributes: Floats32) -> None:
    """Write each vertex's share of the key light into column 7 of `attributes`.

    Per vertex is enough: the mesh is finer than the penumbra of any lamp. It costs a twentieth of a test per pixel.
    """
    for v in range(positions.shape[0]):
        attributes[v, 7] = shadow_lookup(shadow, axes, positions[v, 0], positions[v, 1], positions[v, 2])
