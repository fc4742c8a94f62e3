"""The skin's texture of one subject: colour, gloss and slopes of fine relief, painted once per subject."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytracker.synth.atlas import HEIGHT, WIDTH, load_atlas
from tinytracker.synth.identity import Hair, Identity
from tinytracker.synth.jit import F
from tinytracker.synth.noise import TABLE, noise_field

Floats = NDArray[np.float32]

CHANNELS = 6
"""Red, green, blue, gloss, slope along the columns, slope along the rows."""


def smoothstep(low: ArrayLike, high: ArrayLike, x: ArrayLike) -> NDArray[np.float64]:
    """0 up to `low`, 1 from `high` on, smooth between (either order of the two)."""
    t = np.clip((np.asarray(x) - low) / (np.asarray(high) - low), 0, 1)
    result: NDArray[np.float64] = t * t * (3 - 2 * t)
    return result


def scalp(position: NDArray[np.floating[Any]], hair: Hair, ragged: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Where hair grows, 0 to 1, at base mesh positions (..., 3) cm; `ragged` (cm) shifts the hairline."""
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    side = np.abs(x)
    line = 79.8 + hair.line - 9.0 * smoothstep(10.5, 2.0, z) - 5.0 * smoothstep(2.0, -6.0, z) - 0.13 * side
    # Temples recede: the corner between forehead and sideburn is cut out.
    line = line + 1.3 * np.exp(-(((side - 5.3) / 1.5) ** 2)) * smoothstep(5.0, 8.5, z)
    grows = smoothstep(-0.35, 0.35, y - line + ragged)
    around_ear = smoothstep(8.3, 7.9, side * (y < 76.0))
    return grows * around_ear * (y > 66.5)


def beard_area(position: NDArray[np.floating[Any]], lips: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Where a beard grows, 0 to 1, at base mesh positions (..., 3) cm."""
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    side = np.abs(x)
    upper = 68.6 + 0.55 * np.maximum(side - 2.2, 0) + 3.5 * smoothstep(5.2, 7.0, side)
    cheek = smoothstep(0.5, -0.5, y - upper)
    return cheek * smoothstep(59.8, 61.8, y) * (1 - smoothstep(0.15, 0.5, lips)) * smoothstep(0.5, 4.0, z)


def brow_curve(x: NDArray[np.floating[Any]], raised: float) -> NDArray[np.float64]:
    """Height (cm, base mesh) of the middle of the brow at distance |x| from the middle of the face."""
    along = np.clip((np.abs(x) - 1.0) / 5.4, 0, 1)
    height: NDArray[np.float64] = 75.3 + raised + 0.6 * np.sin(along * np.pi * 0.8) - 0.2 * along
    return height


def brow_area(position: NDArray[np.floating[Any]], height: float, width: float) -> NDArray[np.float64]:
    """Where the brows grow, 0 to 1, at base mesh positions (..., 3) cm."""
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    side = np.abs(x)
    along = np.clip((side - 1.0) / 5.4, 0, 1)
    thickness = width * (1 - 0.62 * along**1.5)
    across = np.abs(y - brow_curve(x, height)) / thickness
    return smoothstep(1.25, 0.5, across) * smoothstep(1.2, 2.0, side) * smoothstep(6.4, 5.2, side) * (z > 8)


def _spot(position: Floats, x: float, y: float, width: float, height: float) -> NDArray[np.float64]:
    """A soft spot on both halves of the face."""
    side = np.abs(position[..., 0])
    spot: NDArray[np.float64] = np.exp(-(((side - x) / width) ** 2) - ((position[..., 1] - y) / height) ** 2)
    return spot


def paint_skin(identity: Identity) -> Floats:
    """Texture (HEIGHT, WIDTH, CHANNELS) float32."""
    atlas, skin = load_atlas(), identity.skin
    position = atlas.position
    flat = np.ascontiguousarray(position.reshape(-1, 3))
    offset = identity.noise_offset.astype(np.float32)

    def noise(scale: float) -> Floats:
        field: Floats = noise_field(TABLE, flat, F(scale), offset).reshape(HEIGHT, WIDTH)
        return field

    broad, middle, fine, pores, grain = noise(0.22), noise(0.9), noise(3.1), noise(9.0), noise(15.0)
    front = smoothstep(2.0, 8.0, position[..., 2])
    y = position[..., 1]
    # Blood close to the surface: cheeks, nose, chin, ears; it takes green and blue rather than red.
    cheeks = 0.8 * _spot(position, 4.2, 69.6, 2.2, 2.2) + 0.9 * _spot(position, 0, 69.6, 1.5, 1.4)
    cheeks = (cheeks + 0.4 * _spot(position, 0, 62.5, 2.0, 1.2)) * front
    blood = skin.blush * (cheeks + 0.5 * atlas.ears) + 0.08 * middle + 0.12 * broad
    circles = skin.dark_circles * _spot(position, 3.0, 71.35, 1.7, 0.65) * front
    lids = atlas.eyelids * (0.12 + 0.5 * skin.makeup * smoothstep(72.6, 73.2, y))
    freckles = (
        skin.freckles * smoothstep(0.75, 1.15, noise(4.6) + 0.3 * pores) * smoothstep(66.5, 69.5, y) * front
    )
    lines = _wrinkles(skin.wrinkles, position, broad, middle) * front
    absorbed = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for amount, colour_of_loss in (
        (blood, (0.12, 0.55, 0.48)),
        (circles, (0.30, 0.42, 0.30)),
        (lids, (0.60, 0.90, 0.75)),
        (freckles, (0.30, 0.55, 0.75)),
        (lines, (0.22, 0.28, 0.28)),
    ):
        absorbed += amount[..., None] * np.array(colour_of_loss, np.float32)
    mottling = 1 + 0.04 * broad + 0.025 * middle + 0.02 * fine + 0.03 * pores
    colour = skin.tone.astype(np.float32) * np.exp(-absorbed) * mottling[..., None]
    lips = smoothstep(0.25, 0.75, atlas.lips + 0.05 * fine) * skin.lip_strength
    colour = (
        colour * (1 - lips[..., None])
        + skin.lips.astype(np.float32) * (1 + 0.15 * fine[..., None]) * lips[..., None]
    )
    stubble = skin.beard * beard_area(position, atlas.lips) * np.clip(0.7 + 0.08 * fine + 0.35 * grain, 0, 1)
    colour = (
        colour * (1 - 0.75 * stubble[..., None])
        + identity.hair.colour.astype(np.float32) * 0.75 * stubble[..., None]
    )
    brows = (
        skin.brow_density
        * brow_area(position, skin.brow_height, skin.brow_width * 0.9)
        * (0.5 + 0.08 * pores)
    )
    brows = np.clip(brows, 0, 1)[..., None]
    colour = colour * (1 - brows) + skin.brow_colour.astype(np.float32) * brows
    cover = _scalp_cover(identity.hair, position, middle, pores)[..., None]
    colour = (
        colour * (1 - cover) + identity.hair.colour.astype(np.float32) * (0.8 + 0.3 * fine[..., None]) * cover
    )
    gloss = skin.oil * (
        0.5 + 0.6 * _spot(position, 0, 70, 1.6, 5) + 0.5 * smoothstep(76, 78, y) + 0.35 * pores
    )
    gloss = np.where(lips > 0.2, gloss + 0.5, gloss) * (1 - 0.85 * cover[..., 0]) * (1 - 0.6 * stubble)
    relief = 0.012 * pores + 0.010 * fine - 0.05 * lines
    texture = np.empty((HEIGHT, WIDTH, CHANNELS), np.float32)
    texture[..., :3] = np.clip(colour, 0.004, 0.95)
    texture[..., 3] = np.clip(gloss, 0.02, 2.0)
    texture[..., 4] = np.gradient(relief, axis=1) * 12
    texture[..., 5] = -np.gradient(relief, axis=0) * 12
    return texture


def _wrinkles(depth: float, position: Floats, broad: Floats, middle: Floats) -> NDArray[np.floating[Any]]:
    """Lines of the forehead, crow's feet, and the fold from nose to mouth, which the young have too."""
    side, y = np.abs(position[..., 0]), position[..., 1]
    forehead = np.sin(y * 5.2 + 0.8 * broad) ** 8 * smoothstep(76.0, 77.0, y) * smoothstep(81.0, 79.0, y)
    forehead *= smoothstep(6, 4, side)
    crow = np.sin(y * 6.5 + side * 2.0 + middle) ** 8 * _spot(position, 6.2, 72.6, 0.9, 1.2)
    fold = (
        np.exp(-(((side - 2.3 - 0.28 * (69.3 - y)) / 0.16) ** 2))
        * smoothstep(70.0, 69.0, y)
        * smoothstep(65.5, 66.5, y)
    )
    lines: NDArray[np.floating[Any]] = depth * (0.9 * forehead + 0.8 * crow) + (0.15 + 0.6 * depth) * fold
    return lines


def _scalp_cover(hair: Hair, position: Floats, ragged: Floats, pores: Floats) -> NDArray[np.float64]:
    """How much of the scalp the hair's own colour hides."""
    if hair.style == "bald":
        sides = scalp(position, hair, 0.4 * ragged) * smoothstep(79.5, 77.0, position[..., 1])
        return 0.4 * sides
    opacity = 0.72 if hair.style == "buzz" else 0.93
    return opacity * scalp(position, hair, 0.35 * ragged + 0.25 * pores) * np.clip(0.9 + 0.2 * pores, 0, 1)
