"""What the finder has found in a whole frame, in integers (deploy/common/tt_find.c)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytracker.aim.answer import from_codes
from tinytracker.aim.fixed import Q4, Q12, Q16, divided, exp_q16
from tinytracker.aim.layout import (
    FINDER,
    FINDER_CELL_PX,
    FINDER_HEIGHT,
    FINDER_WIDTH,
    FINDER_WIDTH_PX,
)

ROWS, COLUMNS = FINDER_HEIGHT // FINDER_CELL_PX, FINDER_WIDTH // FINDER_CELL_PX

RIVAL_CODES = 32
"""A cell whose score is at most this many codes (2.0 in units of the logit) below the best may be another face."""


@dataclass(frozen=True)
class Find:
    """The strip of the largest face in a frame.

    Attributes:
        x, y: centre in the frame, Q4 px. width: of the strip, Q4 px.
        score: logit of "a strip's centre is here", Q12.
    """

    x: int
    y: int
    width: int
    score: int


def view_box(frame_width: int, frame_height: int) -> tuple[int, int, int, int]:
    """Return the part of the frame that the finder sees: x, y, width, height in px, as wide to high as 4 to 3.

    The whole frame, centred, in whole px; what lies beside it is black.

    Example:
        >>> view_box(480, 640)
        (-188, -1, 856, 642)
    """
    width = max(frame_width, 4 * ((frame_height + 2) // 3))
    height = 3 * width // 4
    return (frame_width - width) // 2, (frame_height - height) // 2, width, height


def read_finder(codes: ArrayLike, frame_width: int, frame_height: int) -> Find:
    """Return the largest face that the finder claims, whatever its score is.

    Of the cells whose score is within `RIVAL_CODES` of the best and not below a neighbour's, the one with the widest
    strip; of equal ones the one with the higher score, then the first.

    Args:
        codes: (9, 12, 4) integers 0 to 255; an int8 output is this minus 128.
        frame_width: of the frame that `view_box` was cut from, px.
        frame_height: of that frame, px.

    Raises:
        ValueError: another shape.

    Example:
        >>> codes = np.zeros((9, 12, 4), int)
        >>> codes[4, 6] = 255, 128, 128, 128
        >>> find = read_finder(codes, 640, 480)
        >>> round(find.x / 16), round(find.y / 16), round(find.width / 16)
        (347, 240, 161)
    """
    cells = np.asarray(codes, np.int64)
    if cells.shape != (ROWS, COLUMNS, len(FINDER)):
        raise ValueError(f"a finder answers {ROWS} x {COLUMNS} x {len(FINDER)} codes, not {cells.shape}")
    row, column = _largest(cells)
    score, dx, dy, ln_width = (
        from_codes(part, int(code)) for part, code in zip(FINDER, cells[row, column], strict=True)
    )
    left, top, width, _ = view_box(frame_width, frame_height)

    def in_frame(start: int, cell: int, offset: int) -> int:
        place = FINDER_CELL_PX * ((2 * cell + 1) * (Q12 // 2) + offset)  # in the view, Q12 px
        return Q4 * start + divided(place * width, FINDER_WIDTH * (Q12 // Q4))

    strip = divided(int(FINDER_WIDTH_PX) * exp_q16(ln_width) * width, FINDER_WIDTH * (Q16 // Q4))
    return Find(in_frame(left, column, dx), in_frame(top, row, dy), strip, score)


def _largest(cells: NDArray[np.int64]) -> tuple[int, int]:
    """Return row and column of the cell that speaks for the largest face."""
    scores = cells[..., 0]
    around = np.pad(scores, 1)
    highest = np.max([around[r : r + ROWS, c : c + COLUMNS] for r in range(3) for c in range(3)], axis=0)
    rivals = (scores >= scores.max() - RIVAL_CODES) & (scores == highest)
    rank = np.where(rivals, cells[..., 3] * 256 + scores, -1)
    row, column = divmod(int(rank.argmax()), COLUMNS)
    return row, column
