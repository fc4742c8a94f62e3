"""Scalp hair: where each strand grows and how it hangs, computed once per subject, in head coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.synth.areas import scalp, smoothstep
from tinytracker.synth.face_front import FaceFront
from tinytracker.synth.head import load_head
from tinytracker.synth.identity import Hair, Identity
from tinytracker.synth.surface import vertex_normals

Singles = NDArray[np.float32]
Ints = NDArray[np.int64]

SCALP_STRANDS = {"bald": 0, "buzz": 3800, "short": 3600, "medium": 3500, "long": 3600, "tied": 3400}
SCALP_STEPS = {"buzz": 2, "short": 7, "medium": 10, "long": 14, "tied": 9, "bald": 2}
STRAND_CM = 0.085


@dataclass(frozen=True)
class ScalpHair:
    """Strands that move with the skull: points (s, p, 3) head cm, colours (s, 3), widths (s,) cm."""

    points: Singles
    colours: Singles
    widths: Singles


def random_roots(weight: Floats, count: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Draw random points on the mesh by area and vertex weight: corners of triangles, and barycentric weights."""
    head = load_head()
    triangles = head.triangles[~head.is_teeth].astype(np.int64)
    a, b, c = (head.vertices[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chance = area * weight[triangles].mean(1)
    if chance.sum() <= 0:
        return np.zeros((0, 3), np.int64), np.zeros((0, 3))
    chosen = triangles[rng.choice(len(triangles), count, p=chance / chance.sum())]
    u, v = np.sqrt(rng.random(count)), rng.random(count)
    return chosen, np.stack([1 - u, u * (1 - v), u * v], 1)


def unit(vectors: Floats) -> Floats:
    """Scale vectors (..., 3) to length 1."""
    scaled: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return scaled


def mesh_normals(vertices: Floats) -> Floats:
    """Return the unit normals (n, 3) of the head mesh in this shape."""
    return vertex_normals(vertices.astype(np.float32), load_head().triangles).astype(np.float64)


@dataclass(frozen=True)
class _Skull:
    """The outer surface of this subject's head as a distance from its centre, by direction.

    Attributes:
        centre: (3,) cm. radius: (azimuths, heights) cm, heights by sine of elevation.
    """

    centre: Floats
    radius: Floats

    def distance(self, directions: Floats) -> Floats:
        """Return the distance (n, 1) of the surface along unit directions (n, 3)."""
        columns, rows = self.radius.shape
        u = (np.arctan2(directions[:, 0], directions[:, 2]) / (2 * np.pi) + 0.5) * columns - 0.5
        v = np.clip((directions[:, 1] + 1) / 2 * rows - 0.5, 0, rows - 1.001)
        i, j = np.floor(u).astype(np.int64), v.astype(np.int64)
        fu, fv = u - i, v - j
        left, right = self.radius[i % columns], self.radius[(i + 1) % columns]
        n = np.arange(len(u))
        low = left[n, j] * (1 - fu) + right[n, j] * fu
        high = left[n, j + 1] * (1 - fu) + right[n, j + 1] * fu
        return np.asarray(low * (1 - fv) + high * fv)[:, None]

    def hold(self, points: Floats, margin: Floats, cling: float) -> Floats:
        """Move points to `margin` cm above the surface: fully from inside, partly from outside.

        Hair clings only above the ears; further down it hangs free.
        """
        local = points - self.centre
        length = np.maximum(np.linalg.norm(local, axis=1, keepdims=True), 1e-6)
        surface = self.distance(local / length) + margin[:, None]
        share = np.where(length < surface, 1.0, cling * smoothstep(-2.0, 2.0, points[:, 1:2]))
        held: Floats = self.centre + local * (1 + share * (surface / length - 1))
        return held


def _skull(identity: Identity) -> _Skull:
    head = load_head()
    chosen = (head.follows_head > 0.4) & (head.mouth < 0.5)
    points = identity.vertices[chosen]
    top = points[:, 1].max()
    centre = np.array([0.0, top - 9.0, (points[:, 2].min() + points[:, 2].max()) / 2 - 1.0])
    local = points - centre
    length = np.linalg.norm(local, axis=1)
    columns, rows = 36, 24
    azimuth = ((np.arange(columns) + 0.5) / columns - 0.5) * 2 * np.pi
    sine = (np.arange(rows) + 0.5) / rows * 2 - 1
    ring = np.sqrt(1 - sine**2)
    directions = np.stack(
        [
            np.sin(azimuth)[:, None] * ring,
            np.broadcast_to(sine, (columns, rows)),
            np.cos(azimuth)[:, None] * ring,
        ],
        -1,
    )
    # The vertex nearest in direction; of several about equally near (in folds of the ear) the outermost.
    towards = (local / length[:, None]).T.astype(np.float32)
    near = directions.reshape(-1, 3).astype(np.float32) @ towards + np.float32(0.004) * length.astype(
        np.float32
    )
    return _Skull(centre, length[near.argmax(1)].reshape(columns, rows))


def _flow(
    hair: Hair, roots: Floats, normals: Floats, rng: np.random.Generator
) -> tuple[Floats, float, Floats]:
    """Return the initial direction of each strand, how strongly gravity bends it, and its length."""
    n = len(roots)
    parting = hair.parting + rng.normal(0, 0.35, n)
    side = np.sign(roots[:, 0] - parting + 1e-3)
    length = hair.length * rng.uniform(0.75, 1.1, n)
    front = smoothstep(3.0, 8.0, roots[:, 2])
    sideways = np.stack([side, np.full(n, 0.1), -0.2 * np.ones(n)], 1)
    backward = np.stack([0.15 * side, np.full(n, 0.25), -np.ones(n)], 1)
    forward = np.stack([0.35 * side, np.full(n, 0.15), np.ones(n)], 1)
    if hair.style == "buzz":
        return unit(0.7 * normals + 0.5 * backward), 0.1, length
    if hair.style == "tied":
        return unit(0.1 * normals + backward), 0.03, length
    if hair.style == "short":
        mix = np.full(n, 1.0 if hair.fringe > 0.6 else 0.0)[:, None]
        comb = mix * (0.5 * forward + 0.8 * sideways) + (1 - mix) * (0.7 * sideways + 0.6 * backward)
        lower = smoothstep(3.0, -1.0, roots[:, 1])
        length = length * (1 - 0.72 * lower)
        comb = comb * (1 - lower[:, None]) + lower[:, None] * np.array([0, -1.0, -0.3])
        return unit((0.1 + 0.35 * hair.volume) * normals + comb), 0.22, length
    fringe = (hair.fringe > 0.72) * front * (np.abs(roots[:, 0]) < 4.5)
    length = np.where(fringe > 0.5, np.minimum(length, 6.0 * rng.uniform(0.8, 1.05, n)), length)
    comb = sideways * (1 - fringe[:, None]) + (forward * [0.3, 1, 1]) * fringe[:, None]
    comb = comb + 0.6 * backward * (front * (1 - fringe))[:, None]
    return unit((0.15 + 0.3 * hair.volume) * normals + comb), 0.30, length


def grow_scalp_hair(identity: Identity, rng: np.random.Generator) -> ScalpHair | None:
    """Grow the scalp hair; returns None for a bald subject."""
    hair, head = identity.hair, load_head()
    count = SCALP_STRANDS[hair.style]
    if not count:
        return None
    corners, weights = random_roots(scalp(head.vertices, hair), count, rng)
    count = len(corners)
    if not count:
        return None
    roots = np.einsum("sk,skj->sj", weights, identity.vertices[corners])
    normals = unit(np.einsum("sk,skj->sj", weights, mesh_normals(identity.vertices)[corners]))
    skull = _skull(identity)
    direction, gravity, length = _flow(hair, roots, normals, rng)
    steps = SCALP_STEPS[hair.style]
    layer = 0.15 + (0.2 + 1.1 * hair.volume) * rng.random(count) ** 0.8
    if hair.style in ("buzz", "tied"):
        layer = 0.08 + 0.25 * rng.random(count)
    clump = rng.integers(0, 90, count)
    clump_bend = rng.normal(0, 1, (90, 3))[clump]
    step = (length / (steps - 1))[:, None]
    points = np.empty((count, steps, 3))
    points[:, 0] = roots - 0.1 * normals
    wave = rng.uniform(0, 2 * np.pi, 90)[clump]
    hold = 0.75 if hair.style == "tied" else 0.45 * (1 - 0.5 * hair.volume)
    for i in range(1, steps):
        bend = (0.05 * clump_bend + rng.normal(0, 0.035, (count, 3))) * min(1.0, 6.0 / hair.length + 0.15)
        curl = hair.curl * 0.55 * np.stack([np.sin(wave + 1.1 * i), 0 * wave, np.cos(wave + 1.1 * i)], 1)
        direction = direction * [0.9, 1.0, 0.9]  # air and neighbouring strands damp all but gravity
        direction = unit(direction + gravity * step * np.array([0, -1.0, 0]) + bend + curl)
        moved = points[:, i - 1] + direction * step
        grown = np.minimum(1.0, 2.0 * i / steps)
        pushed = skull.hold(moved, layer * grown, hold)
        pushed = _clear_face(identity, hair, pushed)
        direction = unit(pushed - points[:, i - 1])
        points[:, i] = points[:, i - 1] + direction * step
    shade = np.exp(0.16 * rng.standard_normal(90)[clump] + 0.10 * rng.standard_normal(count))
    colours = identity.hair.colour * shade[:, None]
    widths = STRAND_CM * rng.uniform(0.6, 1.25, count)
    return ScalpHair(points.astype(np.float32), colours.astype(np.float32), widths.astype(np.float32))


LOCK_STRANDS, LOCK_STEPS = 330, 10


def grow_lock(identity: Identity, front: FaceFront, rng: np.random.Generator) -> ScalpHair | None:
    """Grow a lock that hangs from the hairline over one eye; returns None for subjects without one."""
    extras = identity.extras
    if not extras.lock:
        return None
    count = int(LOCK_STRANDS * extras.lock)
    side = extras.lock_side
    middle, spread = rng.uniform(2.0, 4.2), rng.uniform(0.8, 1.5)
    place = rng.normal(0, 1, (count, 1))
    along = np.linspace(0, 1, LOCK_STEPS)
    length = rng.uniform(7.0, 12.0) * rng.uniform(0.7, 1.1, (count, 1))
    start_x = 1.0 + 0.5 * middle + 1.2 * place
    end_x = middle + spread * place + 0.4 * rng.normal(0, 1, (count, 1))
    bow = 0.5 * np.sin(np.pi * along) * rng.normal(0.6, 0.3, (count, 1))
    x = side * (start_x + (end_x - start_x) * along + bow)
    y = 7.5 + identity.hair.line - 0.4 * np.abs(place) - length * along
    layer = rng.uniform(0.25, 1.1, (count, 1)) * np.ones(LOCK_STEPS)
    points = front.on(np.stack([x, y], -1), 0.0)
    points[..., 2] += layer
    # Hair hangs straight over hollows.
    points[..., 2] = np.maximum(points[..., 2], points[:, :1, 2] - 1.2 * along)
    shade = np.exp(0.2 * rng.standard_normal(count))[:, None]
    return ScalpHair(
        points.astype(np.float32),
        (identity.hair.colour * shade).astype(np.float32),
        (STRAND_CM * rng.uniform(0.35, 0.8, count)).astype(np.float32),
    )


def _clear_face(identity: Identity, hair: Hair, points: Floats) -> Floats:
    """Move long hair beside the face, so that it does not fall through it."""
    if hair.style not in ("medium", "long"):
        return points
    moved = points.copy()
    in_front = smoothstep(1.0, 4.0, points[:, 2]) * smoothstep(5.5, 2.5, points[:, 1])
    clear = 5.9 - 0.9 * smoothstep(-3.0, -11.0, points[:, 1])
    side = np.where(points[:, 0] >= 0, 1.0, -1.0)
    wanted = side * np.maximum(np.abs(points[:, 0]), clear)
    moved[:, 0] += in_front * (wanted - points[:, 0])
    neck = smoothstep(-9.0, -12.0, points[:, 1]) * (points[:, 2] < 2.0)
    moved[:, 0] += neck * (side * np.maximum(np.abs(points[:, 0]), 6.3) - moved[:, 0])
    return moved
