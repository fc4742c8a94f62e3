"""The eyeball: a white sphere, a clear cornea that bends the view of the iris, and the mirror images on it.

Each pixel's ray meets the sclera or the cornea; through the cornea it is refracted (n = 1.336) and meets the
iris plane. Distances are those of a schematic eye. The device's screen is mirrored where it really is.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.synth.jit import F, compiled
from tinytracker.synth.noise import lattice_noise

Floats = NDArray[np.float32]


@compiled
def shade_eye(
    image: Floats,
    inverse: Floats,
    view: Floats,
    centre: Floats,
    axis: Floats,
    up: Floats,
    globe: Floats,
    colours: Floats,
    table: Floats,
    light: Floats,
    sources: Floats,
    glints: Floats,
    screen: Floats,
    screen_colour: Floats,
    key: float,
) -> None:
    """Draw one eyeball into `image` where the face in `inverse` does not hide it.

    Args:
        image: (h, w, 3) linear RGB.
        inverse: (h, w) 1/cm of the face.
        view: focal length, principal point.
        centre: (3,) of rotation, cm.
        axis: (3,) optical axis.
        up: (3,) of the head.
        globe: (7,) radius of sclera and cornea, offset of the cornea's centre, depth and radius of the iris,
            radius of the pupil, redness.
        colours: (2, 3) outer and inner iris.
        table: of lattice noise.
        light: (3, 3).
        sources: (k, 7).
        glints: (k,) cosine of the sources' half angle.
        screen: (4,) x0, y0, x1, y1 of the lit screen, cm.
        screen_colour: (3,).
        key: share of the key light that reaches the face here.
    """
    height, width = inverse.shape
    ex, ey, ez = centre[0], centre[1], centre[2]
    sr, cr, co, idepth, ir, pr, redness = globe[0], globe[1], globe[2], globe[3], globe[4], globe[5], globe[6]
    ox, oy, oz = axis[0], axis[1], axis[2]
    px_cm = view[0] / ez
    cu, cv = view[1] - view[0] * ex / ez, view[2] - view[0] * ey / ez
    reach = px_cm * (co + cr) * F(1.06)
    x0, x1 = max(0, int(cu - reach)), min(width, int(cu + reach) + 2)
    y0, y1 = max(0, int(cv - reach)), min(height, int(cv + reach) + 2)
    if x0 >= x1 or y0 >= y1:
        return
    # Axes of the iris plane, so that its fibres turn with the eye.
    ax, ay, az = up[1] * oz - up[2] * oy, up[2] * ox - up[0] * oz, up[0] * oy - up[1] * ox
    norm = F(1) / math.sqrt(ax * ax + ay * ay + az * az)
    ax, ay, az = ax * norm, ay * norm, az * norm
    bx, by, bz = oy * az - oz * ay, oz * ax - ox * az, ox * ay - oy * ax
    # The cornea's rim: where its sphere leaves the sclera's.
    along = (co * co + sr * sr - cr * cr) / (F(2) * co)
    rim_cos = along / sr
    kx, ky, kz = ex + ox * co, ey + oy * co, ez + oz * co
    lid = np.zeros((y1 - y0, x1 - x0), F)
    for y in range(y0, y1):
        for x in range(x0, x1):
            dx, dy = (view[1] - F(x) - F(0.5)) / view[0], (view[2] - F(y) - F(0.5)) / view[0]
            norm = F(1) / math.sqrt(dx * dx + dy * dy + F(1))
            b = (dx * ex + dy * ey + ez) * norm
            disc = b * b - (ex * ex + ey * ey + ez * ez - sr * sr)
            if disc > 0 and F(1) / ((b - math.sqrt(disc)) * norm) > inverse[y, x]:
                lid[y - y0, x - x0] = 1
    # Distance to the lids in cm, for the shadow they cast: a forward and a backward sweep over the mask.
    step = F(1) / px_cm
    rows, columns = lid.shape
    for y in range(rows):
        for x in range(columns):
            if lid[y, x] > 0:
                above = lid[y - 1, x] if y > 0 else F(9)
                before = lid[y, x - 1] if x > 0 else F(9)
                lid[y, x] = min(above + step, before + F(2) * step)
    for y in range(rows - 1, -1, -1):
        for x in range(columns - 1, -1, -1):
            if lid[y, x] > 0:
                below = lid[y + 1, x] if y < rows - 1 else F(9)
                after = lid[y, x + 1] if x < columns - 1 else F(9)
                lid[y, x] = min(lid[y, x], min(F(2.5) * below + F(2.5) * step, after + F(2) * step))
    for y in range(y0, y1):
        for x in range(x0, x1):
            if lid[y - y0, x - x0] <= 0:
                continue
            dx, dy, dz = (view[1] - F(x) - F(0.5)) / view[0], (view[2] - F(y) - F(0.5)) / view[0], F(1)
            norm = F(1) / math.sqrt(dx * dx + dy * dy + F(1))
            dx, dy, dz = dx * norm, dy * norm, dz * norm
            b = dx * ex + dy * ey + dz * ez
            disc = max(b * b - (ex * ex + ey * ey + ez * ez - sr * sr), F(0))
            hit = b - math.sqrt(disc)
            nx, ny, nz = (dx * hit - ex) / sr, (dy * hit - ey) / sr, (dz * hit - ez) / sr
            gx, gy, gz = nx, ny, nz
            toward = nx * ox + ny * oy + nz * oz
            across = math.sqrt(max(F(1) - toward * toward, F(0))) * sr
            # White of the eye: greyer and yellower away from the iris, with fine vessels.
            aside = min(max((across - F(0.62)) / F(0.5), F(0)), F(1))
            wx, wy, wz = nx * ax + ny * ay + nz * az, nx * bx + ny * by + nz * bz, toward
            vessel = lattice_noise(table, wx * F(9), wy * F(22), wz * F(9))
            vessel = max(F(0), F(1) - abs(vessel) * F(5)) * aside * (F(0.25) + redness)
            blush = redness * aside * F(0.25)
            r = F(0.63) * (F(1) - F(0.07) * aside) * (F(1) - F(0.10) * vessel)
            g = F(0.58) * (F(1) - F(0.12) * aside) * (F(1) - F(0.45) * vessel - F(0.3) * blush)
            b_ = F(0.54) * (F(1) - F(0.14) * aside) * (F(1) - F(0.42) * vessel - F(0.3) * blush)
            wet = F(0.6)
            kb = dx * kx + dy * ky + dz * kz
            kdisc = kb * kb - (kx * kx + ky * ky + kz * kz - cr * cr)
            if toward > rim_cos - F(0.06) and kdisc > 0:
                hit_k = kb - math.sqrt(kdisc)
                cx, cy, cz = (dx * hit_k - kx) / cr, (dy * hit_k - ky) / cr, (dz * hit_k - kz) / cr
                # Refract into the eye (Snell), then on to the iris plane.
                cosine = -(dx * cx + dy * cy + dz * cz)
                eta = F(1 / 1.336)
                bent = math.sqrt(max(F(1) - eta * eta * (F(1) - cosine * cosine), F(0)))
                fx = eta * dx + (eta * cosine - bent) * cx
                fy = eta * dy + (eta * cosine - bent) * cy
                fz = eta * dz + (eta * cosine - bent) * cz
                qx, qy, qz = dx * hit_k, dy * hit_k, dz * hit_k
                into = fx * ox + fy * oy + fz * oz
                gap = (
                    (ex + ox * idepth - qx) * ox + (ey + oy * idepth - qy) * oy + (ez + oz * idepth - qz) * oz
                )
                way = gap / into if into < F(-1e-3) else F(0)
                qx, qy, qz = (
                    qx + fx * way - ex - ox * idepth,
                    qy + fy * way - ey - oy * idepth,
                    qz + fz * way - ez - oz * idepth,
                )
                iu, iv = qx * ax + qy * ay + qz * az, qx * bx + qy * by + qz * bz
                radius = math.sqrt(iu * iu + iv * iv)
                share = radius / ir
                soft = F(0.5) * step / ir + F(0.045)
                on_iris = min(max((F(1) + soft - share) / (F(2) * soft), F(0)), F(1))
                if on_iris > 0:
                    scale = F(1) / (radius + F(1e-6))
                    cu_, cv_ = iu * scale, iv * scale
                    fibre = lattice_noise(table, cu_ * F(7), cv_ * F(7), share * F(1.6))
                    fibre += F(0.6) * lattice_noise(table, cu_ * F(16), cv_ * F(16), share * F(2.5) + F(7))
                    mix = min(max((share - F(0.42)) / F(0.25), F(0)), F(1))
                    dark = F(1) - F(0.62) * min(max((share - F(0.80)) / F(0.2), F(0)), F(1))
                    tone = max(F(1) + F(0.28) * fibre, F(0.2)) * dark
                    ired = (colours[1, 0] + (colours[0, 0] - colours[1, 0]) * mix) * tone
                    igreen = (colours[1, 1] + (colours[0, 1] - colours[1, 1]) * mix) * tone
                    iblue = (colours[1, 2] + (colours[0, 2] - colours[1, 2]) * mix) * tone
                    psoft = F(0.5) * step + F(0.008)
                    hole = min(max((radius - pr + psoft) / (F(2) * psoft), F(0)), F(1))
                    ired, igreen, iblue = (
                        ired * hole + F(0.004),
                        igreen * hole + F(0.003),
                        iblue * hole + F(0.003),
                    )
                    r, g, b_ = (
                        r + (ired - r) * on_iris,
                        g + (igreen - g) * on_iris,
                        b_ + (iblue - b_) * on_iris,
                    )
                    gx, gy, gz = gx + (cx - gx) * on_iris, gy + (cy - gy) * on_iris, gz + (cz - gz) * on_iris
                    norm = F(1) / math.sqrt(gx * gx + gy * gy + gz * gz)
                    gx, gy, gz = gx * norm, gy * norm, gz * norm
                    wet = F(0.6) + F(0.4) * on_iris
            # Light on it; the lids shade what is close to them, the upper one most.
            distance = lid[y - y0, x - x0]
            shade = F(0.32) + F(0.68) * min(distance / F(0.30), F(1))
            lift = F(0.5) + F(0.5) * (nx * light[2, 0] + ny * light[2, 1] + nz * light[2, 2])
            lr = (light[1, 0] + (light[0, 0] - light[1, 0]) * lift) * F(0.62)
            lg = (light[1, 1] + (light[0, 1] - light[1, 1]) * lift) * F(0.62)
            lb = (light[1, 2] + (light[0, 2] - light[1, 2]) * lift) * F(0.62)
            # Mirror images.
            dot = F(2) * (dx * gx + dy * gy + dz * gz)
            mx, my, mz = dx - dot * gx, dy - dot * gy, dz - dot * gz
            facing = max(-(dx * gx + dy * gy + dz * gz), F(0))
            grazing = (F(1) - facing) ** 5
            mirror = (F(0.025) + F(0.5) * grazing) * wet
            sr_, sg_, sb_ = F(0), F(0), F(0)
            for s in range(sources.shape[0]):
                cosine = nx * sources[s, 0] + ny * sources[s, 1] + nz * sources[s, 2]
                part = key if s == 0 else F(1)
                diffuse = max((cosine + F(0.25)) / F(1.25), F(0)) * part
                lr += sources[s, 3] * diffuse
                lg += sources[s, 4] * diffuse
                lb += sources[s, 5] * diffuse
                if glints[s] < F(0.9999):
                    near = mx * sources[s, 0] + my * sources[s, 1] + mz * sources[s, 2]
                    edge = min(max((near - glints[s]) / ((F(1) - glints[s]) * F(0.35)), F(0)), F(1))
                    # A source's radiance is its light over the solid angle that it fills.
                    radiance = min(F(0.5) / (F(1) - glints[s]), F(90)) * part * edge
                    sr_ += sources[s, 3] * radiance
                    sg_ += sources[s, 4] * radiance
                    sb_ += sources[s, 5] * radiance
            if mz < F(-0.05):
                way = -dz * hit / mz
                qx, qy = dx * hit + mx * way, dy * hit + my * way
                if screen[0] < qx < screen[2] and screen[1] < qy < screen[3]:
                    sr_ += screen_colour[0]
                    sg_ += screen_colour[1]
                    sb_ += screen_colour[2]
            sky_r, sky_g, sky_b = light[0, 0] * F(0.5), light[0, 1] * F(0.5), light[0, 2] * F(0.5)
            if my > 0:
                sr_, sg_, sb_ = sr_ + sky_r * my, sg_ + sky_g * my, sb_ + sky_b * my
            open_to = min(distance / F(0.12), F(1))
            mirror *= open_to
            # The tear film along the lower lid catches light.
            image[y, x, 0] = r * lr * shade + mirror * sr_
            image[y, x, 1] = g * lg * (shade * F(0.96) + F(0.02)) + mirror * sg_
            image[y, x, 2] = b_ * lb * (shade * F(0.95) + F(0.02)) + mirror * sb_
