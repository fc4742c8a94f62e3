"""How much a strip differs from the strip of the last inference: the gate without any geometry, in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Pixels
from tinytracker.cascade.flow import EYE_COLUMNS, HEIGHT, WIDTH

Ints = NDArray[np.int64]

BLOCK = 4
"""Side of the blocks whose means are compared, px: noise averages out, an iris that moves does not."""
_ROWS = slice(2, 6)
_COLUMNS = tuple(slice(low // BLOCK, -(-high // BLOCK)) for low, high in EYE_COLUMNS)


def blocks(strips: Pixels) -> Ints:
    """Return the sums of blocks around the eyes, (n, blocks), and of the whole strip in the last column."""
    n = len(strips)
    sums = strips.astype(np.int64).reshape(n, HEIGHT // BLOCK, BLOCK, WIDTH // BLOCK, BLOCK).sum((2, 4))
    eyes = np.concatenate([sums[:, _ROWS, columns].reshape(n, -1) for columns in _COLUMNS], axis=1)
    return np.concatenate([eyes, sums.sum((1, 2))[:, None]], axis=1)


def difference(before: Ints, after: Ints) -> int:
    """Return the mean absolute difference of two rows of `blocks`, brightness adjusted, in 1/16 grey.

    Example:
        >>> a = blocks(np.full((1, 32, 96), 100, np.uint8))[0]
        >>> difference(a, a)
        0
    """
    whole, now = int(before[-1]), max(int(after[-1]), 1)
    gain = min((2 * 4096 * whole + now) // (2 * now), 2 * 4096)
    adjusted = (after[:-1] * gain + 2048) >> 12
    return int(np.abs(before[:-1] - adjusted).sum()) // (len(before) - 1)
