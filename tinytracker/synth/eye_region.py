"""Around the eyes: brow ridge, crease, the hollow's shade, and the dark edges of the lids.

The base mesh has a flat socket: its brows stand out by 0.3 cm, those of people by about a centimetre. What is missing
is added here as smooth fields over the base mesh, which are the same for all subjects, times a subject's numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.synth.areas import smoothstep
from tinytracker.synth.head import SIDES, Side, load_head
from tinytracker.synth.identity import EyeRegion

Reals = NDArray[np.floating[Any]]

_FACE_Z_CM = 8.0
"""Only vertices in front of this depth belong to the face."""
KEY_LOSS = 0.8
"""How much of the hollow's loss applies to the key light, which reaches it from one side only."""


def _bump(value: Reals, centre: Reals | float, width: float) -> Reals:
    """Return exp(-((value - centre) / width)^2)."""
    bump: Reals = np.exp(-(((value - centre) / width) ** 2))
    return bump


def crease_height(side: Reals) -> Reals:
    """Return the height (cm, base mesh) of the crease above the upper lid, |x| = `side` from the middle of the face."""
    height: Reals = 73.72 - 0.20 * ((side - 3.1) / 1.2) ** 2
    return height


def ridge_field(position: Reals) -> Reals:
    """Return how much of the brow ridge is at base mesh positions (n, 3) cm, 0 to 1."""
    side = np.abs(position[:, 0])
    high = _bump(position[:, 1], 74.5, 0.7) * _bump(side, 2.9, 2.1)
    ridge: Reals = high * (position[:, 2] > _FACE_Z_CM)
    return ridge


def crease_field(position: Reals) -> Reals:
    """Return how much of the crease is at base mesh positions (n, 3) cm, 0 to 1; it is about 3 mm wide."""
    side = np.abs(position[:, 0])
    near = _bump(position[:, 1], crease_height(side), 0.24) * smoothstep(1.5, 2.2, side)
    crease: Reals = near * smoothstep(4.9, 4.2, side) * (position[:, 2] > _FACE_Z_CM)
    return crease


def hollow_field(position: Reals) -> Reals:
    """Return how deep in the socket base mesh positions (n, 3) cm are, 0 to 1: deepest above the inner corner."""
    side, y = np.abs(position[:, 0]), position[:, 1]
    above = _bump(y, 73.7, 0.78) * _bump(side, 3.0, 1.9)
    inner = 0.7 * _bump(y, 73.3, 0.95) * _bump(side, 1.75, 0.55)
    below = 0.5 * _bump(y, 71.95, 0.55) * _bump(side, 3.0, 1.7)
    outer = 0.45 * _bump(y, 72.9, 0.6) * _bump(side, 4.6, 0.6)
    field: Reals = np.minimum(np.maximum(above, inner) + np.maximum(below, outer), 1.0)
    return field * (position[:, 2] > _FACE_Z_CM)


def shape_region(vertices: Floats, region: EyeRegion) -> Floats:
    """Return vertices (n, 3) cm with the subject's brow ridge and crease."""
    base = load_head().vertices
    shaped = vertices.copy()
    ridge, crease = ridge_field(base), crease_field(base)
    eyes = np.concatenate([load_head().eye[side] for side in SIDES])
    move = region.ridge * ridge - region.crease * crease
    move[eyes] = 0
    shaped[:, 2] += move
    return shaped


def openness(occlusion: Floats, region: EyeRegion) -> Floats:
    """Return the openness (n,) of the vertices, with the hollow's loss of the light of the surroundings."""
    field = hollow_field(load_head().vertices)
    open_: Floats = occlusion * (1 - region.hollow * field)
    return open_


def lid_edge(scene: Floats, side: Side, lid: str, outward_cm: float) -> Floats:
    """Return the edge (p, 3) cm of a lid in posed vertices, moved towards the tips of the lashes."""
    columns = load_head().lashes[(side, lid)]
    edge, beyond = scene[columns[:, 1]], scene[columns[:, 2]]
    along = beyond - edge
    length = np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    moved: Floats = edge + along / length * outward_cm
    return moved
