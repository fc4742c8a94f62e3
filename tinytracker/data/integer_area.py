"""A box of whole pixels as a network's picture: the rule of `data.inputs` in integers, fast enough for every frame.

Each output pixel is the mean of the part of the box that it covers, black outside of the frame, rounded half up. In
units of 1/n px, where n is the number of output pixels along an axis, all edges are whole numbers, so that the sums
are exact and equal to those of deploy/common/tt_resize.c.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Pixels
from tinytracker.data.inputs import LUMA

Box = tuple[int, int, int, int]


def area_picture(image: NDArray[np.uint8], box: Box, width: int, height: int, *, grey: bool) -> Pixels:
    """Return a box of an image, averaged to a network's input.

    Args:
        image: (h, w, 3) RGB.
        box: x, y, width, height in px of the image, the last two at least 1; it may leave the image.
        width: of the result, px.
        height: of the result, px.
        grey: one channel instead of three.

    Returns:
        uint8 (height, width, 3), or (height, width, 1) for grey.

    Example:
        >>> import numpy as np
        >>> checks = np.tile(np.uint8([[[0], [200]]]), (2, 2, 3))
        >>> area_picture(checks, (0, 0, 4, 2), 2, 1, grey=True).ravel().tolist()
        [100, 100]
    """
    x, y, w, h = box
    rows, columns = image.shape[:2]
    # Only the pixels under the box are summed.
    left, right = (min(max(v, 0), columns) for v in (x, x + w))
    top, bottom = (min(max(v, 0), rows) for v in (y, y + h))
    part = image[top:bottom, left:right]
    tall = _sums(part, y - top, h, height)
    sums = np.moveaxis(_sums(np.moveaxis(tall, 1, 0), x - left, w, width), 0, 1)
    area = w * h
    rgb: Pixels = ((2 * sums + area) // (2 * area)).astype(np.uint8)
    if not grey:
        return rgb
    luma: Pixels = ((rgb.astype(np.int64) @ np.array(LUMA) + 128) >> 8).astype(np.uint8)
    return luma[..., None]


def _sums(values: NDArray[Any], start: int, extent: int, n: int) -> NDArray[np.int64]:
    """Sum along the first axis over each of n equal parts of [start, start + extent) px, in 1/n of a value."""
    size = len(values)
    fits = values.dtype == np.uint8 and 255 * size * n < 1 << 31
    kind = np.int32 if fits else np.int64
    total = np.zeros((size + 1, *values.shape[1:]), kind)
    np.cumsum(values, axis=0, dtype=kind, out=total[1:])
    edges = np.clip(start * n + extent * np.arange(n + 1), 0, size * n)
    whole, rest = np.divmod(edges, n)
    at = total[whole] * kind(n)
    if size:
        shape = (-1, *(1,) * (values.ndim - 1))
        at += rest.reshape(shape).astype(kind) * values[np.minimum(whole, size - 1)]
    result: NDArray[np.int64] = np.diff(at, axis=0).astype(np.int64)
    return result
