"""What a network sees of a frame: the integers of deploy/common/tt_resize.c, for loops that are computed here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.layout import FINDER_HEIGHT, FINDER_WIDTH
from tinytracker.arrays import Floats

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
    x, y, box_width, box_height = box
    down = _overlaps(y, box_height, height, rgb.shape[0])
    across = _overlaps(x, box_width, width, rgb.shape[1])
    # Sums of products stay below 2^31, so that floats hold them exactly.
    sums = np.einsum(
        "ys,scx->yxc", down, (rgb.transpose(0, 2, 1).astype(np.float64) @ across.T), optimize=True
    )
    area = box_width * box_height
    means = (2 * np.rint(sums).astype(np.int64) + area) // (2 * area)
    if channels == 1:
        means = (means @ np.array([[77], [150], [29]]) + 128) >> 8
    cut_out: NDArray[np.uint8] = means.astype(np.uint8)
    return cut_out


def view(frame: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return what the finder sees of a frame: (72, 96, 1) grey codes of `aim.finding.view_box`."""
    return cut(frame, box, FINDER_WIDTH, FINDER_HEIGHT, 1)


def _overlaps(start: int, extent: int, count: int, size: int) -> Floats:
    """Return how much of each source pixel each output pixel covers, (count, size), in 1/count px."""
    low = start * count + extent * np.arange(count)[:, None]
    left = count * np.arange(size)[None, :]
    covered: Floats = np.clip(np.minimum(low + extent, left + count) - np.maximum(low, left), 0, None).astype(
        np.float64
    )
    return covered
