"""Reflection of light by surfaces, in linear light, one block of pixels at a time.

Diffuse light wraps around the terminator, further for red than for blue, to approximate light that travels under the
skin (the idea of pre-integrated skin shading, Penner 2011). Highlights are two Blinn-Phong lobes with a Fresnel
increase.

The loops over a block have no branches and use offsets known at compile time, so that the compiler vectorizes them.
All numbers are deliberately 32-bit: mixing in Python integers would make them 64-bit.
"""

from __future__ import annotations

import math

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled
from tinytracker.synth.surface import normalised

BLOCK = 128
"""Pixels lit together: enough for vector instructions, few enough for the first-level cache."""

RED, GREEN, BLUE, GLOSS, SOFTNESS, OPENNESS, LIT = (row * BLOCK for row in range(7))
"""Offsets in a flat block of reflectance, gloss, softness, openness and the share of key light of its pixels."""
NX, NY, NZ, SLOPE_U, SLOPE_V, SX, SY, SZ = (row * BLOCK for row in range(7, 15))
"""Offsets of normal (of any length), slopes of the relief across and up, and position in the scene (cm)."""
_VX, _VY, _VZ, _FRESNEL, _OPENED = (row * BLOCK for row in range(15, 20))
_LIGHT_R, _LIGHT_G, _LIGHT_B, _SHINE_R, _SHINE_G, _SHINE_B = (row * BLOCK for row in range(20, 26))
BLOCK_SIZE = 26 * BLOCK


@compiled
def light_block(block: Floats32, count: int, light: Floats32, sources: Floats32) -> None:
    """Turn the reflectance of the block's first `count` pixels into the light they reflect to the camera.

    Args:
        block: (BLOCK_SIZE,) as laid out above; red, green and blue are overwritten.
        count: number of pixels in it.
        light: (3, 3) sky, ground, up.
        sources: (k, 7) direction, colour, softness; `LIT` is the unshadowed share of the first.
    """
    _ambient_block(block, count, light)
    for s in range(sources.shape[0]):
        _source_block(block, count, sources[s], F(1) if s == 0 else F(0))
    for i in range(count):
        block[RED + i] = block[RED + i] * block[_LIGHT_R + i] + block[_SHINE_R + i]
        block[GREEN + i] = block[GREEN + i] * block[_LIGHT_G + i] + block[_SHINE_G + i]
        block[BLUE + i] = block[BLUE + i] * block[_LIGHT_B + i] + block[_SHINE_B + i]


@compiled
def _ambient_block(block: Floats32, count: int, light: Floats32) -> None:
    """Apply the relief to the normals; start with the light of sky and ground."""
    ux, uy, uz = light[2, 0], light[2, 1], light[2, 2]
    sky_r, sky_g, sky_b = light[0, 0], light[0, 1], light[0, 2]
    ground_r, ground_g, ground_b = light[1, 0], light[1, 1], light[1, 2]
    for i in range(count):
        nx, ny, nz = normalised(block[NX + i], block[NY + i], block[NZ + i])
        # Tangents: around the head and upwards; the subject's left is the scene's -x.
        tx, _, tz = normalised(nz, F(0), -nx)
        slope = block[SLOPE_U + i]
        nx, ny, nz = normalised(nx - slope * tx, ny - block[SLOPE_V + i], nz - slope * tz)
        block[NX + i], block[NY + i], block[NZ + i] = nx, ny, nz
        vx, vy, vz = normalised(-block[SX + i], -block[SY + i], -block[SZ + i])
        block[_VX + i], block[_VY + i], block[_VZ + i] = vx, vy, vz
        rim = F(1) - max(nx * vx + ny * vy + nz * vz, F(0))
        rim = rim * rim
        fresnel = F(0.03) + F(0.22) * rim * rim * rim
        block[_FRESNEL + i] = fresnel
    for i in range(count):
        openness = block[OPENNESS + i]
        lift = F(0.5) + F(0.5) * (block[NX + i] * ux + block[NY + i] * uy + block[NZ + i] * uz)
        ambient_r = ground_r + (sky_r - ground_r) * lift
        ambient_g = ground_g + (sky_g - ground_g) * lift
        ambient_b = ground_b + (sky_b - ground_b) * lift
        # Light in a hollow is reddened by the surrounding skin.
        block[_LIGHT_R + i] = ambient_r * F(0.5) * (math.sqrt(openness) + openness)
        block[_LIGHT_G + i] = ambient_g * openness
        block[_LIGHT_B + i] = ambient_b * openness
        mirror = block[GLOSS + i] * block[_FRESNEL + i] * openness * F(0.6)
        block[_SHINE_R + i] = mirror * ambient_r
        block[_SHINE_G + i] = mirror * ambient_g
        block[_SHINE_B + i] = mirror * ambient_b
        block[_OPENED + i] = F(0.55) + F(0.45) * openness


@compiled
def _source_block(block: Floats32, count: int, source: Floats32, shadowed: float) -> None:
    """Add one source (7,); `shadowed` is 1 for the one that casts shadows, 0 for the others."""
    lx, ly, lz, size = source[0], source[1], source[2], source[6]
    red, green, blue = source[3], source[4], source[5]
    extra = F(0.25) * size
    blocked = shadowed * (F(1) - extra)
    broad_share, tight_share = F(1.6) * (F(1) - F(0.6) * size), F(5) * (F(1) - F(0.8) * size)
    for i in range(count):
        nx, ny, nz = block[NX + i], block[NY + i], block[NZ + i]
        softness, gloss = block[SOFTNESS + i], block[GLOSS + i]
        cosine = nx * lx + ny * ly + nz * lz
        reach = block[_OPENED + i] * (F(1) - blocked * (F(1) - block[LIT + i]))
        red_reach = F(0.5) * (math.sqrt(reach) + reach)
        wr, wg, wb = F(0.36) * softness + extra, F(0.22) * softness + extra, F(0.17) * softness + extra
        block[_LIGHT_R + i] += red * max((cosine + wr) / (F(1) + wr), F(0)) * red_reach
        block[_LIGHT_G + i] += green * max((cosine + wg) / (F(1) + wg), F(0)) * reach
        block[_LIGHT_B + i] += blue * max((cosine + wb) / (F(1) + wb), F(0)) * reach
        hx, hy, hz = normalised(lx + block[_VX + i], ly + block[_VY + i], lz + block[_VZ + i])
        half = max(nx * hx + ny * hy + nz * hz, F(0))
        half = half * half
        half = half * half
        broad = half * half
        tight = broad * broad
        tight = tight * tight
        lobe = (broad_share * broad + tight_share * tight) * max(cosine, F(0)) * gloss
        lobe *= block[_FRESNEL + i] * reach
        block[_SHINE_R + i] += red * lobe
        block[_SHINE_G + i] += green * lobe
        block[_SHINE_B + i] += blue * lobe
