"""The head asset is what the code takes it for."""

from __future__ import annotations

import numpy as np
import pytest

from tinytracker.synth.asset.base_mesh import quad_grid, read_mesh, read_target
from tinytracker.synth.head import ASSET, SIDES, load_head


def test_asset_is_small_and_whole():
    head = load_head()
    assert ASSET.stat().st_size < 1_200_000
    assert (ASSET.parent / "LICENSE.md").read_text().count("CC0")
    n = len(head.vertices)
    assert head.triangles.max() < n
    assert all(
        len(a) == n
        for a in (head.follows_head, head.occlusion, head.lips, head.mouth, head.ears, head.eyelids)
    )
    assert len(head.names) == 366
    assert 0 <= head.occlusion.min() <= head.occlusion.max() <= 1


def test_sides_are_the_subjects():
    head = load_head()
    left, right = (head.eye_centre(head.vertices, side) for side in SIDES)
    assert left[0] > 0 > right[0]
    assert np.allclose(left * [-1, 1, 1], right, atol=0.02)
    assert 5.5 < left[0] - right[0] < 7


@pytest.mark.parametrize("side", SIDES)
def test_blinking_closes_the_eye_and_only_that_eye(side):
    head = load_head()
    moved = head.vertices.copy()
    head.move(moved, f"face/eyeBlink{side.capitalize()}", 1.0)
    other = SIDES[1 - SIDES.index(side)]
    for which, least, most in ((side, 0.3, 2.0), (other, 0.0, 0.0)):
        upper, lower = head.lashes[(which, "upper")], head.lashes[(which, "lower")]
        before = head.vertices[upper[6, 1], 1] - head.vertices[lower[6, 1], 1]
        after = moved[upper[6, 1], 1] - moved[lower[6, 1], 1]
        assert least <= before - after <= most


def test_lash_strips_run_from_the_nose_outwards():
    head = load_head()
    for (side, lid), grid in head.lashes.items():
        x = np.abs(head.vertices[grid[:, 1], 0])
        assert (np.diff(x) > 0).all(), (side, lid)
        tips, roots = head.vertices[grid[6, -1]], head.vertices[grid[6, 1]]
        assert (tips[1] > roots[1]) == (lid == "upper")
        assert tips[2] > roots[2]


def test_an_unknown_morph_is_a_key_error():
    head = load_head()
    with pytest.raises(KeyError):
        head.move(head.vertices.copy(), "face/nothing", 1.0)


def test_mesh_and_target_parsers():
    mesh = read_mesh("# comment\nv 0 0 0\nv 1 0 0\nv 1 1 0\nvt 0 0\nvt .5 1\nvt 1 1\ng body\nf 1/1 2/2 3/3\n")
    assert mesh.faces == [[0, 1, 2]]
    assert mesh.groups == ["body"]
    assert mesh.vertices_of("body").tolist() == [0, 1, 2]
    dense = read_target("# comment\n1 .5 0 -1\n", 3)
    assert dense.tolist() == [[0, 0, 0], [0.5, 0, -1], [0, 0, 0]]


def test_quad_grid_recovers_rows_and_columns():
    columns, rows = 4, 3
    shuffled = np.random.default_rng(0).permutation(columns * rows).reshape(columns, rows)
    faces = [
        [int(v) for v in (shuffled[i, j], shuffled[i + 1, j], shuffled[i + 1, j + 1], shuffled[i, j + 1])]
        for i in range(columns - 1)
        for j in range(rows - 1)
    ]
    grid = quad_grid(faces, columns)
    assert any(
        np.array_equal(grid, g) for g in (shuffled, shuffled[::-1], shuffled[:, ::-1], shuffled[::-1, ::-1])
    )
