"""Hair of every kind as thin tapered curves, blended over the image.

Shading of strands follows Kajiya and Kay, "Rendering fur with three dimensional textures", 1989.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled, floor

Ints = NDArray[np.int64]


NEAREST_CM = 5.0
"""Strands closer to the camera than this are not drawn."""
MARGIN = 16
"""Width, px, of the invisible border of the layer that curves are drawn in, so that no clipping is needed."""


class Strands(NamedTuple):
    """Curves in the scene.

    Attributes:
        points: (strands, p, 3) cm, root first. order: strands, far to near.
        colours: (strands, 3). widths: (strands,) cm at the root.
    """

    points: Floats32
    order: Ints
    colours: Floats32
    widths: Floats32


class Look(NamedTuple):
    """How strands are drawn; 32-bit numbers.

    Attributes:
        opacity: of a strand one pixel wide.
        shine: strength of the highlight.
        root_light: light at the roots, 0..1.
        bias: how much nearer another surface must be to hide a strand, cm.
        taper: how much thinner the tip is, 0..1.
    """

    opacity: float
    shine: float
    root_light: float
    bias: float
    taper: float


@compiled
def draw_strands(
    image: Floats32,
    inverse: Floats32,
    view: Floats32,
    strands: Strands,
    look: Look,
    light: Floats32,
    sources: Floats32,
) -> None:
    """Draw strands into `image` where nothing in `inverse` is nearer.

    Args:
        image: (h, w, 3) linear RGB, changed in place.
        inverse: (h, w) 1/cm, 0 where empty.
        view: focal length and principal point in px of this image.
        strands: the strands to draw.
        look: how they are drawn.
        light: (3, 3) sky, ground, up.
        sources: (k, 7), see `reflection`.
    """
    points, order, colours, widths = strands
    opacity, shine, root_light, bias, taper = look
    height, width = inverse.shape
    left, top, right, bottom = _extent(points, widths, view, width, height)
    if left >= right or top >= bottom:
        return
    layer = _cut_out(image, inverse, left, top, right, bottom)
    last = points.shape[1] - 1
    for s in order:
        for p in range(last):
            ax, ay, az = points[s, p, 0], points[s, p, 1], points[s, p, 2]
            bx, by, bz = points[s, p + 1, 0], points[s, p + 1, 1], points[s, p + 1, 2]
            if az < F(NEAREST_CM) or bz < F(NEAREST_CM):
                continue
            u0, v0 = view[1] - view[0] * ax / az, view[2] - view[0] * ay / az
            u1, v1 = view[1] - view[0] * bx / bz, view[2] - view[0] * by / bz
            if (
                max(u0, u1) < F(-2)
                or max(v0, v1) < F(-2)
                or min(u0, u1) > F(width)
                or min(v0, v1) > F(height)
            ):
                continue
            hidden = True
            for part in range(3):
                share = F(part) * F(0.5)
                column = min(max(int(u0 + (u1 - u0) * share), 0), width - 1)
                row = min(max(int(v0 + (v1 - v0) * share), 0), height - 1)
                if F(1) / (az + (bz - az) * share - bias) >= inverse[row, column]:
                    hidden = False
            if hidden:
                continue
            along = (F(p) + F(0.5)) / F(last)
            thick = widths[s] * (F(1) - taper * along * along) * view[0] / az
            deep = root_light + (F(1) - root_light) * min(along * F(2.5), F(1))
            r, g, b = _light_on_strand(
                ax, ay, az, bx - ax, by - ay, bz - az, colours[s], shine, light, sources
            )
            _draw_piece(
                layer,
                bottom - top + 2 * MARGIN,
                right - left + 2 * MARGIN,
                u0 - F(left),
                v0 - F(top),
                az - bias,
                u1 - F(left),
                v1 - F(top),
                bz - bias,
                thick,
                opacity,
                taper == F(0),
                r * deep,
                g * deep,
                b * deep,
            )
    inside = layer.reshape((bottom - top + 2 * MARGIN, right - left + 2 * MARGIN, 4))
    image[top:bottom, left:right] = inside[MARGIN:-MARGIN, MARGIN:-MARGIN, :3]


@compiled
def _draw_piece(
    layer: Floats32,
    rows: int,
    columns: int,
    u0: float,
    v0: float,
    z0: float,
    u1: float,
    v1: float,
    z1: float,
    thick: float,
    opacity: float,
    overlaps: bool,
    r: float,
    g: float,
    b: float,
) -> None:
    """Blend a straight segment from (u0, v0) to (u1, v1), px, with depths z0 and z1, cm, over a layer."""
    alpha = opacity * min(thick, F(1))
    half = F(0.5) * max(thick, F(1))
    steep = abs(v1 - v0) > abs(u1 - u0)
    if steep:
        u0, v0, u1, v1 = v0, u0, v1, u1
    if u0 > u1:
        u0, v0, u1, v1, z0, z1 = u1, v1, u0, v0, z1, z0
    span = u1 - u0
    if span < F(1e-4):
        return
    slope = (v1 - v0) / span
    if overlaps:
        # Thick opaque curves must overlap at their joints, otherwise the background shows through.
        overlap = F(0.35) * half + F(0.5)
        u0, v0, u1, v1 = u0 - overlap, v0 - overlap * slope, u1 + overlap, v1 + overlap * slope
        span = u1 - u0
    stretch = math.sqrt(F(1) + slope * slope)
    edge = half + F(0.5)
    reach, shrink, fall = edge * stretch, F(1) / stretch, (z1 - z0) / span
    # Steps along the segment and across it, in the layer's flat order.
    long_step, wide_step = (columns, 1) if steep else (1, columns)
    long_size, wide_size = (rows, columns) if steep else (columns, rows)
    # The same number of pixels across at every step, without branches: surplus pixels get a coverage of 0.
    across = min(floor(F(2) * reach) + 1, MARGIN)
    for m in range(max(0, floor(u0)), min(long_size - 2 * MARGIN - 1, floor(u1)) + 1):
        begin, end = max(F(m), u0), min(F(m + 1), u1)
        if end <= begin:
            continue
        from_start = F(0.5) * (begin + end) - u0
        centre = v0 + slope * from_start
        nearness = F(1) / (z0 + fall * from_start)
        strength = alpha * (end - begin)
        low = min(max(floor(centre - reach + F(0.5)), -MARGIN), wide_size - 2 * MARGIN)
        beside = F(low) + F(0.5) - centre
        at = (m + MARGIN) * long_step + (low + MARGIN) * wide_step
        for _ in range(across):
            cover = min(max(edge - abs(beside) * shrink, F(0)), F(1)) * strength
            a = cover if nearness >= layer[at, 3] else F(0)
            layer[at, 0] += (r - layer[at, 0]) * a
            layer[at, 1] += (g - layer[at, 1]) * a
            layer[at, 2] += (b - layer[at, 2]) * a
            beside += F(1)
            at += wide_step


@compiled
def _cut_out(image: Floats32, inverse: Floats32, left: int, top: int, right: int, bottom: int) -> Floats32:
    """Copy a rectangle of image and depth, flat (n, 4), with an invisible margin around it."""
    rows, columns = bottom - top, right - left
    layer = np.zeros((rows + 2 * MARGIN, columns + 2 * MARGIN, 4), np.float32)
    layer[:, :, 3] = F(np.inf)
    layer[MARGIN:-MARGIN, MARGIN:-MARGIN, :3] = image[top:bottom, left:right]
    layer[MARGIN:-MARGIN, MARGIN:-MARGIN, 3] = inverse[top:bottom, left:right]
    return layer.reshape(-1, 4)


@compiled
def _extent(
    points: Floats32, widths: Floats32, view: Floats32, width: int, height: int
) -> tuple[int, int, int, int]:
    """Return the rectangle x0, y0, x1, y1 of the image, px, that contains all curves."""
    left, top, right, bottom = F(width), F(height), F(0), F(0)
    for s in range(points.shape[0]):
        for p in range(points.shape[1]):
            if points[s, p, 2] < F(NEAREST_CM):
                continue
            scale = view[0] / points[s, p, 2]
            u, v = view[1] - scale * points[s, p, 0], view[2] - scale * points[s, p, 1]
            # A curve spreads by half its thickness; twice that leaves room for slant and overlap.
            spread = widths[s] * scale + F(3)
            left, right = min(left, u - spread), max(right, u + spread)
            top, bottom = min(top, v - spread), max(bottom, v + spread)
    return (
        max(0, floor(left)),
        max(0, floor(top)),
        min(width, floor(right) + 1),
        min(height, floor(bottom) + 1),
    )


@compiled
def _light_on_strand(
    ax: float,
    ay: float,
    az: float,
    tx: float,
    ty: float,
    tz: float,
    colour: Floats32,
    shine: float,
    light: Floats32,
    sources: Floats32,
) -> tuple[float, float, float]:
    """Return the light that a strand segment at a (scene cm), along t, reflects to the camera."""
    norm = F(1) / math.sqrt(tx * tx + ty * ty + tz * tz + F(1e-12))
    tx, ty, tz = tx * norm, ty * norm, tz * norm
    away = F(-1) / math.sqrt(ax * ax + ay * ay + az * az)
    ex, ey, ez = ax * away, ay * away, az * away
    lift = F(0.5) + F(0.35) * (light[2, 1] - ty * abs(ty))
    r = (light[1, 0] + (light[0, 0] - light[1, 0]) * lift) * colour[0]
    g = (light[1, 1] + (light[0, 1] - light[1, 1]) * lift) * colour[1]
    b = (light[1, 2] + (light[0, 2] - light[1, 2]) * lift) * colour[2]
    for k in range(sources.shape[0]):
        lx, ly, lz = sources[k, 0], sources[k, 1], sources[k, 2]
        tl = tx * lx + ty * ly + tz * lz
        diffuse = math.sqrt(max(F(1) - tl * tl, F(0))) * F(0.75)
        hx, hy, hz = lx + ex, ly + ey, lz + ez
        hn = F(1) / math.sqrt(hx * hx + hy * hy + hz * hz + F(1e-9))
        th = (tx * hx + ty * hy + tz * hz) * hn
        spec = max(F(1) - th * th, F(0))
        spec = spec * spec
        spec = spec * spec
        spec = spec * spec
        spec = spec * spec * shine
        # A source behind the head hardly lights the side that the camera sees.
        side = F(0.25) + F(0.75) * min(max(F(0.5) + F(0.7) * (lx * ex + ly * ey + lz * ez), F(0)), F(1))
        r += sources[k, 3] * side * (colour[0] * diffuse + spec * (F(0.025) + F(0.45) * colour[0]))
        g += sources[k, 4] * side * (colour[1] * diffuse + spec * (F(0.025) + F(0.45) * colour[1]))
        b += sources[k, 5] * side * (colour[2] * diffuse + spec * (F(0.025) + F(0.45) * colour[2]))
    return r, g, b


@compiled
def place_strands(points: Floats32, rotation: Floats32, position: Floats32) -> Floats32:
    """Rotate curves (strands, p, 3) by a matrix (3, 3) and move them by (3,).

    Compiled, because numpy's matrix product of this size would start one thread per core in every worker.
    """
    placed = np.empty_like(points)
    for s in range(points.shape[0]):
        for p in range(points.shape[1]):
            x, y, z = points[s, p, 0], points[s, p, 1], points[s, p, 2]
            for k in range(3):
                turned = rotation[k, 0] * x + rotation[k, 1] * y + rotation[k, 2] * z
                placed[s, p, k] = turned + position[k]
    return placed


@compiled
def splat_shadow(shadow: Floats32, axes: Floats32, points: Floats32) -> None:
    """Draw curves (strands, p, 3) into the key light's shadow map, so that hair casts a shadow too."""
    size = shadow.shape[0]
    for s in range(points.shape[0]):
        for p in range(points.shape[1]):
            dx, dy, dz = (
                points[s, p, 0] - axes[3, 0],
                points[s, p, 1] - axes[3, 1],
                points[s, p, 2] - axes[3, 2],
            )
            u = int(dx * axes[0, 0] + dy * axes[0, 1] + dz * axes[0, 2])
            v = int(dx * axes[1, 0] + dy * axes[1, 1] + dz * axes[1, 2])
            w = dx * axes[2, 0] + dy * axes[2, 1] + dz * axes[2, 2]
            if 0 <= u < size and 0 <= v < size and w > F(0.5) and F(1) / w > shadow[v, u]:
                shadow[v, u] = F(1) / w
