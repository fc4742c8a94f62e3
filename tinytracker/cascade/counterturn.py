"""What a moving head makes the eyes turn, learned for each person, in integers (deploy/common/tt_counterturn.c).

Eyes that rest on a point turn against the head, lids and brows lie farther in front than irises, and a blurred strip
shifts by less than a sharp one. All of that is a small share of the head's movement in the frame, and differs between
people and cameras. Normalized least mean squares (Widrow and Hoff 1960) finds the shares while the eyes rest; a jump
moves them hardly at all, because errors are limited.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinytracker.aim.fixed import divided, limited

Vector = tuple[int, int]

FIRST = ((-1536, 0, 0, 0), (0, -768, 0, 0))
"""Shares before anything is learned, right and down, of shift right, shift down, growth and turn, Q16.

A strip is 11 cm wide, so a head that moves by a width at 35 cm turns its eyes by 0.3 rad, and irises 1 cm from the
centre of the eye by 0.03 widths. Downwards, lids hide a part of it.
"""

GAIN_Q16 = 4096
"""Share of an error that is corrected in one frame: 1/16."""
ERROR_Q8 = 24
"""Errors are limited to so many Q8 px."""
AT_REST = 1 << 16
"""Added to the head's squared movement, Q16 px²: a head at rest teaches nothing."""
LARGEST_Q16 = 1 << 13
"""Limit of a share: 1/8."""


class Counterturn:
    """Predicts the eyes' shift from the head's.

    Example:
        >>> turn = Counterturn()
        >>> turn.without((0, 0), (1024, 0, 0, 0))
        (24, 0)
    """

    def __init__(self) -> None:
        self._shares = [list(row) for row in FIRST]

    def without(self, eyes: Sequence[int], head: Sequence[int]) -> Vector:
        """Return the eyes' shift less what the head explains, and learn from it.

        Args:
            eyes: (2,) Q8 px, of `flow.Motion.eyes`.
            head: (4,) of the head in the frame: `flow.Motion.face` less the guess of the regions.
        """
        # growth and turn as shifts 32 px from the centre: Q14 -> Q8 px
        moved = [int(head[0]), int(head[1]), divided(int(head[2]), 2), divided(int(head[3]), 2)]
        size = sum(value * value for value in moved) + AT_REST
        left = []
        for shares, shift in zip(self._shares, eyes, strict=True):
            explained = divided(sum(s * m for s, m in zip(shares, moved, strict=True)), 1 << 16)
            rest = int(shift) - explained
            error = limited(rest, -ERROR_Q8, ERROR_Q8)
            for k, value in enumerate(moved):
                # share = shift / movement: error × movement / size, of which GAIN is taken
                step = divided(GAIN_Q16 * error * value, size)
                shares[k] = limited(shares[k] + step, -LARGEST_Q16, LARGEST_Q16)
            left.append(rest)
        return left[0], left[1]
