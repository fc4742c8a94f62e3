"""The MakeHuman base mesh and its morph targets as arrays, and grids of its quads."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class BaseMesh:
    """The Wavefront file: vertices in dm, texture coordinates, and faces with their groups."""

    vertices: Floats
    texture: Floats
    faces: list[list[int]]
    texture_faces: list[list[int]]
    groups: list[str]

    def vertices_of(self, group: str) -> Ints:
        """Return the sorted indices of all vertices used by faces of this group."""
        return np.unique(
            [i for face, name in zip(self.faces, self.groups, strict=True) if name == group for i in face]
        )


def read_mesh(text: str) -> BaseMesh:
    """Parse the part of the Wavefront format that the base mesh uses (v, vt, g, f)."""
    vertices: list[list[float]] = []
    texture: list[list[float]] = []
    faces: list[list[int]] = []
    texture_faces: list[list[int]] = []
    groups: list[str] = []
    group = ""
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            vertices.append([float(w) for w in words[1:4]])
        elif words[0] == "vt":
            texture.append([float(w) for w in words[1:3]])
        elif words[0] == "g":
            group = words[1]
        elif words[0] == "f":
            corners = [w.split("/") for w in words[1:]]
            faces.append([int(c[0]) - 1 for c in corners])
            texture_faces.append([int(c[1]) - 1 for c in corners])
            groups.append(group)
    return BaseMesh(np.array(vertices), np.array(texture), faces, texture_faces, groups)


def read_target(text: str, vertex_count: int) -> Floats:
    """Parse a morph target to dense offsets (vertex_count, 3) in dm."""
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    table = np.array([[float(w) for w in row] for row in rows if len(row) == 4])
    dense = np.zeros((vertex_count, 3))
    if len(table):
        dense[table[:, 0].astype(int)] = table[:, 1:]
    return dense


def quad_grid(faces: list[list[int]], columns: int) -> Ints:
    """Return the vertices of a rectangular strip of quads as an array (columns, rows).

    The distances in edges to two neighbouring corners are i + j and (columns - 1 - i) + j: two equations for
    (i, j).
    """
    neighbours: dict[int, set[int]] = {}
    touched: dict[int, int] = {}
    for face in faces:
        for a, b in zip(face, [*face[1:], face[0]], strict=True):
            neighbours.setdefault(a, set()).add(b)
            neighbours.setdefault(b, set()).add(a)
            touched[a] = touched.get(a, 0) + 1
    corners = sorted(v for v, n in touched.items() if n == 1)

    def distances(start: int) -> dict[int, int]:
        found, queue = {start: 0}, deque([start])
        while queue:
            vertex = queue.popleft()
            for other in sorted(neighbours[vertex]):
                if other not in found:
                    found[other] = found[vertex] + 1
                    queue.append(other)
        return found

    first = distances(corners[0])
    partner = next(c for c in corners if first[c] == columns - 1)
    second = distances(partner)
    grid = np.full((columns, len(neighbours) // columns), -1)
    for vertex in neighbours:
        i = (first[vertex] - second[vertex] + columns - 1) // 2
        j = (first[vertex] + second[vertex] - columns + 1) // 2
        grid[i, j] = vertex
    if (grid < 0).any():
        raise ValueError("the lash strip is not a rectangular grid")
    return grid


def lash_grid(mesh: BaseMesh, group: str, columns: int, body: Ints) -> Ints:
    """Return a lash strip (columns, rows): columns from the nose outwards, rows from inside the lid to the tips."""
    faces = [f for f, g in zip(mesh.faces, mesh.groups, strict=True) if g == group]
    grid = quad_grid(faces, columns)
    skin = mesh.vertices[body]

    def distance(vertices: Ints) -> float:
        offsets = mesh.vertices[vertices][:, None] - skin[None]
        return float(np.sqrt((offsets**2).sum(2)).min(1).mean())

    if distance(grid[:, 0]) > distance(grid[:, -1]):
        grid = grid[:, ::-1]
    if abs(mesh.vertices[grid[0, 0], 0]) > abs(mesh.vertices[grid[-1, 0], 0]):
        grid = grid[::-1]
    return grid
