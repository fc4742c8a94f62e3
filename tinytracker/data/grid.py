"""The position of the face in the frame: GazeCapture's 25 × 25 face grid, and two planes of pixel positions.

Grid cells are counted from 1. The planes are computed from the face box, not from the grid, because a cell of a
480 px wide frame is 19 px: too coarse for a network that must know where the eyes are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytracker.arrays import Floats, Pixels
from tinytracker.data.crops import round_half_up

Ints = NDArray[np.int64]

CELLS = 25
"""Cells along each side of GazeCapture's face grid."""

GRID_OUT_CODE = 128
"""Input code of a grid cell outside the face: exactly 0.0."""

GRID_IN_CODE = 255
"""Input code of a grid cell inside the face: 127/128, the largest value of the input contract."""


def face_grid(face: ArrayLike, width: ArrayLike, height: ArrayLike) -> Ints:
    """Compute the face grid of face boxes, as stored in `faceGrid.json`.

    First cell = round(x · 25 / width) + 1, extent = round(w · 25 / width), both ends clamped to 1..25; likewise
    for y (GazeCapture release, `faceGridFromFaceRect.m`).

    Args:
        face: (..., 4) in frame px.
        width: of the frame, px.
        height: of the frame, px.

    Returns:
        (..., 4) int64: first column, first row, columns, rows; cells counted from 1.
    """
    x, y, w, h = np.moveaxis(np.asarray(face, np.float64), -1, 0)
    first_x, columns = _cells(x, w, np.asarray(width, np.float64))
    first_y, rows = _cells(y, h, np.asarray(height, np.float64))
    return np.stack([first_x, first_y, columns, rows], axis=-1)


def _cells(start: Floats, extent: Floats, size: Floats) -> tuple[Ints, Ints]:
    first = round_half_up(start * CELLS / size) + 1
    last = first + round_half_up(extent * CELLS / size) - 1
    first, last = np.clip(first, 1, CELLS), np.clip(last, 1, CELLS)
    return first, last - first + 1


def box_from_grid(grid: ArrayLike, width: ArrayLike, height: ArrayLike) -> Floats:
    """Return the area in frame px that a face grid (..., 4) covers, as boxes (..., 4)."""
    first_x, first_y, columns, rows = np.moveaxis(np.asarray(grid, np.float64), -1, 0)
    cell_w, cell_h = np.asarray(width, np.float64) / CELLS, np.asarray(height, np.float64) / CELLS
    return np.stack(
        [(first_x - 1) * cell_w, (first_y - 1) * cell_h, columns * cell_w, rows * cell_h], axis=-1
    )


def grid_mask(grid: ArrayLike) -> NDArray[np.bool_]:
    """Convert face grids (..., 4) to masks (..., 25, 25): [row, column], True where the face is."""
    first_x, first_y, columns, rows = np.moveaxis(np.asarray(grid, np.int64), -1, 0)
    cell = np.arange(1, CELLS + 1)
    in_x = (cell >= first_x[..., None]) & (cell < (first_x + columns)[..., None])
    in_y = (cell >= first_y[..., None]) & (cell < (first_y + rows)[..., None])
    mask: NDArray[np.bool_] = in_y[..., :, None] & in_x[..., None, :]
    return mask


def position_planes(
    box: ArrayLike, frame_width: ArrayLike, frame_height: ArrayLike, width: int, height: int
) -> Floats:
    """Return the position in the frame of each pixel of a resized crop.

    Args:
        box: (..., 4) the crop in frame px.
        frame_width: px, shape (...).
        frame_height: px, shape (...).
        width: of the resized crop, px.
        height: of the resized crop, px.

    Returns:
        (..., height, width, 2) float64: x and y of the pixel's centre, -1 at the left and top edge of the
        frame and 1 at the right and bottom edge; beyond these values outside the frame.
    """
    x, y, w, h = np.moveaxis(np.asarray(box, np.float64), -1, 0)
    plane_x = _positions(x, w, np.asarray(frame_width, np.float64), width)[..., None, :]
    plane_y = _positions(y, h, np.asarray(frame_height, np.float64), height)[..., :, None]
    planes: Floats = np.stack(np.broadcast_arrays(plane_x, plane_y), axis=-1)
    return planes


def _positions(start: Floats, extent: Floats, size: Floats, n: int) -> Floats:
    steps: Floats = np.arange(n, dtype=np.float64) + 0.5
    centres = start[..., None] + steps * extent[..., None] / n
    return np.asarray(2 * centres / size[..., None] - 1, np.float64)


def to_codes(values: ArrayLike) -> Pixels:
    """Convert real values x to the uint8 codes p of the input contract: p = round(128 x) + 128, clipped to 0..255."""
    return np.clip(round_half_up(128 * np.asarray(values, np.float64)) + 128, 0, 255).astype(np.uint8)


def from_codes(codes: ArrayLike) -> Floats:
    """Convert uint8 codes p to the real values p / 128 - 1."""
    return np.asarray(codes, np.float64) / 128 - 1
