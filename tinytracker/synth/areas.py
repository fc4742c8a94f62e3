"""Areas of the base mesh: scalp, beard, brows, wrinkles, soft spots.

Every function takes base mesh positions (..., 3) in cm, which are the same for all subjects.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytracker.arrays import Floats32
from tinytracker.synth.identity import Hair


def smoothstep(low: ArrayLike, high: ArrayLike, x: ArrayLike) -> NDArray[np.float64]:
    """Return 0 up to `low`, 1 beyond `high`, and a smooth transition between them (`low` may exceed `high`)."""
    t = np.clip((np.asarray(x) - low) / (np.asarray(high) - low), 0, 1)
    result: NDArray[np.float64] = t * t * (3 - 2 * t)
    return result


def scalp(position: NDArray[np.floating[Any]], hair: Hair, ragged: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Return the density of hair, 0 to 1, at base mesh positions (..., 3) cm; `ragged` (cm) shifts the hairline."""
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    side = np.abs(x)
    line = 79.8 + hair.line - 9.0 * smoothstep(10.5, 2.0, z) - 5.0 * smoothstep(2.0, -6.0, z) - 0.13 * side
    # Receding temples: the corner between forehead and sideburn has no hair.
    line = line + 1.3 * np.exp(-(((side - 5.3) / 1.5) ** 2)) * smoothstep(5.0, 8.5, z)
    grows = smoothstep(-0.35, 0.35, y - line + ragged)
    around_ear = smoothstep(8.3, 7.9, side * (y < 76.0))
    return grows * around_ear * (y > 66.5)


def beard_area(position: NDArray[np.floating[Any]], lips: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the density of the beard, 0 to 1, at base mesh positions (..., 3) cm."""
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    side = np.abs(x)
    upper = 68.6 + 0.55 * np.maximum(side - 2.2, 0) + 3.5 * smoothstep(5.2, 7.0, side)
    cheek = smoothstep(0.5, -0.5, y - upper)
    return cheek * smoothstep(59.8, 61.8, y) * (1 - smoothstep(0.15, 0.5, lips)) * smoothstep(0.5, 4.0, z)


def brow_curve(x: NDArray[np.floating[Any]], raised: float) -> NDArray[np.float64]:
    """Return the height (cm, base mesh) of the brow's centre line at distance |x| from the middle of the face."""
    along = np.clip((np.abs(x) - 1.0) / 5.4, 0, 1)
    height: NDArray[np.float64] = 74.04 + raised + 0.6 * np.sin(along * np.pi * 0.8) - 0.2 * along
    return height


def brow_area(position: NDArray[np.floating[Any]], height: float, width: float) -> NDArray[np.float64]:
    """Return the density of the brows, 0 to 1, at base mesh positions (..., 3) cm."""
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    side = np.abs(x)
    along = np.clip((side - 1.0) / 5.4, 0, 1)
    thickness = width * (1 - 0.62 * along**1.5)
    across = np.abs(y - brow_curve(x, height)) / thickness
    return smoothstep(1.25, 0.5, across) * smoothstep(1.2, 2.0, side) * smoothstep(6.4, 5.2, side) * (z > 8)


def spot(position: Floats32, x: float, y: float, width: float, height: float) -> NDArray[np.float64]:
    """Return the strength of a soft spot on both halves of the face."""
    side = np.abs(position[..., 0])
    spot: NDArray[np.float64] = np.exp(-(((side - x) / width) ** 2) - ((position[..., 1] - y) / height) ** 2)
    return spot


def wrinkles(
    depth: float, position: Floats32, broad: Floats32, middle: Floats32
) -> NDArray[np.floating[Any]]:
    """Return the depth of forehead lines, crow's feet, and the fold from nose to mouth, which young faces have too."""
    side, y = np.abs(position[..., 0]), position[..., 1]
    forehead = np.sin(y * 5.2 + 0.8 * broad) ** 8 * smoothstep(76.0, 77.0, y) * smoothstep(81.0, 79.0, y)
    forehead *= smoothstep(6, 4, side)
    crow = np.sin(y * 6.5 + side * 2.0 + middle) ** 8 * spot(position, 6.2, 72.6, 0.9, 1.2)
    fold = (
        np.exp(-(((side - 2.3 - 0.28 * (69.3 - y)) / 0.16) ** 2))
        * smoothstep(70.0, 69.0, y)
        * smoothstep(65.5, 66.5, y)
    )
    lines: NDArray[np.floating[Any]] = depth * (0.9 * forehead + 0.8 * crow) + (0.15 + 0.6 * depth) * fold
    return lines
