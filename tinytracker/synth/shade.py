"""Shades the pixels of the mesh: first the material (skin, shirt, teeth, inside of the mouth), then the light."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.synth.fabric import COLLAR_DIP_CM, cloth_colour, collar
from tinytracker.synth.jit import F, compiled
from tinytracker.synth.reflection import (
    BLOCK,
    BLOCK_SIZE,
    BLUE,
    GLOSS,
    GREEN,
    LIT,
    NX,
    NY,
    NZ,
    OPENNESS,
    RED,
    SLOPE_U,
    SLOPE_V,
    SOFTNESS,
    SX,
    SY,
    SZ,
    light_block,
)

Ints = NDArray[np.int32]


@compiled
def texel(texture: Floats32, column: float, row: float) -> tuple[float, float, float, float, float, float]:
    """Return the six channels of the skin texture, interpolated between four texels."""
    u = min(max(column - F(0.5), F(0)), F(texture.shape[1]) - F(1.01))
    v = min(max(row - F(0.5), F(0)), F(texture.shape[0]) - F(1.01))
    x, y = int(u), int(v)
    fu, fv = u - F(x), v - F(y)
    a, b, c, d = (F(1) - fu) * (F(1) - fv), fu * (F(1) - fv), (F(1) - fu) * fv, fu * fv
    t = texture
    return (
        a * t[y, x, 0] + b * t[y, x + 1, 0] + c * t[y + 1, x, 0] + d * t[y + 1, x + 1, 0],
        a * t[y, x, 1] + b * t[y, x + 1, 1] + c * t[y + 1, x, 1] + d * t[y + 1, x + 1, 1],
        a * t[y, x, 2] + b * t[y, x + 1, 2] + c * t[y + 1, x, 2] + d * t[y + 1, x + 1, 2],
        a * t[y, x, 3] + b * t[y, x + 1, 3] + c * t[y + 1, x, 3] + d * t[y + 1, x + 1, 3],
        a * t[y, x, 4] + b * t[y, x + 1, 4] + c * t[y + 1, x, 4] + d * t[y + 1, x + 1, 4],
        a * t[y, x, 5] + b * t[y, x + 1, 5] + c * t[y + 1, x, 5] + d * t[y + 1, x + 1, 5],
    )


@compiled
def _give_back(image: Floats32, places: Ints, block: Floats32, count: int) -> None:
    """Write the colours of the block's first `count` pixels to their positions (row, column)."""
    for n in range(count):
        y, x = places[n, 0], places[n, 1]
        image[y, x, 0], image[y, x, 1], image[y, x, 2] = block[RED + n], block[GREEN + n], block[BLUE + n]


HEADWEAR = 2
"""Kind of a triangle that is covered by a hat or scarf: skin in the texture, cloth in its reflection."""


class Mesh(NamedTuple):
    """A posed and projected mesh.

    Attributes:
        xy: (n, 2) px. inverse_depth: (n,) 1/cm. normals: (n, 3).
        attributes: (n, 8) texture column, row, occlusion, mouth, base x, y, z (cm), share of the key light.
        triangles: (m, 3). kinds: (m,) 0 body, 1 teeth, 2 headwear.
    """

    xy: Floats32
    inverse_depth: Floats32
    normals: Floats32
    attributes: Floats32
    triangles: Ints
    kinds: Ints


class Surface(NamedTuple):
    """The surface of the mesh.

    Attributes:
        texture: skin texture, see `paint`.
        cloth: two colours, pattern, size, collar height.
        table: lattice noise.
    """

    texture: Floats32
    cloth: Floats32
    table: Floats32


class Lamps(NamedTuple):
    """The light on the mesh.

    Attributes:
        light: (3, 3) sky, ground, up.
        sources: (k, 7) direction, colour, softness; the first casts shadows.
    """

    light: Floats32
    sources: Floats32


@compiled
def shade_mesh(
    image: Floats32,
    index: Ints,
    inverse: Floats32,
    view: Floats32,
    mesh: Mesh,
    surface: Surface,
    lamps: Lamps,
    skip: Ints,
) -> None:
    """Shade every pixel of `index` into `image`.

    Args:
        image: (h, w, 3) linear RGB, changed in place.
        index: from `rasterize`.
        inverse: from `rasterize`.
        view: (3,) focal length and principal point x, y, in px of this image.
        mesh: the mesh that `index` refers to.
        surface: its colours.
        lamps: its light.
        skip: (4,) x0, y0, x1, y1 of a rectangle to leave unchanged.
    """
    xy, inverse_depth, normals, attributes, triangles, kinds = mesh
    texture, cloth, table = surface
    light, sources = lamps
    height, width = index.shape
    a = np.empty(8, np.float32)
    block = np.empty(BLOCK_SIZE, np.float32)
    places = np.empty((BLOCK, 2), np.int32)
    n = 0
    per_focal = F(1) / view[0]
    last, kind = np.int32(-1), np.int32(0)
    i, j, k = np.int32(0), np.int32(0), np.int32(0)
    ax, ay, bx, by, area = F(0), F(0), F(0), F(0), F(0)
    for y in range(height):
        for x in range(width):
            t = index[y, x]
            if t < 0 or (skip[0] <= x < skip[2] and skip[1] <= y < skip[3]):
                continue
            if t != last:
                last = t
                i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                kind = kinds[t]
                ax, ay = xy[i, 0] - xy[k, 0], xy[i, 1] - xy[k, 1]
                bx, by = xy[j, 0] - xy[k, 0], xy[j, 1] - xy[k, 1]
                area = F(1) / (ax * by - ay * bx)
            cx, cy = F(x) + F(0.5), F(y) + F(0.5)
            px, py = cx - xy[k, 0], cy - xy[k, 1]
            depth = F(1) / inverse[y, x]
            wi, wj = (px * by - py * bx) * area * depth, (ax * py - ay * px) * area * depth
            wk = depth - wi - wj
            wi, wj, wk = wi * inverse_depth[i], wj * inverse_depth[j], wk * inverse_depth[k]
            for c in range(8):
                a[c] = wi * attributes[i, c] + wj * attributes[j, c] + wk * attributes[k, c]
            block[NX + n] = wi * normals[i, 0] + wj * normals[j, 0] + wk * normals[k, 0]
            block[NY + n] = wi * normals[i, 1] + wj * normals[j, 1] + wk * normals[k, 1]
            block[NZ + n] = wi * normals[i, 2] + wj * normals[j, 2] + wk * normals[k, 2]
            block[SX + n], block[SY + n] = (
                (view[1] - cx) * per_focal * depth,
                (view[2] - cy) * per_focal * depth,
            )
            block[SZ + n] = depth
            is_cloth = False
            edge = F(0)
            if kind == 0 and a[5] < cloth[8] + F(4):
                edge = cloth[8] - F(COLLAR_DIP_CM) - F(1) - a[5]  # everything below this is shirt
                if edge < F(0.5):
                    angle = (a[0] / F(texture.shape[1]) - F(0.5)) * F(2 * math.pi)
                    edge = collar(cloth, table, angle, a[4], a[5], a[6]) - a[5]
                else:
                    edge += F(2)
                is_cloth = edge > F(0)
            # By rounding, a pixel on a silhouette may lie outside its triangle; shares of light are clamped, because
            # their roots are taken.
            openness, lit = max(a[2], F(0)), max(a[7], F(0))
            slope_u, slope_v = F(0), F(0)
            if kind == 1:
                red, green, blue, gloss, softness = F(0.55), F(0.5), F(0.43), F(0.6), F(1)
                openness *= F(0.45)
            elif is_cloth:
                red, green, blue = cloth_colour(cloth, table, a[4], a[5], a[6])
                gloss, softness = F(0), F(0.45)
                # A hem: the cloth is doubled at the edge, and darker along the seam.
                if F(0.9) < edge < F(1.05):
                    red, green, blue = red * F(0.75), green * F(0.75), blue * F(0.75)
            else:
                softness = F(0.45) if kind == HEADWEAR else F(1)
                red, green, blue, gloss, slope_u, slope_v = texel(texture, a[0], a[1])
                inside = F(1) - F(0.93) * a[3]
                red, green, blue = red * inside, green * inside * inside, blue * inside * inside
                gloss *= inside
                if F(-0.25) < edge < F(0):
                    openness *= F(0.75)  # the collar shades the adjacent skin
            block[RED + n], block[GREEN + n], block[BLUE + n], block[GLOSS + n] = red, green, blue, gloss
            block[SOFTNESS + n], block[OPENNESS + n], block[LIT + n] = softness, openness, lit
            block[SLOPE_U + n], block[SLOPE_V + n] = slope_u, slope_v
            places[n, 0], places[n, 1] = y, x
            n += 1
            if n == BLOCK:
                light_block(block, n, light, sources)
                _give_back(image, places, block, n)
                n = 0
    light_block(block, n, light, sources)
    _give_back(image, places, block, n)
