"""The skin texture: colour, gloss and slopes of fine relief, painted once per subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.synth.areas import beard_area, brow_area, scalp, smoothstep, spot, wrinkles
from tinytracker.synth.atlas import BOTTOM_CM, HEIGHT, TOP_CM, WIDTH, Atlas, load_atlas
from tinytracker.synth.eye_region import crease_height
from tinytracker.synth.headwear import cloth_tone, contact_shade, cover
from tinytracker.synth.identity import Hair, Identity, Skin
from tinytracker.synth.jit import F
from tinytracker.synth.noise import TABLE, noise_field

Reals = NDArray[np.floating[Any]]

CHANNELS = 6
"""Red, green, blue, gloss, slope along the columns, slope along the rows."""
RELIEF_SCALE = 12.0
CROWN_CM = 80.0


@dataclass(frozen=True)
class _Noise:
    """Random fields (t,) over the texels, from patches of several cm to single pores."""

    broad: Floats32
    middle: Floats32
    fine: Floats32
    spots: Floats32
    pores: Floats32
    grain: Floats32


def paint_skin(identity: Identity) -> Floats32:
    """Paint the texture, (HEIGHT, WIDTH, CHANNELS) float32."""
    atlas, skin, hair_colour = load_atlas(), identity.skin, identity.hair.colour
    position = atlas.position
    offset = identity.noise_offset.astype(np.float32)
    noise = _Noise(*(noise_field(TABLE, position, F(s), offset) for s in (0.22, 0.9, 3.1, 4.6, 9.0, 15.0)))
    front = smoothstep(2.0, 8.0, position[:, 2])
    lines = wrinkles(skin.wrinkles, position, noise.broad, noise.middle) * front

    mottling = 1 + 0.04 * noise.broad + 0.025 * noise.middle + 0.02 * noise.fine + 0.03 * noise.pores
    # Colours are (3, t), not (t, 3): numpy is several times faster along a long last axis.
    colour: Reals = np.exp(-_absorption(skin, atlas, noise, front, lines))
    colour = skin.tone.astype(np.float32)[:, None] * colour * mottling
    shadow = 0.8 * identity.extras.eye_shadow * _eye_shadow(position) * (1 + 0.1 * noise.fine)
    colour = _over(colour, identity.extras.eye_shadow_colour, shadow)
    lips = smoothstep(0.25, 0.75, atlas.lips + 0.05 * noise.fine) * skin.lip_strength
    colour = _over(colour, skin.lips, lips, 1 + 0.15 * noise.fine)
    stubble = skin.beard * beard_area(position, atlas.lips)
    stubble = stubble * np.clip(0.7 + 0.08 * noise.fine + 0.35 * noise.grain, 0, 1)
    colour = _over(colour, hair_colour, 0.75 * stubble)
    brows = skin.brow_density * brow_area(position, skin.brow_height, skin.brow_width * 0.9)
    colour = _over(colour, skin.brow_colour, np.clip(brows * (0.5 + 0.08 * noise.pores), 0, 1))
    scalp_cover = _scalp_cover(identity.hair, position, noise)
    colour = _over(colour, hair_colour, scalp_cover, 0.8 + 0.3 * noise.fine)
    headwear = identity.extras.headwear
    cloth = cover(headwear, position)
    colour = colour * contact_shade(headwear, position).astype(np.float32)
    tone = cloth_tone(headwear, position, noise.broad, noise.pores)
    colour = _over(colour, identity.extras.headwear_colour, cloth, tone)

    gloss = (
        0.5
        + 0.6 * spot(position, 0, 70, 1.6, 5)
        + 0.5 * smoothstep(76, 78, position[:, 1])
        + 0.35 * noise.pores
    )
    gloss = skin.oil * gloss + 0.5 * (lips > 0.2)
    gloss = gloss * (1 - 0.85 * scalp_cover) * (1 - 0.6 * stubble) * (1 - cloth)
    relief = np.zeros((HEIGHT, WIDTH), np.float32)
    relief.ravel()[atlas.texel] = 0.012 * noise.pores + 0.010 * noise.fine - 0.05 * lines

    texture = np.empty((HEIGHT, WIDTH, CHANNELS), np.float32)
    texture[..., :3] = skin.tone
    if headwear or identity.hair.style != "bald":
        # Texels near the pole of the cylinder have no position on the mesh; hair covers all of them.
        texture[: int((TOP_CM - CROWN_CM) / (TOP_CM - BOTTOM_CM) * HEIGHT), :, :3] = (
            identity.extras.headwear_colour if headwear else hair_colour
        )
    texture[..., 3] = 0.3
    flat = texture.reshape(-1, CHANNELS)
    flat[atlas.texel, :3] = np.clip(colour, 0.004, 0.95).T
    flat[atlas.texel, 3] = np.clip(gloss, 0.02, 2.0)
    texture[..., 4] = np.gradient(relief, axis=1) * RELIEF_SCALE
    texture[..., 5] = np.gradient(relief, axis=0) * -RELIEF_SCALE
    return texture


def _eye_shadow(position: Floats32) -> Reals:
    """Return where eye shadow is, (t,): from the edge of the upper lid to above the crease."""
    side, y = np.abs(position[:, 0]), position[:, 1]
    top = crease_height(side) + 0.25
    above = smoothstep(72.75, 73.1, y) * smoothstep(top + 0.3, top - 0.2, y)
    shadow: Reals = above * smoothstep(1.7, 2.4, side) * smoothstep(5.2, 4.5, side) * (position[:, 2] > 8)
    return shadow


def _over(colour: Reals, other: NDArray[np.float64], share: Reals, tone: Reals | float = 1.0) -> Reals:
    """Blend `other` (3,), varied by `tone`, over `colour` (3, t) by `share` (t,)."""
    shade = other.astype(np.float32)[:, None] * tone
    blended: Reals = colour + (shade - colour) * share.astype(np.float32)
    return blended


def _absorption(skin: Skin, atlas: Atlas, noise: _Noise, front: Reals, lines: Reals) -> Floats32:
    """Return the light absorbed by blood, shadows under the eyes, lids, freckles and wrinkles, RGB (3, t)."""
    position = atlas.position
    y = position[:, 1]
    # Blood close to the surface: cheeks, nose, chin, ears; it absorbs green and blue rather than red.
    cheeks = 0.8 * spot(position, 4.2, 69.6, 2.2, 2.2) + 0.9 * spot(position, 0, 69.6, 1.5, 1.4)
    cheeks = (cheeks + 0.4 * spot(position, 0, 62.5, 2.0, 1.2)) * front
    blood = skin.blush * (cheeks + 0.5 * atlas.ears) + 0.08 * noise.middle + 0.12 * noise.broad
    circles = skin.dark_circles * spot(position, 3.0, 71.35, 1.7, 0.65) * front
    lids = atlas.eyelids * (0.12 + 0.5 * skin.makeup * smoothstep(72.6, 73.2, y))
    freckles = skin.freckles * smoothstep(0.75, 1.15, noise.spots + 0.3 * noise.pores)
    freckles = freckles * smoothstep(66.5, 69.5, y) * front
    absorbed = np.zeros((3, len(position)), np.float32)
    for amount, loss in (
        (blood, (0.12, 0.55, 0.48)),
        (circles, (0.30, 0.42, 0.30)),
        (lids, (0.60, 0.90, 0.75)),
        (freckles, (0.30, 0.55, 0.75)),
        (lines, (0.22, 0.28, 0.28)),
    ):
        absorbed += amount * np.array(loss, np.float32)[:, None]
    return absorbed


def _scalp_cover(hair: Hair, position: Floats32, noise: _Noise) -> Reals:
    """Return how much of the scalp (t,) is covered by the hair's colour."""
    if hair.style == "bald":
        sides: Reals = (
            0.4 * scalp(position, hair, 0.4 * noise.middle) * smoothstep(79.5, 77.0, position[:, 1])
        )
        return sides
    opacity = 0.75 if hair.style == "buzz" else 0.97
    ragged = 0.35 * noise.middle + 0.25 * noise.pores
    cover: Reals = opacity * scalp(position, hair, ragged) * np.clip(0.98 + 0.05 * noise.pores, 0, 1)
    return cover
