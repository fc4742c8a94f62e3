"""Hair of every kind as thin tapered curves, blended over the picture far to near.

Light on a strand follows Kajiya and Kay, "Rendering fur with three dimensional textures", 1989.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.synth.jit import F, compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@compiled
def draw_strands(
    image: Floats,
    inverse: Floats,
    view: Floats,
    points: Floats,
    order: Ints,
    colours: Floats,
    widths: Floats,
    opacity: float,
    shine: float,
    root_light: float,
    bias: float,
    taper: float,
    light: Floats,
    sources: Floats,
) -> None:
    """Draw curves into `image` where nothing in `inverse` is nearer by more than `bias` cm.

    Args:
        image: (h, w, 3) linear RGB, changed in place.
        inverse: (h, w) 1/cm, 0 where empty.
        view: focal length and principal point in px of this picture.
        points: (strands, p, 3) scene cm, root first.
        order: strands, far to near.
        colours: (strands, 3).
        widths: (strands,) cm at the root.
        opacity: of a strand as wide as a pixel.
        shine: strength of the highlight.
        root_light: light at the
            roots, 0..1.
        bias: cm.
        taper: how much thinner the tip is, 0..1.
        light: (3, 3) sky, ground, up.
        sources: (k, 7),
            see `shade`.
    """
    height, width = inverse.shape
    right_edge, bottom_edge = F(width), F(height)
    last = points.shape[1] - 1
    for s in order:
        for p in range(last):
            ax, ay, az = points[s, p, 0], points[s, p, 1], points[s, p, 2]
            bx, by, bz = points[s, p + 1, 0], points[s, p + 1, 1], points[s, p + 1, 2]
            if az < F(5) or bz < F(5):
                continue
            u0, v0 = view[1] - view[0] * ax / az, view[2] - view[0] * ay / az
            u1, v1 = view[1] - view[0] * bx / bz, view[2] - view[0] * by / bz
            if (
                max(u0, u1) < F(-2)
                or max(v0, v1) < F(-2)
                or min(u0, u1) > right_edge
                or min(v0, v1) > bottom_edge
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
            alpha = opacity * min(thick, F(1))
            half = F(0.5) * max(thick, F(1))
            tx, ty, tz = bx - ax, by - ay, bz - az
            norm = F(1) / math.sqrt(tx * tx + ty * ty + tz * tz + F(1e-12))
            tx, ty, tz = tx * norm, ty * norm, tz * norm
            away = F(-1) / math.sqrt(ax * ax + ay * ay + az * az)
            ex, ey, ez = ax * away, ay * away, az * away
            deep = root_light + (F(1) - root_light) * min(along * F(2.5), F(1))
            lift = F(0.5) + F(0.35) * (light[2, 1] - ty * abs(ty))
            r = (light[1, 0] + (light[0, 0] - light[1, 0]) * lift) * colours[s, 0]
            g = (light[1, 1] + (light[0, 1] - light[1, 1]) * lift) * colours[s, 1]
            b = (light[1, 2] + (light[0, 2] - light[1, 2]) * lift) * colours[s, 2]
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
                # A source behind the head hardly lights what the camera sees of it.
                side = F(0.25) + F(0.75) * min(
                    max(F(0.5) + F(0.7) * (lx * ex + ly * ey + lz * ez), F(0)), F(1)
                )
                r += (
                    sources[k, 3]
                    * side
                    * (colours[s, 0] * diffuse + spec * (F(0.025) + F(0.45) * colours[s, 0]))
                )
                g += (
                    sources[k, 4]
                    * side
                    * (colours[s, 1] * diffuse + spec * (F(0.025) + F(0.45) * colours[s, 1]))
                )
                b += (
                    sources[k, 5]
                    * side
                    * (colours[s, 2] * diffuse + spec * (F(0.025) + F(0.45) * colours[s, 2]))
                )
            r, g, b = r * deep, g * deep, b * deep
            du, dv = u1 - u0, v1 - v0
            steep = abs(dv) > abs(du)
            if steep:
                u0, v0, u1, v1, du, dv = v0, u0, v1, u1, dv, du
            if u0 > u1:
                u0, v0, u1, v1, az, bz = u1, v1, u0, v0, bz, az
            span = u1 - u0
            if span < F(1e-4):
                continue
            slope = (v1 - v0) / span
            if taper == F(0):
                # Thick opaque curves overlap at their joints, or the background shines through.
                overlap = F(0.35) * half + F(0.5)
                u0, v0, u1, v1 = u0 - overlap, v0 - overlap * slope, u1 + overlap, v1 + overlap * slope
                span = u1 - u0
            reach = (half + F(0.5)) * math.sqrt(F(1) + slope * slope)
            shrink = F(1) / math.sqrt(F(1) + slope * slope)
            long_limit, wide_limit = (height, width) if steep else (width, height)
            first = max(0, math.floor(u0))
            final = min(long_limit - 1, math.floor(u1))
            for m in range(first, final + 1):
                share = min(F(m + 1), u1) - max(F(m), u0)
                if share <= 0:
                    continue
                middle = F(0.5) * (min(F(m + 1), u1) + max(F(m), u0))
                part = (middle - u0) / span
                centre = v0 + slope * (middle - u0)
                nearness = F(1) / (az + (bz - az) * part - bias)
                low = max(0, math.floor(centre - reach))
                high = min(wide_limit - 1, math.floor(centre + reach))
                for q in range(low, high + 1):
                    row, column = (m, q) if steep else (q, m)
                    if nearness < inverse[row, column]:
                        continue
                    cover = half + F(0.5) - abs(F(q) + F(0.5) - centre) * shrink
                    if cover <= 0:
                        continue
                    a = min(cover, F(1)) * alpha * share
                    image[row, column, 0] += (r - image[row, column, 0]) * a
                    image[row, column, 1] += (g - image[row, column, 1]) * a
                    image[row, column, 2] += (b - image[row, column, 2]) * a


@compiled
def splat_shadow(shadow: Floats, axes: Floats, points: Floats) -> None:
    """Mark curves (strands, p, 3) in the key light's depth picture, so that hair casts a shadow too."""
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
