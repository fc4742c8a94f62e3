"""Colour of skin, shirt, teeth and the inside of the mouth, per pixel, in linear light.

Diffuse light wraps around the terminator, further for red than for blue, which stands in for light that
travels under the skin (the idea of pre-integrated skin shading, Penner 2011). Highlights are two Blinn-Phong
lobes with a Fresnel rise. All numbers in the loops are 32-bit on purpose: mixing in Python's integers would
make them 64-bit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.synth.jit import F, compiled
from tinytracker.synth.noise import lattice_noise

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

SHADOW_BIAS_CM = 0.45
COLLAR_DIP_CM = 2.6
COLLAR_HALF_CM = 6.0


@compiled
def vertex_normals(positions: Floats, triangles: Ints) -> Floats:
    """Area-weighted unit normals (n, 3)."""
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
    """The unit vector of this direction."""
    scale = F(1) / math.sqrt(x * x + y * y + z * z + F(1e-12))
    return x * scale, y * scale, z * scale


@compiled
def shadow_lookup(shadow: Floats, axes: Floats, px: float, py: float, pz: float) -> float:
    """Share of the key light that reaches a point, 0 to 1: a soft depth test over 3 x 3 texels.

    `shadow` holds 1/depth as the light sees it; the rows of `axes` are the two directions across that picture
    (per texel), the direction of the light, and the corner.
    """
    size = shadow.shape[0]
    dx, dy, dz = px - axes[3, 0], py - axes[3, 1], pz - axes[3, 2]
    x = dx * axes[0, 0] + dy * axes[0, 1] + dz * axes[0, 2] - F(0.5)
    y = dx * axes[1, 0] + dy * axes[1, 1] + dz * axes[1, 2] - F(0.5)
    limit = dx * axes[2, 0] + dy * axes[2, 1] + dz * axes[2, 2] - F(SHADOW_BIAS_CM)
    ix, iy = math.floor(x), math.floor(y)
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
def vertex_shadows(shadow: Floats, axes: Floats, positions: Floats, attributes: Floats) -> None:
    """Write each vertex' share of the key light into column 7 of `attributes`.

    Per vertex is enough: the mesh is finer than the penumbra of any lamp, and it costs a twentieth of per
    pixel.
    """
    for v in range(positions.shape[0]):
        attributes[v, 7] = shadow_lookup(shadow, axes, positions[v, 0], positions[v, 1], positions[v, 2])


@compiled
def texel(texture: Floats, column: float, row: float) -> tuple[float, float, float, float, float, float]:
    """The six channels of the skin's texture, interpolated between four texels."""
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
def collar(cloth: Floats, table: Floats, angle: float, x: float, y: float, z: float) -> float:
    """Height (cm, base mesh) of the shirt's edge at this angle around the neck."""
    dip = math.exp(-(angle * angle) * F(2.2))
    # Towards the shoulders the edge rises out of the way: they are covered.
    shoulder = F(2) * max(abs(x) - F(COLLAR_HALF_CM), F(0))
    height: float = cloth[8] - F(COLLAR_DIP_CM) * dip + shoulder + F(0.05) * lattice_noise(table, x, y, z)
    return height


@compiled
def cloth_colour(cloth: Floats, table: Floats, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Reflectance of the shirt at a base mesh position: plain, striped or checked, with a weave."""
    which = 0
    if cloth[6] == F(1):
        which = math.floor(y / cloth[7]) & 1
    elif cloth[6] == F(2):
        which = (math.floor(y / cloth[7]) + math.floor(x / cloth[7])) & 1
    weave = F(1) + F(0.06) * lattice_noise(table, x * F(6), y * F(6), z * F(6))
    return cloth[3 * which] * weave, cloth[3 * which + 1] * weave, cloth[3 * which + 2] * weave


@compiled
def light_point(
    red: float,
    green: float,
    blue: float,
    gloss: float,
    softness: float,
    openness: float,
    nx: float,
    ny: float,
    nz: float,
    sx: float,
    sy: float,
    sz: float,
    light: Floats,
    sources: Floats,
    lit: float,
) -> tuple[float, float, float]:
    """Light that a point (scene cm) of this reflectance and unit normal sends to the camera.

    `lit` is the share of the first source that no shadow takes.
    """
    vx, vy, vz = normalised(-sx, -sy, -sz)
    lift = F(0.5) + F(0.5) * (nx * light[2, 0] + ny * light[2, 1] + nz * light[2, 2])
    facing = max(nx * vx + ny * vy + nz * vz, F(0))
    rim = F(1) - facing
    rim = rim * rim
    fresnel = F(0.03) + F(0.22) * rim * rim * rim
    root = math.sqrt(openness)
    ambient_r = light[1, 0] + (light[0, 0] - light[1, 0]) * lift
    ambient_g = light[1, 1] + (light[0, 1] - light[1, 1]) * lift
    ambient_b = light[1, 2] + (light[0, 2] - light[1, 2]) * lift
    # Light that enters a hollow is reddened by the skin around it.
    r_light = ambient_r * (F(0.5) * root + F(0.5) * openness)
    g_light, b_light = ambient_g * openness, ambient_b * openness
    mirror = gloss * fresnel * openness * F(0.6)
    shine_r, shine_g, shine_b = mirror * ambient_r, mirror * ambient_g, mirror * ambient_b
    opened = F(0.55) + F(0.45) * openness
    red_opened = F(0.5) * (math.sqrt(opened) + opened)
    for s in range(sources.shape[0]):
        lx, ly, lz, size = sources[s, 0], sources[s, 1], sources[s, 2], sources[s, 6]
        cosine = nx * lx + ny * ly + nz * lz
        extra = F(0.25) * size
        wr, wg, wb = F(0.36) * softness + extra, F(0.22) * softness + extra, F(0.17) * softness + extra
        if cosine + wr <= F(0):
            continue
        reach, red_reach = opened, red_opened
        if s == 0:
            reach *= lit + (F(1) - lit) * F(0.25) * size
            red_reach = F(0.5) * (math.sqrt(reach) + reach)
        r_light += sources[s, 3] * (cosine + wr) / (F(1) + wr) * red_reach
        g_light += sources[s, 4] * max((cosine + wg) / (F(1) + wg), F(0)) * reach
        b_light += sources[s, 5] * max((cosine + wb) / (F(1) + wb), F(0)) * reach
        if gloss > F(0) and cosine > F(0):
            hx, hy, hz = normalised(lx + vx, ly + vy, lz + vz)
            half = max(nx * hx + ny * hy + nz * hz, F(0))
            half = half * half
            half = half * half
            broad = half * half
            tight = broad * broad
            tight = tight * tight
            lobe = F(1.6) * broad * (F(1) - F(0.6) * size) + F(5) * tight * (F(1) - F(0.8) * size)
            lobe *= cosine * gloss * fresnel * reach
            shine_r += sources[s, 3] * lobe
            shine_g += sources[s, 4] * lobe
            shine_b += sources[s, 5] * lobe
    return red * r_light + shine_r, green * g_light + shine_g, blue * b_light + shine_b


@compiled
def shade_mesh(
    image: Floats,
    index: Ints,
    inverse: Floats,
    view: Floats,
    xy: Floats,
    inverse_depth: Floats,
    normals: Floats,
    attributes: Floats,
    triangles: Ints,
    kinds: Ints,
    texture: Floats,
    cloth: Floats,
    table: Floats,
    light: Floats,
    sources: Floats,
    skip: Ints,
) -> None:
    """Shade every pixel of `index` into `image`.

    Args:
        image: (h, w, 3) linear RGB, changed in place.
        index: from `rasterize`.
        inverse: from `rasterize`.
        view: (3,) focal length and principal point x, y, in px of this picture.
        xy: (n, 2) px.
        inverse_depth: (n,) 1/cm.
        normals: (n, 3). All per vertex.
        attributes: (n, 8) texture column, row, occlusion, mouth, base x, y, z (cm), share of the key light.
        triangles: (m, 3).
        kinds: (m,) 0 body, 1 teeth.
        texture: of the skin, see `paint`.
        cloth: two colours, pattern, size, collar height.
        table: of lattice noise.
        light: (3, 3) sky, ground, up.
        sources: (k, 7) direction, colour, softness; the first casts shadows.
        skip: (4,) x0, y0, x1, y1 of a rectangle to leave alone.
    """
    height, width = index.shape
    a = np.empty(8, np.float32)
    for y in range(height):
        for x in range(width):
            t = index[y, x]
            if t < 0 or (skip[0] <= x < skip[2] and skip[1] <= y < skip[3]):
                continue
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            cx, cy = F(x) + F(0.5), F(y) + F(0.5)
            px, py = cx - xy[k, 0], cy - xy[k, 1]
            ax, ay = xy[i, 0] - xy[k, 0], xy[i, 1] - xy[k, 1]
            bx, by = xy[j, 0] - xy[k, 0], xy[j, 1] - xy[k, 1]
            area = F(1) / (ax * by - ay * bx)
            depth = F(1) / inverse[y, x]
            wi, wj = (px * by - py * bx) * area, (ax * py - ay * px) * area
            wk = (F(1) - wi - wj) * inverse_depth[k] * depth
            wi *= inverse_depth[i] * depth
            wj *= inverse_depth[j] * depth
            for c in range(8):
                a[c] = wi * attributes[i, c] + wj * attributes[j, c] + wk * attributes[k, c]
            nx, ny, nz = normalised(
                wi * normals[i, 0] + wj * normals[j, 0] + wk * normals[k, 0],
                wi * normals[i, 1] + wj * normals[j, 1] + wk * normals[k, 1],
                wi * normals[i, 2] + wj * normals[j, 2] + wk * normals[k, 2],
            )
            sx, sy = (view[1] - cx) / view[0] * depth, (view[2] - cy) / view[0] * depth
            is_cloth = False
            edge = F(0)
            if kinds[t] == 0 and a[5] < cloth[8] + F(4):
                edge = cloth[8] - F(COLLAR_DIP_CM) - F(1) - a[5]  # below this there is nothing but shirt
                if edge < F(0.5):
                    angle = (a[0] / F(texture.shape[1]) - F(0.5)) * F(2 * math.pi)
                    edge = collar(cloth, table, angle, a[4], a[5], a[6]) - a[5]
                else:
                    edge += F(2)
                is_cloth = edge > F(0)
            openness = a[2]
            if kinds[t] == 1:
                red, green, blue, gloss, softness = F(0.55), F(0.5), F(0.43), F(0.6), F(1)
                openness *= F(0.45)
            elif is_cloth:
                red, green, blue = cloth_colour(cloth, table, a[4], a[5], a[6])
                gloss, softness = F(0), F(0.45)
                # A hem: the edge is doubled and darker where it is sewn.
                if F(0.9) < edge < F(1.05):
                    red, green, blue = red * F(0.75), green * F(0.75), blue * F(0.75)
            else:
                softness = F(1)
                red, green, blue, gloss, slope_u, slope_v = texel(texture, a[0], a[1])
                # Tangents: around the head and up along it; the subject's left is the scene's -x.
                tx, _, tz = normalised(nz, F(0), -nx)
                nx, ny, nz = normalised(nx - slope_u * tx, ny - slope_v, nz - slope_u * tz)
                inside = F(1) - F(0.93) * a[3]
                red, green, blue = red * inside, green * inside * inside, blue * inside * inside
                gloss *= inside
                if F(-0.25) < edge < F(0):
                    openness *= F(0.75)  # the collar shades the skin next to it
            r, g, b = light_point(
                red, green, blue, gloss, softness, openness, nx, ny, nz, sx, sy, depth, light, sources, a[7]
            )
            image[y, x, 0], image[y, x, 1], image[y, x, 2] = r, g, b
