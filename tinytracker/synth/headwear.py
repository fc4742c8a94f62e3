"""Hats and headscarves: the part of the head that they cover, how far they stand off, their colour, and a cap's brim.

They are not meshes of their own: covered vertices move outwards and are painted as cloth, and covered hair is hidden.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.synth.areas import smoothstep
from tinytracker.synth.hair import ScalpHair
from tinytracker.synth.head import load_head
from tinytracker.synth.identity import Identity

Reals = NDArray[np.floating[Any]]
Singles = NDArray[np.float32]

HEADWEAR = ("", "cap", "beanie", "headscarf")
STAND_OFF_CM = {"cap": 0.55, "beanie": 0.75, "headscarf": 0.6}
_FRONT_CM, _BACK_CM = {"cap": 78.7, "beanie": 77.9}, {"cap": 75.0, "beanie": 71.5}
"""Height of the edge of a hat on the base mesh, at the forehead and at the back."""
_EDGE_CM = 0.1
"""Half the width of the soft edge of the cloth in the texture."""
_SCARF_CENTRE_CM, _SCARF_HALF_CM = 70.4, (6.1, 8.9)
"""Opening of a headscarf on the base mesh: height of its centre; half its width and height."""
_SCARF_BOTTOM_CM = 55.5
BRIM_ROWS, BRIM_STEPS, BRIM_CM = 34, 15, 6.5
BRIM_ROW_CM = 0.32
_BRIM_HALF_CM = 6.6
BRIM_SHADE = 0.35
"""Share of the light of the surroundings that a brim keeps from the forehead."""


def cover(kind: str, position: Reals) -> Reals:
    """Return how much of base mesh positions (n, 3) cm headwear of this kind covers, 0 to 1."""
    side, y, z = np.abs(position[:, 0]), position[:, 1], position[:, 2]
    if kind == "headscarf":
        across = (side / _SCARF_HALF_CM[0]) ** 2 + ((y - _SCARF_CENTRE_CM) / _SCARF_HALF_CM[1]) ** 2
        outside = np.maximum(smoothstep(0.97, 1.03, across), smoothstep(5.0, 4.5, z))
        scarf: Reals = outside * smoothstep(_SCARF_BOTTOM_CM - _EDGE_CM, _SCARF_BOTTOM_CM + _EDGE_CM, y)
        return scarf
    if not kind:
        return np.zeros(len(position))
    front, back = _FRONT_CM[kind], _BACK_CM[kind]
    line = back + (front - back) * smoothstep(-4.0, 8.0, z) + 0.02 * side
    hat: Reals = smoothstep(-_EDGE_CM, _EDGE_CM, y - line)
    return hat


def stand_off(kind: str) -> Floats:
    """Return the distance (n,) of the headwear from each vertex, cm; 0 where there is none.

    It grows from the edge inwards: a step there would look jagged, because the mesh is coarser than the cloth's edge.
    """
    base = load_head().vertices
    if not kind:
        return np.zeros(len(base))
    side, y = np.abs(base[:, 0]), base[:, 1]
    if kind == "headscarf":
        across = (side / _SCARF_HALF_CM[0]) ** 2 + ((y - _SCARF_CENTRE_CM) / _SCARF_HALF_CM[1]) ** 2
        inwards = np.maximum(smoothstep(0.95, 1.5, across), smoothstep(5.0, 2.5, base[:, 2]))
        inwards = inwards * smoothstep(_SCARF_BOTTOM_CM - 1, _SCARF_BOTTOM_CM + 1.5, y)
        more = 1.6 * smoothstep(68.0, 62.0, y) * smoothstep(2.5, 5.5, side)
    else:
        inwards = cover(kind, base)
        more = 0.9 * smoothstep(80.0, 84.0, y)
    off: Floats = inwards * (STAND_OFF_CM[kind] + more)
    return off


def cloth_tone(kind: str, position: Reals, broad: Reals, fine: Reals) -> Reals:
    """Return a factor (t,) on the colour of the cloth: knitted ribs, seams or folds, and a weave."""
    angle = np.arctan2(position[:, 0], position[:, 2] - 3.0)
    tone = 1 + 0.05 * fine
    if kind == "beanie":
        tone = tone * (0.86 + 0.14 * np.sin(70 * angle))
    elif kind == "cap":
        tone = tone * (1 - 0.35 * (np.abs(np.sin(3 * angle)) < 0.02))
    else:
        tone = tone * (1 + 0.12 * np.sin(9 * angle + 0.9 * position[:, 1] + 2.5 * broad))
    factor: Reals = tone
    return factor


def brim_shade(kind: str) -> Floats:
    """Return the share (n,) of the light of the surroundings that the brim of a cap leaves each vertex."""
    y = load_head().vertices[:, 1]
    left: Floats = 1 - BRIM_SHADE * smoothstep(70.0, 77.0, y) * float(kind == "cap")
    return left


def contact_shade(kind: str, position: Reals) -> Reals:
    """Return the share (t,) of light that the edge of the headwear leaves the skin beside it."""
    if not kind:
        return np.ones(len(position))
    beside = np.zeros(len(position))
    for shift in (np.array([0.0, 0.35, 0.0]), np.array([0.35, 0.0, 0.0])):
        beside = np.maximum(
            beside, cover(kind, position + shift * np.where(position < 0, [-1.0, 1.0, 1.0], 1.0))
        )
    left: Reals = 1.0 - 0.35 * beside * (1.0 - cover(kind, position))
    return left


def hide_hair(hair: ScalpHair | None, identity: Identity) -> ScalpHair | None:
    """Return the hair that headwear leaves visible; covered points move to the first one that is free."""
    kind = identity.extras.headwear
    if hair is None or not kind:
        return hair
    if kind == "headscarf":
        return None
    head = load_head()
    # The edge lies on this subject's head where the base mesh's vertices near the edge have moved to.
    edge = np.abs(head.vertices[:, 1] - _FRONT_CM[kind]) < 1.5
    moved = (identity.vertices[edge] - head.vertices[edge]).mean(0)
    points = hair.points.astype(np.float64)
    under = cover(kind, (points - moved + [0.0, 0.2, 0.0]).reshape(-1, 3)).reshape(points.shape[:2]) > 0.3
    visible = ~under.all(axis=1)
    points, under = points[visible], under[visible]
    last_under = points.shape[1] - 1 - under[:, ::-1].argmax(1)
    start = np.where(under.any(axis=1), np.minimum(last_under + 1, points.shape[1] - 1), 0)
    steps = np.maximum(np.arange(points.shape[1]), start[:, None])
    kept = np.take_along_axis(points, steps[..., None], 1)
    if not len(kept):
        return None
    return replace(
        hair, points=kept.astype(np.float32), colours=hair.colours[visible], widths=hair.widths[visible]
    )


def brim(identity: Identity) -> Floats:
    """Return the rows of a cap's brim from the forehead outwards, (BRIM_ROWS, BRIM_STEPS, 3) cm in head coordinates."""
    base = load_head().vertices
    across = np.linspace(-1, 1, BRIM_STEPS)
    forward = np.linspace(0, 1, BRIM_ROWS)[:, None]
    # The line where the cap ends on the forehead of this subject: a parabola through its vertices there.
    near = (
        (np.abs(base[:, 1] - _FRONT_CM["cap"]) < 1.0)
        & (np.abs(base[:, 0]) < _BRIM_HALF_CM)
        & (base[:, 2] > 3)
    )
    squares = np.stack([np.ones(near.sum()), identity.vertices[near, 0] ** 2], 1)
    (height, z), (rise, bend) = np.linalg.lstsq(squares, identity.vertices[near, 1:], rcond=None)[0]
    x = across * _BRIM_HALF_CM
    line = np.stack([x, height + rise * x**2, z + bend * x**2 + STAND_OFF_CM["cap"]], 1)
    reach = BRIM_CM * np.sqrt(np.maximum(1 - across**2, 0)) + 0.3
    rows = np.repeat(line[None], BRIM_ROWS, 0)
    rows[..., 2] += forward * reach
    rows[..., 1] -= 0.12 * forward * reach + 1.1 * across**2 * forward
    out: Floats = rows
    return out
