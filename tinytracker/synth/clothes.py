"""The shirt: its collar, its distance from the body, and its folds."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.synth.areas import smoothstep
from tinytracker.synth.fabric import COLLAR_DIP_CM, COLLAR_HALF_CM
from tinytracker.synth.head import load_head
from tinytracker.synth.identity import Clothes, Identity
from tinytracker.synth.jit import F
from tinytracker.synth.noise import TABLE, noise_field

Singles = NDArray[np.float32]

COLLAR_CM = 56.5
"""Height of the collar at the side of the neck, cm, base mesh."""
FOLD_DEPTH = 0.34
DRAPED_FROM_CM = 51.0
DRAPE_ROUNDS = 10


def collar_height(clothes: Clothes) -> float:
    """Return the height (cm, base mesh) of this shirt's collar at the side of the neck."""
    return COLLAR_CM + clothes.neckline


def stand_off(clothes: Clothes) -> Floats:
    """Return the distance (n,) of the shirt from each vertex, cm; 0 outside the shirt."""
    base = load_head().vertices
    angle = np.arctan2(base[:, 0], base[:, 2] - 3.0)
    edge = collar_height(clothes) - COLLAR_DIP_CM * np.exp(-2.2 * angle**2)
    edge += 2 * np.maximum(np.abs(base[:, 0]) - COLLAR_HALF_CM, 0)
    return clothes.thickness * smoothstep(edge + 0.3, edge - 0.6, base[:, 1])


@lru_cache(maxsize=1)
def _edges() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return both ends of every edge of the mesh, in both directions."""
    triangles = load_head().triangles.astype(np.int64)
    ends = [(triangles[:, i], triangles[:, (i + 1) % 3]) for i in range(3)]
    return np.concatenate([e for a, b in ends for e in (a, b)]), np.concatenate(
        [e for a, b in ends for e in (b, a)]
    )


def draped(vertices: Floats) -> Floats:
    """Smooth the covered part of the chest in the vertices (n, 3): cloth spans hollows that skin follows."""
    base = load_head().vertices
    share = smoothstep(DRAPED_FROM_CM, DRAPED_FROM_CM - 4, base[:, 1])
    # Not near the boundary of the mesh, which would shrink.
    share = share * smoothstep(29, 34, base[:, 1]) * smoothstep(17, 14, np.abs(base[:, 0]))
    return smoothed(vertices, share, DRAPE_ROUNDS)


def smoothed(vertices: Floats, share: Floats, rounds: int) -> Floats:
    """Move vertices (n, 3) by `share` (n,) of the way to the mean of their neighbours, several times."""
    starts, ends = _edges()
    count = np.maximum(np.bincount(starts, minlength=len(vertices)), 1)
    smooth = vertices.copy()
    for _ in range(rounds):
        around = np.stack([np.bincount(starts, smooth[ends, k], len(vertices)) for k in range(3)], 1)
        smooth += share[:, None] * (around / count[:, None] - smooth)
    return smooth


def fold_normals(identity: Identity) -> Singles:
    """Return the contribution of the folds to the normal (n, 3) of each vertex, in mesh axes."""
    base = load_head().vertices * [0.25, 0.16, 0.3]
    offset = identity.noise_offset.astype(np.float32)
    fields = [noise_field(TABLE, base.astype(np.float32), F(1), offset + np.float32(9 * k)) for k in range(3)]
    folds = FOLD_DEPTH * np.stack(fields, 1) * [1.0, 1.0, 0.5]
    covered = stand_off(identity.clothes) > 0
    return (folds * covered[:, None]).astype(np.float32)


def shader_parameters(clothes: Clothes) -> Singles:
    """Return the array that `shade.shade_mesh` reads: two colours, pattern, size of the pattern, collar height."""
    values = [*clothes.colour, *clothes.second, clothes.pattern, clothes.pattern_size, collar_height(clothes)]
    return np.array(values, np.float32)
