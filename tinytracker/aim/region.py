"""The part of a frame that a network sees: centre and width in 1/16 px (deploy/common/tt_region.c)."""

from __future__ import annotations

from dataclasses import dataclass

from tinytracker.aim.fixed import Q4, divided, limited

REACH_PX = 1 << 14
"""Regions farther out or wider than this are brought back to it."""


@dataclass(frozen=True)
class Region:
    """A strip of the frame, three times as wide as high, in Q4 px (1/16) from the frame's top-left corner.

    Attributes:
        x, y: centre. width: of the strip.
    """

    x: int
    y: int
    width: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Return x, y, width and height in whole px: what to cut out of the frame. It may leave the frame.

        Example:
            >>> Region(16 * 320, 16 * 240, 16 * 160).box
            (240, 214, 160, 53)
        """
        far = REACH_PX * Q4
        width = limited(divided(self.width, Q4), 1, REACH_PX)
        height = max((width + 1) // 3, 1)
        x = divided(limited(self.x, -far, far) - width * (Q4 // 2), Q4)
        y = divided(limited(self.y, -far, far) - height * (Q4 // 2), Q4)
        return x, y, width, height

    @property
    def snapped(self) -> Region:
        """Return the region that `box` cuts: exactly representable, so that an answer to it is not off by the rounding.

        Example:
            >>> Region(5121, 3840, 2563).snapped
            Region(x=5120, y=3848, width=2560)
        """
        x, y, width, height = self.box
        return Region(Q4 * x + Q4 // 2 * width, Q4 * y + Q4 // 2 * height, Q4 * width)
