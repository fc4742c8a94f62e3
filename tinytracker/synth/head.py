"""The head asset: mesh of head, neck and shoulders, its morph targets, and the role of its vertices.

Mesh axes: x to the subject's left, y up, z out of the face. The file is in decimetres; everything here is in cm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats

Ints = NDArray[np.int64]
Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")

ASSET = Path(__file__).parent / "asset" / "head.npz"
CM_PER_UNIT = 10.0
_CM_PER_OFFSET = 0.01  # morph offsets are stored in tenths of a millimetre


@dataclass(frozen=True)
class Head:
    """The mesh in its base shape.

    Attributes:
        vertices: (n, 3) cm.
        triangles: (m, 3) int32, counter-clockwise as seen from outside.
        is_teeth: (m,) bool.
        follows_head: (n,) 0 (torso) to 1 (skull): how far a vertex moves with the head rather than the torso.
        occlusion: (n,) 0 (hidden) to 1 (open on all sides).
        lips: (n,) mask in 0..1. mouth: mask of the inside of the mouth. ears: mask. eyelids: mask.
        eye: per side, indices of the vertices of the eyeball.
        lashes: per (side, "upper" or "lower"), indices (columns, rows): columns from the nose outwards, rows
            from inside the lid over its edge (row 1) to the tips of the lashes.
        neck: (3,) cm, pivot of the neck.
        names: of the morph targets.
    """

    vertices: Floats
    triangles: NDArray[np.int32]
    is_teeth: NDArray[np.bool_]
    follows_head: Floats
    occlusion: Floats
    lips: Floats
    mouth: Floats
    ears: Floats
    eyelids: Floats
    eye: dict[Side, Ints]
    lashes: dict[tuple[Side, str], Ints]
    neck: Floats
    names: tuple[str, ...]
    _starts: dict[str, tuple[int, int]]
    _target_vertices: Ints
    _target_offsets: NDArray[np.int16]

    def move(self, vertices: Floats, name: str, weight: float) -> None:
        """Add `weight` times the morph target `name` to vertices (n, 3) cm, in place.

        Raises:
            KeyError: the asset has no such target.
        """
        start, end = self._starts[name]
        if abs(weight) > 1e-4:
            vertices[self._target_vertices[start:end]] += (weight * _CM_PER_OFFSET) * self._target_offsets[
                start:end
            ]

    def eye_centre(self, vertices: Floats, side: Side) -> Floats:
        """Return the centre (3,) of the eyeball mesh in these vertices."""
        centre: Floats = vertices[self.eye[side]].mean(0)
        return centre


@lru_cache(maxsize=1)
def load_head() -> Head:
    """Read the asset bundled with the package; cached in memory."""
    with np.load(ASSET) as file:
        data = {name: file[name] for name in file.files}
    masks = {name: data[f"mask_{name}"] / 255.0 for name in ("lips", "mouth", "ears", "eyelids")}
    names = tuple(str(n) for n in data["target_names"])
    starts = data["target_starts"]
    return Head(
        vertices=data["vertices"].astype(np.float64) * CM_PER_UNIT,
        triangles=data["triangles"].astype(np.int32),
        is_teeth=data["kind"] == 1,
        follows_head=data["follows_head"].astype(np.float64),
        occlusion=data["occlusion"] / 255.0,
        eye={side: data[f"eye_{side}"].astype(np.int64) for side in SIDES},
        lashes={
            (s, lid): data[f"lash_{s}_{lid}"].astype(np.int64) for s in SIDES for lid in ("upper", "lower")
        },
        neck=(0.6 * data["neck_joint"] + 0.4 * data["head_joint"]) * CM_PER_UNIT,
        names=names,
        _starts={name: (int(starts[i]), int(starts[i + 1])) for i, name in enumerate(names)},
        _target_vertices=data["target_vertices"].astype(np.int64),
        _target_offsets=data["target_offsets"],
        **masks,
    )
