"""Little looks first: has its own answer moved since Big looked? In integers (deploy/common/tt_judge.c)."""

from __future__ import annotations

from collections.abc import Sequence

from tinytracker.aim.fixed import length
from tinytracker.model.output import LIMIT_CM

SEGMENTS = 8
"""Codes of each coordinate of the gaze."""

CODES_PER_CM = 255 * SEGMENTS / (2 * LIMIT_CM)
"""Steps of the sum of a coordinate's codes per cm, for a crop of the reference width."""


def limit_of(moved_cm: float) -> int:
    """Return a distance in steps of the sums of codes.

    Example:
        >>> limit_of(1.5)
        55
    """
    return round(moved_cm * CODES_PER_CM)


class Judge:
    """Compares Little's gaze with the one that it had when Big ran last.

    Args:
        limit: farther than this, Big must look, steps of the sums of codes.

    Example:
        >>> judge = Judge(50)
        >>> [judge.wants_big([k] * 16) for k in (0, 4, 9, 9)]
        [True, False, True, False]
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: tuple[int, int] | None = None

    def wants_big(self, codes: Sequence[int]) -> bool:
        """Take Little's codes of the gaze; returns whether Big must look, which is then taken for granted.

        Args:
            codes: (16,) 0 to 255: eight of x, eight of y.
        """
        x, y = sum(codes[:SEGMENTS]), sum(codes[SEGMENTS : 2 * SEGMENTS])
        if self._known is not None and length(x - self._known[0], y - self._known[1]) <= self._limit:
            return False
        self._known = (x, y)
        return True
