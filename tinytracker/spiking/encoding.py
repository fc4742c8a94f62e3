"""How a frame becomes the input of a spiking network. No TensorFlow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DEAD_ZONE, GAIN, TOP = 10, 2, 127
"""Those of `tinytracker.model.edges`, in pixel codes; the tests compare the two."""


def edge_codes(codes: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the edges of images, as `tinytracker.model.edges.EdgePlanes` computes them.

    Args:
        codes: (n, h, w, c) pixel codes p - 128.

    Returns:
        (n, h, w, 4 c) codes 0 to 127: brighter to the right, darker to the right, brighter downward, darker downward.
    """
    x = codes.astype(np.int16)
    right = np.pad(x[:, :, 1:] - x[:, :, :-1], ((0, 0), (0, 0), (0, 1), (0, 0)))
    down = np.pad(x[:, 1:] - x[:, :-1], ((0, 0), (0, 1), (0, 0), (0, 0)))
    planes = np.concatenate([right, -right, down, -down], -1)
    edges: NDArray[np.int8] = np.minimum(GAIN * np.maximum(planes - DEAD_ZONE, 0), TOP).astype(np.int8)
    return edges
