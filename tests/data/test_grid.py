"""The 25 × 25 face grid and the planes of pixel positions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.data.grid import (
    CELLS,
    box_from_grid,
    face_grid,
    from_codes,
    grid_mask,
    position_planes,
    to_codes,
)

WIDTH, HEIGHT = 480, 640
boxes = st.tuples(st.floats(-200, 600), st.floats(-200, 700), st.floats(20, 400), st.floats(20, 400))
cells = st.integers(1, CELLS)


@pytest.mark.parametrize(
    ("face", "expected"),
    [
        ((0, 0, 480, 640), (1, 1, 25, 25)),
        ((96, 128, 192, 256), (6, 6, 10, 10)),
        ((-48, 608, 192, 128), (1, 25, 8, 1)),  # columns -1.5 → -1..8 and rows 24.75 → 25..29, clamped
        ((470, 0, 100, 32), (25, 1, 1, 1)),  # 24.48 → column 25, 5 columns, clamped
        ((-300, 0, 100, 32), (1, 1, 1, 1)),
    ],
)
def test_face_grid_by_hand(face: tuple[float, ...], expected: tuple[int, ...]) -> None:
    assert face_grid(face, WIDTH, HEIGHT).tolist() == list(expected)


@given(boxes)
def test_a_grid_stays_within_its_cells(face: tuple[float, ...]) -> None:
    x, y, w, h = face_grid(face, WIDTH, HEIGHT)
    assert 1 <= x <= CELLS
    assert 1 <= y <= CELLS
    assert w >= 1
    assert h >= 1
    assert x + w - 1 <= CELLS
    assert y + h - 1 <= CELLS


@given(st.tuples(cells, cells), st.tuples(cells, cells))
def test_grid_and_box_are_inverse(columns: tuple[int, int], rows: tuple[int, int]) -> None:
    (x0, x1), (y0, y1) = sorted(columns), sorted(rows)
    grid = [x0, y0, x1 - x0 + 1, y1 - y0 + 1]
    assert face_grid(box_from_grid(grid, WIDTH, HEIGHT), WIDTH, HEIGHT).tolist() == grid
    mask = grid_mask(grid)
    assert mask.sum() == grid[2] * grid[3]
    # rows first, columns second; the grid counts from 1
    assert mask[y0 - 1, x0 - 1]
    assert mask[y1 - 1, x1 - 1]
    assert np.flatnonzero(mask.any(axis=0))[[0, -1]].tolist() == [x0 - 1, x1 - 1]
    assert np.flatnonzero(mask.any(axis=1))[[0, -1]].tolist() == [y0 - 1, y1 - 1]


@given(st.lists(boxes, min_size=1, max_size=4))
def test_grids_are_vectorised(many: list[tuple[float, ...]]) -> None:
    grids = face_grid(np.array(many), WIDTH, HEIGHT)
    assert grids.tolist() == [face_grid(box, WIDTH, HEIGHT).tolist() for box in many]
    np.testing.assert_array_equal(grid_mask(grids), [grid_mask(grid) for grid in grids])
    planes = position_planes(np.array(many), WIDTH, HEIGHT, 5, 3)
    np.testing.assert_array_equal(planes, [position_planes(box, WIDTH, HEIGHT, 5, 3) for box in many])


def test_position_planes_by_hand() -> None:
    planes = position_planes((0, 0, 480, 640), WIDTH, HEIGHT, width=4, height=2)
    assert planes.shape == (2, 4, 2)
    np.testing.assert_allclose(planes[0, :, 0], [-0.75, -0.25, 0.25, 0.75])
    np.testing.assert_allclose(planes[:, 0, 1], [-0.5, 0.5])
    off = position_planes((480, -320, 240, 320), WIDTH, HEIGHT, width=2, height=1)
    np.testing.assert_allclose(off[0, :, 0], [1.25, 1.75])
    np.testing.assert_allclose(off[0, 0, 1], -1.5)


@given(boxes)
def test_positions_rise_and_their_mean_is_the_centre(box: tuple[float, ...]) -> None:
    planes = position_planes(box, WIDTH, HEIGHT, 9, 7)
    assert (np.diff(planes[..., 0], axis=1) > 0).all()
    assert (np.diff(planes[..., 1], axis=0) > 0).all()
    centre = [2 * (box[0] + box[2] / 2) / WIDTH - 1, 2 * (box[1] + box[3] / 2) / HEIGHT - 1]
    np.testing.assert_allclose(planes.mean(axis=(0, 1)), centre, atol=1e-9)


def test_codes_by_hand() -> None:
    assert to_codes([-2, -1, -0.5, 0, 1 / 256, 0.5, 127 / 128, 1, 2]).tolist() == [
        0, 0, 64, 128, 129, 192, 255, 255, 255,
    ]  # fmt: skip


@given(st.floats(-1, 127 / 128))
def test_codes_are_within_half_a_step(value: float) -> None:
    assert abs(from_codes(to_codes(value)) - value) <= 0.5 / 128


def test_every_code_is_its_own_inverse() -> None:
    codes = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_codes(from_codes(codes)), codes)
