"""Where to look for eyes that are not tracked: around their last place, then over the whole frame.

Every look is a crop, three times as wide as high; networks with an aim find eyes in crops of up to six strip widths.
deploy/common/tt_search.c is the same in C.
"""

from __future__ import annotations

from tinytracker.aim.fixed import Q8, divided
from tinytracker.aim.track import Sight

AROUND = ((0, 0, 333), (0, 0, 768), (0, -215, 768), (0, 215, 768), (-461, 0, 768), (461, 0, 768))
"""Looks around the last place: shift right, shift down, and width, in 1/256 of the strip's width.

At the last place, then three widths wide: there, above, below, to the left, to the right.
"""

NARROW = 159  # of 256: width of the narrower scanning crops as a share of the frame's, two side by side


def around(last: Sight, look: int) -> Sight:
    """Return look number `look` (it repeats after the last one) around a strip that was lost."""
    right, down, width = AROUND[look % len(AROUND)]
    return Sight(
        last.x + divided(right * last.width, Q8),
        last.y + divided(down * last.width, Q8),
        divided(width * last.width, Q8),
    )


def scan_looks(frame_width: int, frame_height: int) -> int:
    """Return how many looks cover a frame: rows as wide as the frame, then rows of two narrower crops."""
    return _rows(frame_width, frame_height) + 2 * _rows(_narrow(frame_width), frame_height)


def scan(frame_width: int, frame_height: int, look: int) -> Sight:
    """Return look number `look` of a scan of the whole frame, from the middle outwards.

    Args:
        frame_width: px.
        frame_height: px.
        look: 0 to `scan_looks` - 1.

    Example:
        >>> scan(640, 480, 0) == Sight(256 * 320, 256 * 240, 256 * 640)
        True
    """
    wide = _rows(frame_width, frame_height)
    if look < wide:
        return Sight(Q8 * frame_width // 2, _row(frame_width, frame_height, wide, look), Q8 * frame_width)
    width = _narrow(frame_width)
    rows = _rows(width, frame_height)
    row, side = (look - wide) // 2, (look - wide) % 2
    x = Q8 * width // 2
    return Sight(Q8 * frame_width - x if side else x, _row(width, frame_height, rows, row), Q8 * width)


def _narrow(frame_width: int) -> int:
    return divided(NARROW * frame_width, Q8)


def _rows(width: int, frame_height: int) -> int:
    """Return how many crops of a width cover the frame's height, each overlapping the next by a quarter."""
    below = 4 * max(3 * frame_height - width, 0)  # 12 × what the first crop leaves
    return 1 + (below + 3 * width - 1) // (3 * width)


def _row(width: int, frame_height: int, rows: int, look: int) -> int:
    """Return the centre of a row in Q8 px: the middle one first, then one above, one below, and so on."""
    if rows == 1:
        return Q8 * frame_height // 2
    row = rows // 2 + (look // 2 if look % 2 == 0 else -(look + 1) // 2)
    span = 3 * frame_height - width  # 3 × the way from the first centre to the last
    return divided(Q8 * width, 6) + divided(Q8 * row * span, 3 * (rows - 1))
