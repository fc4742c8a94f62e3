"""Colour of skin, shirt, teeth and the inside of the mouth, per pixel, in linear light.

Diffuse light wraps around the terminator, further for red than for blue, which stands in for light that travels
under the skin (the idea of pre-integrated skin shading, Penner 2011). Highlights are Blinn-Phong with a Fresnel rise.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.synth.jit import compiled
from tinytracker.synth.noise import lattice_noise

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

F = np.float32


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
        length = math.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2) + F(1e-12)
        normals[v, 0] /= length
        normals[v, 1] /= length
        normals[v, 2] /= length
    return normals


@compiled
def shadow_lookup(shadow: Floats, axes: Floats, px: float, py: float, pz: float) -> float:
    """Share of the key light that reaches a point, 0 to 1: a 3 x 3 soft depth test in the light's view."""
    size = shadow.shape[0]
    dx, dy, dz = px - axes[3, 0], py - axes[3, 1], pz - axes[3, 2]
    u = dx * axes[0, 0] + dy * axes[0, 1] + dz * axes[0, 2]
    v = dx * axes[1, 0] + dy * axes[1, 1] + dz * axes[1, 2]
    w = dx * axes[2, 0] + dy * axes[2, 1] + dz * axes[2, 2]
    x, y = u - F(0.5), v - F(0.5)
    ix, iy = int(math.floor(x)), int(math.floor(y))
    if ix < 1 or iy < 1 or ix >= size - 2 or iy >= size - 2:
        return F(1)
    tx, ty = F(x - ix), F(y - iy)
    lit = F(0)
    for j in range(-1, 3):
        wy = F(1) - ty if j == -1 else (ty if j == 2 else F(1))
        for i in range(-1, 3):
            wx = F(1) - tx if i == -1 else (tx if i == 2 else F(1))
            blocker = shadow[iy + j, ix + i]
            if blocker == 0 or F(1) / blocker > w - F(0.45):
                lit += wx * wy
    return lit / F(9)


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
    shadow: Floats,
    shadow_axes: Floats,
    skip: Ints,
) -> None:
    """Shade every pixel of `index` into `image`.

    Args:
        image: (h, w, 3) linear RGB, changed in place.
        index: from `rasterize`. inverse: from `rasterize`.
        view: (5,) focal length in px, principal point x, y in px, both of this picture, and unused.
        xy: (n, 2) px. inverse_depth: (n,) 1/cm. normals: (n, 3). All per vertex.
        attributes: (n, 7) texture column, row, occlusion, mouth, base x, y, z (cm).
        triangles: (m, 3). kinds: (m,) 0 body, 1 teeth.
        texture: of the skin, see `paint`. cloth: (12,) two colours, pattern, size, neckline, fold depth.
        light: (3, 3) sky, ground, up. sources: (k, 7) direction, colour, softness; the first casts the shadow.
        shadow: (s, s) 1/depth seen from the key light. shadow_axes: (4, 3) rows to its pixels, depth, origin.
        skip: (4,) x0, y0, x1, y1 of a rectangle to leave alone.
    """
    height, width = index.shape
    rows, columns = texture.shape[0], texture.shape[1]
    wrap = (F(0.36), F(0.22), F(0.17))
    open_power = (F(0.75), F(0.95), F(1.05))
    a7 = np.empty(7, F)
    for y in range(height):
        for x in range(width):
            t = index[y, x]
            if t < 0 or (skip[0] <= x < skip[2] and skip[1] <= y < skip[3]):
                continue
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            px, py = x + F(0.5) - xy[k, 0], y + F(0.5) - xy[k, 1]
            ax, ay = xy[i, 0] - xy[k, 0], xy[i, 1] - xy[k, 1]
            bx, by = xy[j, 0] - xy[k, 0], xy[j, 1] - xy[k, 1]
            area = F(1) / (ax * by - ay * bx)
            depth = F(1) / inverse[y, x]
            wi = (px * by - py * bx) * area
            wj = (ax * py - ay * px) * area
            wk = (F(1) - wi - wj) * inverse_depth[k] * depth
            wi *= inverse_depth[i] * depth
            wj *= inverse_depth[j] * depth
            nx = wi * normals[i, 0] + wj * normals[j, 0] + wk * normals[k, 0]
            ny = wi * normals[i, 1] + wj * normals[j, 1] + wk * normals[k, 1]
            nz = wi * normals[i, 2] + wj * normals[j, 2] + wk * normals[k, 2]
            for c in range(7):
                a7[c] = wi * attributes[i, c] + wj * attributes[j, c] + wk * attributes[k, c]
            scale = F(1) / math.sqrt(nx * nx + ny * ny + nz * nz + F(1e-12))
            nx, ny, nz = nx * scale, ny * scale, nz * scale
            # The point in the scene and the direction from it to the camera.
            sx, sy = (view[1] - x - F(0.5)) / view[0] * depth, (view[2] - y - F(0.5)) / view[0] * depth
            away = F(-1) / math.sqrt(sx * sx + sy * sy + depth * depth)
            vx, vy, vz = sx * away, sy * away, depth * away
            open_sky = a7[2]
            angle = (a7[0] / columns - F(0.5)) * F(6.2831853)
            front = math.exp(-(angle * angle) * F(2.2))
            is_cloth = kinds[t] == 0 and a7[5] < cloth[8] - F(2.6) * front + F(0.12) * lattice_noise(
                table, a7[4], a7[5], a7[6]
            )
            gloss, softness = F(0), F(1)
            if kinds[t] == 1:
                red, green, blue, gloss = F(0.55), F(0.5), F(0.43), F(0.6)
                open_sky *= F(0.45)
            elif is_cloth:
                which = 0
                if cloth[6] == 1:
                    which = int(math.floor(a7[5] / cloth[7])) & 1
                elif cloth[6] == 2:
                    which = (int(math.floor(a7[5] / cloth[7])) + int(math.floor(a7[4] / cloth[7]))) & 1
                weave = F(1) + F(0.05) * lattice_noise(table, a7[4] * F(6), a7[5] * F(6), a7[6] * F(6))
                red, green, blue = (
                    cloth[3 * which] * weave,
                    cloth[3 * which + 1] * weave,
                    cloth[3 * which + 2] * weave,
                )
                fold = cloth[9]
                u, v, w = a7[4] * F(0.25), a7[5] * F(0.16), a7[6] * F(0.3)
                nx += fold * lattice_noise(table, u, v, w)
                ny += fold * lattice_noise(table, u + F(9), v, w)
                nz += F(0.5) * fold * lattice_noise(table, u, v + F(9), w)
                scale = F(1) / math.sqrt(nx * nx + ny * ny + nz * nz + F(1e-12))
                nx, ny, nz = nx * scale, ny * scale, nz * scale
                softness = F(0.45)
            else:
                u = min(max(a7[0] - F(0.5), F(0)), columns - F(1.001))
                v = min(max(a7[1] - F(0.5), F(0)), rows - F(1.001))
                iu, iv = int(u), int(v)
                fu, fv = u - iu, v - iv
                w00, w01 = (F(1) - fu) * (F(1) - fv), fu * (F(1) - fv)
                w10, w11 = (F(1) - fu) * fv, fu * fv
                t00, t01, t10, t11 = (
                    texture[iv, iu],
                    texture[iv, iu + 1],
                    texture[iv + 1, iu],
                    texture[iv + 1, iu + 1],
                )
                red = w00 * t00[0] + w01 * t01[0] + w10 * t10[0] + w11 * t11[0]
                green = w00 * t00[1] + w01 * t01[1] + w10 * t10[1] + w11 * t11[1]
                blue = w00 * t00[2] + w01 * t01[2] + w10 * t10[2] + w11 * t11[2]
                gloss = w00 * t00[3] + w01 * t01[3] + w10 * t10[3] + w11 * t11[3]
                slope_u = w00 * t00[4] + w01 * t01[4] + w10 * t10[4] + w11 * t11[4]
                slope_v = w00 * t00[5] + w01 * t01[5] + w10 * t10[5] + w11 * t11[5]
                # Tangents: around the head and up along it; the subject's left is the scene's -x.
                tx, tz = nz, -nx
                scale = F(1) / math.sqrt(tx * tx + tz * tz + F(1e-6))
                tx, tz = tx * scale, tz * scale
                nx -= slope_u * tx
                ny -= slope_v
                nz -= slope_u * tz
                scale = F(1) / math.sqrt(nx * nx + ny * ny + nz * nz + F(1e-12))
                nx, ny, nz = nx * scale, ny * scale, nz * scale
                inside = F(1) - F(0.93) * a7[3]
                red, green, blue = red * inside, green * inside * inside, blue * inside * inside
                gloss *= inside
            lift = F(0.5) + F(0.5) * (nx * light[2, 0] + ny * light[2, 1] + nz * light[2, 2])
            facing = max(nx * vx + ny * vy + nz * vz, F(0))
            rim = F(1) - facing
            rim = rim * rim
            fresnel = F(0.03) + F(0.22) * rim * rim * rim
            r_light, g_light, b_light = F(0), F(0), F(0)
            shine_r, shine_g, shine_b = F(0), F(0), F(0)
            for s in range(sources.shape[0]):
                lx, ly, lz = sources[s, 0], sources[s, 1], sources[s, 2]
                cosine = nx * lx + ny * ly + nz * lz
                reach = F(1)
                if s == 0 and cosine > F(-0.3):
                    reach = shadow_lookup(shadow, shadow_axes, sx, sy, depth)
                    reach = reach + (F(1) - reach) * F(0.25) * sources[s, 6]
                reach *= F(0.55) + F(0.45) * open_sky
                extra = F(0.25) * sources[s, 6]
                wr, wg, wb = (
                    wrap[0] * softness + extra,
                    wrap[1] * softness + extra,
                    wrap[2] * softness + extra,
                )
                r_light += sources[s, 3] * max((cosine + wr) / (F(1) + wr), F(0)) * (reach ** F(0.75))
                g_light += sources[s, 4] * max((cosine + wg) / (F(1) + wg), F(0)) * reach
                b_light += sources[s, 5] * max((cosine + wb) / (F(1) + wb), F(0)) * reach
                if gloss > 0 and cosine > 0:
                    hx, hy, hz = lx + vx, ly + vy, lz + vz
                    half = (nx * hx + ny * hy + nz * hz) / math.sqrt(hx * hx + hy * hy + hz * hz + F(1e-9))
                    half = max(half, F(0))
                    half = half * half
                    half = half * half
                    half = half * half
                    broad = half
                    half = half * half
                    tight = half * half
                    lobe = (
                        F(1.6) * broad * (F(1) - F(0.6) * sources[s, 6])
                        + F(5) * tight * (F(1) - F(0.8) * sources[s, 6])
                    ) * cosine
                    lobe *= gloss * fresnel * reach
                    shine_r += sources[s, 3] * lobe
                    shine_g += sources[s, 4] * lobe
                    shine_b += sources[s, 5] * lobe
            ambient_shine = gloss * fresnel * open_sky * F(0.6)
            sky_r = light[1, 0] + (light[0, 0] - light[1, 0]) * lift
            sky_g = light[1, 1] + (light[0, 1] - light[1, 1]) * lift
            sky_b = light[1, 2] + (light[0, 2] - light[1, 2]) * lift
            image[y, x, 0] = (
                red * (sky_r * open_sky ** open_power[0] + r_light) + shine_r + ambient_shine * sky_r
            )
            image[y, x, 1] = (
                green * (sky_g * open_sky ** open_power[1] + g_light) + shine_g + ambient_shine * sky_g
            )
            image[y, x, 2] = (
                blue * (sky_b * open_sky ** open_power[2] + b_light) + shine_b + ambient_shine * sky_b
            )
