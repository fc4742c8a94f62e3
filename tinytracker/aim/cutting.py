"""What a network sees of a frame: the integers of deploy/common/tt_resize.c, for loops that are computed here.

Each output pixel is the mean of the part of the box that it covers. In units of 1/n px, where n is the number of output
pixels along an axis, all edges are whole numbers, so that the sums are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.layout import FINDER_HEIGHT, FINDER_WIDTH

Box = tuple[int, int, int, int]
"""x, y, width and height in px of the frame; it may leave the frame."""


def cut(frame: NDArray[np.uint8], box: Box, width: int, height: int, channels: int) -> NDArray[np.uint8]:
    """Cut a box out of a frame and bring it to a size: means of areas, black outside of the frame, rounded half up.

    Args:
        frame: (H, W, 3) RGB or (H, W) grey.
        box: what to cut.
        width: of the result, px.
        height: of the result, px.
        channels: 3 for RGB, 1 for grey (ITU-R BT.601 in 1/256).

    Returns:
        (height, width, channels), equal to what `tt_make_input` writes on a board.

    Example:
        >>> cut(np.full((4, 4, 3), 200, np.uint8), (2, 0, 4, 4), 2, 1, 1)[..., 0].tolist()
        [[200, 0]]
    """
    rgb = frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2)
    x, y, w, h = box
    rows, columns = rgb.shape[:2]
    # Only the pixels under the box are summed.
    left, right = (min(max(v, 0), columns) for v in (x, x + w))
    top, bottom = (min(max(v, 0), rows) for v in (y, y + h))
    tall = _sums(rgb[top:bottom, left:right], y - top, h, height)
    sums = np.moveaxis(_sums(np.moveaxis(tall, 1, 0), x - left, w, width), 0, 1)
    area = w * h
    means = (2 * sums + area) // (2 * area)
    if channels == 1:
        means = (means @ np.array([[77], [150], [29]]) + 128) >> 8
    cut_out: NDArray[np.uint8] = means.astype(np.uint8)
    return cut_out


def view(frame: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return what the finder sees of a frame: (72, 96, 1) grey codes of `aim.finding.view_box`."""
    return cut(frame, box, FINDER_WIDTH, FINDER_HEIGHT, 1)


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
