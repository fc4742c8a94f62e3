"""The eyeball: a white sphere, a clear cornea that refracts the view of the iris, and reflections on it.

Each pixel's ray hits the sclera or the cornea; at the cornea it is refracted (n = 1.336) and then hits the iris
plane. Distances are those of a schematic eye. The reflection of the device's screen is at its true position.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled, inlined
from tinytracker.synth.noise import lattice_noise

Vector: TypeAlias = "tuple[float, float, float]"
"""A direction, a position (cm) or a linear RGB colour in the compiled loops."""
Window: TypeAlias = "tuple[int, int, int, int]"
"""x0, y0, x1, y1 in px; the last two are excluded."""


class Globe(NamedTuple):
    """Sizes of an eyeball in cm, 32-bit; redness of the white, a factor on its reflectance; 1 with contact lenses."""

    sclera_radius: float
    cornea_radius: float
    cornea_offset: float
    iris_depth: float
    iris_radius: float
    pupil_radius: float
    redness: float
    white: float
    lens: float


class Eyeball(NamedTuple):
    """One eye as the compiled loop reads it.

    Attributes:
        centre: (3,) centre of rotation, cm. axis: (3,) optical axis. up: (3,) up direction of the head.
        globe: sizes of the eyeball.
        iris: (2, 3) outer and inner colour.
    """

    centre: Floats32
    axis: Floats32
    up: Floats32
    globe: Globe
    iris: Floats32


class EyeLight(NamedTuple):
    """The light on an eye and reflected by it.

    Attributes:
        ambient: (3, 3) sky, ground, up.
        sources: (k, 7) direction, colour, softness. glints: (k,) cosine of half of each source's angular size.
        key: share of the first source's light that reaches the face here.
        screen: (4,) x0, y0, x1, y1 of the lit screen, cm. screen_colour: (3,).
    """

    ambient: Floats32
    sources: Floats32
    glints: Floats32
    key: float
    screen: Floats32
    screen_colour: Floats32


@compiled
def shade_eye(
    image: Floats32, inverse: Floats32, view: Floats32, eye: Eyeball, light: EyeLight, table: Floats32
) -> None:
    """Draw one eyeball into `image` where the face in `inverse` does not hide it.

    The compiler reorders sums over the whole loop: moving another part of it into a function changes the last bit of
    some pixels. The `inlined` functions used here preserve every bit.

    Args:
        image: (h, w, 3) linear RGB.
        inverse: (h, w) inverse depth of the face, 1/cm.
        view: focal length, principal point.
        eye: position, direction and appearance.
        light: falling on the eye and reflected by it.
        table: lattice noise.
    """
    height, width = inverse.shape
    globe, axis = eye.globe, eye.axis
    screen, screen_colour, ambient = light.screen, light.screen_colour, light.ambient
    ex, ey, ez = eye.centre[0], eye.centre[1], eye.centre[2]
    sr, cr, co = globe.sclera_radius, globe.cornea_radius, globe.cornea_offset
    idepth, ir = globe.iris_depth, globe.iris_radius
    ox, oy, oz = axis[0], axis[1], axis[2]
    px_cm = view[0] / ez
    cu, cv = view[1] - view[0] * ex / ez, view[2] - view[0] * ey / ez
    reach = px_cm * (co + cr) * F(1.06)
    x0, x1 = max(0, int(cu - reach)), min(width, int(cu + reach) + 2)
    y0, y1 = max(0, int(cv - reach)), min(height, int(cv + reach) + 2)
    if x0 >= x1 or y0 >= y1:
        return
    (ax, ay, az), (bx, by, bz) = _iris_axes(eye)
    # The cornea's rim: where its sphere meets the sclera's.
    along = (co * co + sr * sr - cr * cr) / (F(2) * co)
    rim_cos = along / sr
    kx, ky, kz = ex + ox * co, ey + oy * co, ez + oz * co
    step = F(1) / px_cm
    lid = _lid_distances(inverse, view, eye, (x0, y0, x1, y1), step)
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
            r, g, b_ = _white((nx, ny, nz), eye, (ax, ay, az), (bx, by, bz), table)
            wet = F(0.6)
            kb = dx * kx + dy * ky + dz * kz
            kdisc = kb * kb - (kx * kx + ky * ky + kz * kz - cr * cr)
            if toward > rim_cos - F(0.06) and kdisc > 0:
                hit_k = kb - math.sqrt(kdisc)
                cx, cy, cz = (dx * hit_k - kx) / cr, (dy * hit_k - ky) / cr, (dz * hit_k - kz) / cr
                # Refract into the eye (Snell), then intersect the iris plane.
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
                    ired, igreen, iblue = _iris_colour(iu, iv, radius, eye, table, step)
                    r, g, b_ = (
                        r + (ired - r) * on_iris,
                        g + (igreen - g) * on_iris,
                        b_ + (iblue - b_) * on_iris,
                    )
                    gx, gy, gz = gx + (cx - gx) * on_iris, gy + (cy - gy) * on_iris, gz + (cz - gz) * on_iris
                    norm = F(1) / math.sqrt(gx * gx + gy * gy + gz * gz)
                    gx, gy, gz = gx * norm, gy * norm, gz * norm
                    wet = F(0.6) + F(0.4) * on_iris
            # Incident light; the lids shade what is close to them, the upper lid most.
            distance = lid[y - y0, x - x0]
            shade = F(0.25) + F(0.75) * min(distance / F(0.34), F(1))
            # Reflections.
            dot = F(2) * (dx * gx + dy * gy + dz * gz)
            mx, my, mz = dx - dot * gx, dy - dot * gy, dz - dot * gz
            facing = max(-(dx * gx + dy * gy + dz * gz), F(0))
            grazing = (F(1) - facing) ** 5
            mirror = (F(0.025) + F(0.5) * grazing) * wet
            (lr, lg, lb), (sr_, sg_, sb_) = _light((nx, ny, nz), (mx, my, mz), light)
            if mz < F(-0.05):
                way = -dz * hit / mz
                qx, qy = dx * hit + mx * way, dy * hit + my * way
                if screen[0] < qx < screen[2] and screen[1] < qy < screen[3]:
                    sr_ += screen_colour[0]
                    sg_ += screen_colour[1]
                    sb_ += screen_colour[2]
            sky_r, sky_g, sky_b = ambient[0, 0] * F(0.5), ambient[0, 1] * F(0.5), ambient[0, 2] * F(0.5)
            if my > 0:
                sr_, sg_, sb_ = sr_ + sky_r * my, sg_ + sky_g * my, sb_ + sky_b * my
            open_to = min(distance / F(0.12), F(1))
            mirror *= open_to
            # The tear film along the lower lid catches light.
            image[y, x, 0] = r * lr * shade + mirror * sr_
            image[y, x, 1] = g * lg * (shade * F(0.96) + F(0.02)) + mirror * sg_
            image[y, x, 2] = b_ * lb * (shade * F(0.95) + F(0.02)) + mirror * sb_


@compiled
def _lid_distances(inverse: Floats32, view: Floats32, eye: Eyeball, window: Window, step: float) -> Floats32:
    """Return each pixel's approximate distance to the nearest lid, cm, for its shadow; 0 where no eye is visible."""
    x0, y0, x1, y1 = window
    centre, radius = eye.centre, eye.globe.sclera_radius
    ex, ey, ez = centre[0], centre[1], centre[2]
    lid = np.zeros((y1 - y0, x1 - x0), F)
    for y in range(y0, y1):
        for x in range(x0, x1):
            dx, dy = (view[1] - F(x) - F(0.5)) / view[0], (view[2] - F(y) - F(0.5)) / view[0]
            norm = F(1) / math.sqrt(dx * dx + dy * dy + F(1))
            b = (dx * ex + dy * ey + ez) * norm
            disc = b * b - (ex * ex + ey * ey + ez * ez - radius * radius)
            if disc > 0 and F(1) / ((b - math.sqrt(disc)) * norm) > inverse[y, x]:
                lid[y - y0, x - x0] = 1
    # A forward and a backward sweep over the mask.
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
    return lid


@inlined
def _iris_colour(u: float, v: float, radius: float, eye: Eyeball, table: Floats32, step: float) -> Vector:
    """Return the colour of the iris: fibres from the pupil to the dark rim; black in the pupil."""
    colours, share = eye.iris, radius / eye.globe.iris_radius
    scale = F(1) / (radius + F(1e-6))
    du, dv = u * scale, v * scale
    fibre = lattice_noise(table, du * F(7), dv * F(7), share * F(1.6))
    fibre += F(0.6) * lattice_noise(table, du * F(16), dv * F(16), share * F(2.5) + F(7))
    mix = min(max((share - F(0.42)) / F(0.25), F(0)), F(1))
    dark = F(1) - F(0.62) * min(max((share - F(0.80)) / F(0.2), F(0)), F(1))
    tone = max(F(1) + F(0.28) * fibre, F(0.2)) * dark
    soft = F(0.5) * step + F(0.008)
    hole = min(max((radius - eye.globe.pupil_radius + soft) / (F(2) * soft), F(0)), F(1))
    return (
        (colours[1, 0] + (colours[0, 0] - colours[1, 0]) * mix) * tone * hole + F(0.004),
        (colours[1, 1] + (colours[0, 1] - colours[1, 1]) * mix) * tone * hole + F(0.003),
        (colours[1, 2] + (colours[0, 2] - colours[1, 2]) * mix) * tone * hole + F(0.003),
    )


@inlined
def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def _white(normal: Vector, eye: Eyeball, across: Vector, along: Vector, table: Floats32) -> Vector:
    """Return the colour of the white: greyer and yellower away from the iris, with fine vessels."""
    globe, axis = eye.globe, (eye.axis[0], eye.axis[1], eye.axis[2])
    toward = _dot(normal, axis)
    from_axis = math.sqrt(max(F(1) - toward * toward, F(0))) * globe.sclera_radius
    aside = min(max((from_axis - F(0.62)) / F(0.5), F(0)), F(1))
    vessel = lattice_noise(table, _dot(normal, across) * F(9), _dot(normal, along) * F(22), toward * F(9))
    vessel = max(F(0), F(1) - abs(vessel) * F(5)) * aside * (F(0.25) + globe.redness)
    blush = globe.redness * aside * F(0.25)
    # The edge of a soft contact lens, 14.2 mm wide, is a faint grey ring on the white.
    ring = globe.lens * max(F(0), F(1) - abs(from_axis - F(0.71)) / F(0.03)) * F(0.22)
    white = globe.white * (F(1) - ring)
    return (
        white * F(0.60) * (F(1) - F(0.07) * aside) * (F(1) - F(0.10) * vessel),
        white * F(0.55) * (F(1) - F(0.12) * aside) * (F(1) - F(0.45) * vessel - F(0.3) * blush),
        white * F(0.51) * (F(1) - F(0.14) * aside) * (F(1) - F(0.42) * vessel - F(0.3) * blush),
    )


@inlined
def _light(normal: Vector, mirrored: Vector, light: EyeLight) -> tuple[Vector, Vector]:
    """Return the light that falls on a point of the eyeball, and the reflection of the sources there."""
    ambient, sources, glints = light.ambient, light.sources, light.glints
    lift = F(0.5) + F(0.5) * (
        normal[0] * ambient[2, 0] + normal[1] * ambient[2, 1] + normal[2] * ambient[2, 2]
    )
    lr = (ambient[1, 0] + (ambient[0, 0] - ambient[1, 0]) * lift) * F(0.62)
    lg = (ambient[1, 1] + (ambient[0, 1] - ambient[1, 1]) * lift) * F(0.62)
    lb = (ambient[1, 2] + (ambient[0, 2] - ambient[1, 2]) * lift) * F(0.62)
    mx, my, mz = mirrored
    r, g, b = F(0), F(0), F(0)
    for s in range(sources.shape[0]):
        cosine = normal[0] * sources[s, 0] + normal[1] * sources[s, 1] + normal[2] * sources[s, 2]
        part = light.key if s == 0 else F(1)
        diffuse = max((cosine + F(0.25)) / F(1.25), F(0)) * part
        lr += sources[s, 3] * diffuse
        lg += sources[s, 4] * diffuse
        lb += sources[s, 5] * diffuse
        if glints[s] < F(0.9999):
            near = mx * sources[s, 0] + my * sources[s, 1] + mz * sources[s, 2]
            edge = min(max((near - glints[s]) / ((F(1) - glints[s]) * F(0.35)), F(0)), F(1))
            # A source's radiance is its light divided by its solid angle.
            radiance = min(F(0.5) / (F(1) - glints[s]), F(90)) * part * edge
            r += sources[s, 3] * radiance
            g += sources[s, 4] * radiance
            b += sources[s, 5] * radiance
    return (lr, lg, lb), (r, g, b)


@inlined
def _unit(x: float, y: float, z: float) -> Vector:
    scale = F(1) / math.sqrt(x * x + y * y + z * z)
    return x * scale, y * scale, z * scale


@inlined
def _iris_axes(eye: Eyeball) -> tuple[Vector, Vector]:
    """Return the axes of the iris plane, so that its fibres turn with the eye."""
    up, o = eye.up, eye.axis
    a = _unit(up[1] * o[2] - up[2] * o[1], up[2] * o[0] - up[0] * o[2], up[0] * o[1] - up[1] * o[0])
    return a, (o[1] * a[2] - o[2] * a[1], o[2] * a[0] - o[0] * a[2], o[0] * a[1] - o[1] * a[0])
