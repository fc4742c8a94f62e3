"""Maps of the error over the screen of each device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.data.devices import Orientation, find_device

COLUMNS = 6
ARROW_COLUMNS = 3
_LEAST_FRAMES = 20
_MOST_DEVICES = 8
_SMOOTHING = 0.2
"""Smoothing length as a fraction of the screen's width: a frame at this distance has a weight of 60 %."""


def upright(gaze_cm: Floats, orientation: NDArray[np.int64]) -> Floats:
    """Rotate gaze (N, 2) about the camera into the frame of the device held in portrait, cm.

    In landscape, the screen is beside the camera as the user sees it. After the rotation, all orientations of a device
    share one screen.
    """
    x, y = gaze_cm[:, 0], gaze_cm[:, 1]
    which = [orientation == o for o in Orientation]
    return np.stack([np.select(which, [x, -x, y, -y], np.nan), np.select(which, [y, -y, -x, x], np.nan)], -1)


def device_maps(predictions: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Return one map per device with enough frames; devices with the most frames come first.

    Args:
        predictions: `predicted` and `gaze` (N, 2) cm, `device` and `orientation` (N,); {} is returned without these.

    Returns:
        JSON-able: device, family, frames, error_cm, screen [x0, y0, x1, y1] in cm from the camera (portrait, y up),
        cells [x, y, width, height, error cm, share of full support], arrows [x, y, predicted x, predicted y] from the
        mean dot to the mean prediction in each cell of a coarser grid.
    """
    if not {"device", "orientation"} <= set(predictions):
        return []
    names, counts = np.unique(predictions["device"], return_counts=True)
    order = [i for i in np.argsort(-counts, kind="stable") if counts[i] >= _LEAST_FRAMES][:_MOST_DEVICES]
    return [_map(str(names[i]), predictions, predictions["device"] == names[i]) for i in order]


def _map(name: str, predictions: dict[str, NDArray[Any]], mine: NDArray[np.bool_]) -> dict[str, Any]:
    device = find_device(name)
    orientation = predictions["orientation"][mine]
    dots = upright(predictions["gaze"][mine].astype(float), orientation)
    seen = upright(predictions["predicted"][mine].astype(float), orientation)
    errors = np.linalg.norm(seen - dots, axis=1)
    x0, y0, x1, y1 = device.screen_rectangle_cm(Orientation.PORTRAIT)
    screen = np.array([[x0, y0], [x1, y1]])
    cells = []
    (columns, rows), (width, height) = _grid(screen, COLUMNS)
    for i, j in np.ndindex(columns, rows):
        x, y = x0 + i * width, y0 + j * height
        error, support = _smoothed(dots, errors, x + width / 2, y + height / 2, _SMOOTHING * (x1 - x0))
        cells.append([x, y, width, height, error, support])
    return {
        "device": device.name, "family": device.family, "frames": int(mine.sum()),
        "error_cm": float(errors.mean()), "screen": [x0, y0, x1, y1],
        "cells": np.round(cells, 3).tolist(), "arrows": _arrows(screen, dots, seen),
    }  # fmt: skip


def _grid(screen: Floats, columns: int) -> tuple[tuple[int, int], tuple[float, float]]:
    """Return (columns, rows) of nearly square cells on a screen [[x0, y0], [x1, y1]], and a cell's size."""
    width, height = (screen[1] - screen[0]).tolist()
    rows = max(1, round(columns * height / width))
    return (columns, rows), (width / columns, height / rows)


def _arrows(screen: Floats, dots: Floats, seen: Floats) -> list[list[float]]:
    """Return arrows from the mean dot to the mean prediction of each cell that has a dot."""
    (columns, rows), size = _grid(screen, ARROW_COLUMNS)
    place = np.clip((dots - screen[0]) // np.array(size), 0, [columns - 1, rows - 1]) @ [rows, 1]
    cells = [place == cell for cell in np.unique(place)]
    arrows: list[list[float]] = [
        [*dots[c].mean(0).round(3).tolist(), *seen[c].mean(0).round(3).tolist()] for c in cells
    ]
    return arrows


def _smoothed(dots: Floats, errors: Floats, x: float, y: float, width: float) -> tuple[float, float]:
    """Return the mean error around a place with Gaussian weights, and its support from 0 to 1 (three frames nearby)."""
    weights = np.exp(-((dots[:, 0] - x) ** 2 + (dots[:, 1] - y) ** 2) / (2 * width**2))
    total = float(weights.sum())
    if total < 1e-6:
        return float(errors.mean()), 0.0
    return float(weights @ errors / total), min(1.0, total / 3)
