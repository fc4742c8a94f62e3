"""Brows, beard and lashes: rooted in moving skin, so they are placed again in each frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.synth.areas import beard_area, brow_area
from tinytracker.synth.hair import mesh_normals, random_roots, unit
from tinytracker.synth.head import SIDES, load_head
from tinytracker.synth.identity import Identity

Singles = NDArray[np.float32]
Ints = NDArray[np.int64]

BROW_STRANDS, BEARD_STRANDS = 520, 2600
LASHES = {"upper": 70, "lower": 36}


@dataclass(frozen=True)
class SkinHair:
    """Strands rooted in the moving face: brows and beard.

    Attributes:
        corners: (s, 3) vertices of the triangle that holds the root. weights: (s, 3) their weights at the root.
        offsets: (s, p, 3) from the root, in head axes.
    """

    corners: Ints
    weights: Floats
    offsets: Floats
    colours: Singles
    widths: Singles


@dataclass(frozen=True)
class Lashes:
    """Per lash: its two neighbouring columns of the lid's strip, weight of the second, and its fan angle."""

    first: Ints
    second: Ints
    share: Floats
    length: Floats
    fan: Floats
    curl: Floats


def grow_brows(identity: Identity, rng: np.random.Generator) -> SkinHair:
    """Grow the hairs of both brows: upwards at the nose, outwards along the curve."""
    skin, base = identity.skin, load_head().vertices
    corners, weights = random_roots(
        brow_area(base, skin.brow_height, skin.brow_width * 1.3), BROW_STRANDS * 3, rng
    )
    rest = np.einsum("sk,skj->sj", weights, base[corners])
    keep = rng.random(len(rest)) < brow_area(rest, skin.brow_height, skin.brow_width)
    corners, weights, rest = (
        corners[keep][:BROW_STRANDS],
        weights[keep][:BROW_STRANDS],
        rest[keep][:BROW_STRANDS],
    )
    n = len(rest)
    along = np.clip((np.abs(rest[:, 0]) - 1.0) / 5.4, 0, 1)
    angle = np.radians(78 - 95 * np.minimum(along * 1.5, 1)) + rng.normal(0, 0.2, n)
    normals = unit(np.einsum("sk,skj->sj", weights, mesh_normals(identity.vertices)[corners]))
    side = np.sign(rest[:, 0])
    direction = np.stack([side * np.cos(angle), np.sin(angle), -0.55 * np.abs(np.cos(angle)) * along], 1)
    return _skin_strands(
        corners, weights, direction, normals, rng.uniform(0.5, 0.95, n), 0.10, skin.brow_colour, 0.034, rng
    )


def grow_beard(identity: Identity, rng: np.random.Generator) -> SkinHair | None:
    """Grow the hairs of a beard, or return None if it is too short to show single hairs (stubble is painted)."""
    skin, head = identity.skin, load_head()
    if skin.beard <= 0 or skin.beard_length < 0.2:
        return None
    corners, weights = random_roots(
        beard_area(head.vertices, head.lips) * (head.mouth < 0.3),
        int(BEARD_STRANDS * (0.4 + 0.6 * skin.beard)),
        rng,
    )
    n = len(corners)
    normals = unit(np.einsum("sk,skj->sj", weights, mesh_normals(identity.vertices)[corners]))
    direction = np.array([0, -1.0, 0]) + 0.5 * normals + rng.normal(0, 0.25, (n, 3))
    length = skin.beard_length * rng.uniform(0.6, 1.1, n)
    return _skin_strands(
        corners,
        weights,
        direction,
        normals,
        length,
        0.15 * skin.beard_length,
        identity.hair.colour,
        0.035,
        rng,
    )


def _skin_strands(
    corners: Ints,
    weights: Floats,
    direction: Floats,
    normals: Floats,
    length: Floats,
    lift: float,
    colour: Floats,
    width: float,
    rng: np.random.Generator,
) -> SkinHair:
    n = len(corners)
    direction = unit(direction - 0.8 * (direction * normals).sum(1, keepdims=True) * normals)
    middle = direction * length[:, None] * 0.5 + normals * lift
    tip = direction * length[:, None] + normals * lift * 1.3
    offsets = np.stack([np.zeros_like(tip) - 0.02 * normals, middle, tip], 1)
    colours = colour * np.exp(0.18 * rng.standard_normal(n))[:, None]
    return SkinHair(
        corners,
        weights,
        offsets,
        colours.astype(np.float32),
        (width * rng.uniform(0.7, 1.2, n)).astype(np.float32),
    )


def grow_lashes(identity: Identity, rng: np.random.Generator) -> list[Lashes]:
    """Grow the lashes of all four lids, one entry per lid; `lash_points` places them."""
    head = load_head()
    result = []
    for side in SIDES:
        for lid, count in LASHES.items():
            columns = head.lashes[(side, lid)]
            place = np.sort(rng.uniform(1.0, len(columns) - 1.001, count))
            i = place.astype(np.int64)
            length = (
                identity.skin.lash_length * rng.uniform(0.55, 1.0, count) * (1.0 if lid == "upper" else 0.75)
            )
            result.append(
                Lashes(
                    columns[i],
                    columns[i + 1],
                    (place - i).astype(np.float64),
                    length,
                    rng.normal(0, 0.12, count),
                    rng.uniform(0.7, 1.3, count),
                )
            )
    return result


def lash_points(lashes: Lashes, scene: Floats) -> Floats:
    """Place lashes (count, 4, 3) on the posed vertices (n, 3)."""
    rows = (
        scene[lashes.first] * (1 - lashes.share)[:, None, None]
        + scene[lashes.second] * lashes.share[:, None, None]
    )
    root = rows[:, 1:2]
    along = rows[:, 1:] - root
    sideways = unit(scene[lashes.second][:, 1] - scene[lashes.first][:, 1])[:, None]
    reach = np.linalg.norm(along, axis=2, keepdims=True)
    points: Floats = (
        root + along * lashes.length[:, None, None] + sideways * reach * lashes.fan[:, None, None]
    )
    return points


def skin_points(hair: SkinHair, scene: Floats, head_rotation: Floats) -> Floats:
    """Place strands (s, p, 3) in the scene, on the posed vertices (n, 3)."""
    roots = np.einsum("sk,skj->sj", hair.weights, scene[hair.corners])
    turned = hair.offsets.reshape(-1, 3) @ head_rotation.T
    points: Floats = roots[:, None] + turned.reshape(hair.offsets.shape)
    return points
