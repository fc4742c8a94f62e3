"""How a board's aim did in a session: where each frame was cut, whether it followed, whether there were eyes.

A session keeps these as numbers beside each frame (`extra`), so that its format is the one that older readers know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.measure.protocol import REGION_STEPS, Aimed
from tinytracker.measure.session import Header
from tinytracker.measure.session_reader import Session

REGION_X, REGION_Y, REGION_WIDTH = "region_x", "region_y", "region_width"
STATE, HAS_EYES = "state", "has_eyes"
ANSWERED_WIDTH = "answered_width"
"""Of the region that the outputs are to, px; only of frames that went through a gate."""
FOLLOWING_STATE = 1

FRAME_PX, REFERENCE_PX = "frame_px", "reference_px"
MOST_PX = 100_000
"""Of a side of a frame: a header with more is damaged."""
"""Fields of a header's board: size of the whole frame, and the width of the region for which answers are in cm."""


@dataclass(frozen=True, eq=False)
class Following:
    """The aim of a session's frames.

    Attributes:
        region: (N, 3) centre x, y and width of what the network saw, px of the whole frame; NaN where it is unknown.
        state: (N,) of the controller after the frame: 0 searching, 1 following, 2 lost; -1 where it is unknown.
        has_eyes: (N,) whether the frame's gaze counts.
        frame_px: width and height of the whole frame.
        reference_px: width of the region for which the network answers in cm.
        answered_px: (N,) width of the region that each frame's outputs are to: that of the frame's own region, unless a
            gate kept an earlier answer; NaN before the first.
    """

    region: NDArray[np.float64]
    state: NDArray[np.int64]
    has_eyes: NDArray[np.bool_]
    frame_px: tuple[int, int]
    reference_px: float
    answered_px: NDArray[np.float64]

    @property
    def cm_per_unit(self) -> NDArray[np.float64]:
        """(N,) cm per unit of the network's answer; NaN in frames without eyes, which have no gaze."""
        unit: NDArray[np.float64] = self.reference_px / self.answered_px
        return np.where(self.has_eyes, unit, np.nan)

    def as_json(self) -> dict[str, Any]:
        """Counts and shares, for a JSON document."""
        frames = len(self.state)
        followed = int((self.state == FOLLOWING_STATE).sum())
        blind = int((~self.has_eyes).sum())
        return {
            "frames": frames, "followed": followed, "without_eyes": blind, "lost": self.losses,
            "followed_share": followed / frames if frames else None,
            "without_eyes_share": blind / frames if frames else None,
            FRAME_PX: list(self.frame_px),
        }  # fmt: skip

    @property
    def losses(self) -> int:
        """How many times the eyes were lost after having been followed."""
        follows = self.state == FOLLOWING_STATE
        return int((follows[:-1] & ~follows[1:]).sum())


def aim_numbers(aim: Aimed | None) -> dict[str, float]:
    """Return what a session keeps of a frame's aim: px of the whole frame, state, and 1 for eyes."""
    if aim is None:
        return {}
    return {
        REGION_X: aim.x / REGION_STEPS, REGION_Y: aim.y / REGION_STEPS, REGION_WIDTH: aim.width / REGION_STEPS,
        STATE: aim.state, HAS_EYES: int(aim.has_eyes),
    }  # fmt: skip


def following(session: Session) -> Following | None:
    """Return the aim of a session's frames; None for a board that does not aim."""
    found = _described(session.header)
    names = (REGION_X, REGION_Y, REGION_WIDTH, STATE, HAS_EYES)
    if found is None or not all(name in session.extra for name in names):
        return None
    x, y, width, state, eyes = (session.extra[name] for name in names)
    width = np.where(width > 0, width, np.nan)
    kept = session.extra.get(ANSWERED_WIDTH, np.full(len(width), np.nan))
    answered = np.where(np.isnan(kept), width, np.where(kept > 0, kept, np.nan))
    return Following(
        np.stack([x, y, width], 1),
        np.nan_to_num(state, nan=-1).astype(np.int64),
        np.nan_to_num(eyes, nan=0) > 0,
        *found,
        answered,
    )


def _described(header: Header) -> tuple[tuple[int, int], float] | None:
    board: Mapping[str, Any] = header.board
    try:
        width, height = (int(side) for side in board[FRAME_PX])
        reference = float(board[REFERENCE_PX])
    except (KeyError, TypeError, ValueError):
        return None
    is_possible = all(0 < length <= MOST_PX for length in (width, height, reference))
    return ((width, height), reference) if is_possible else None
