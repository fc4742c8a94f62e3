"""When does a strategy notice that the eyes have gone elsewhere?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats

LARGE_CM = 2.0
"""Saccades of at least this length count in the tables."""
_RESTS_CM = 1e-6


def landings(gaze: Floats, flying: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats]:
    """Return the frames in which saccades have landed (k,), and how far they went, cm (k,).

    Args:
        gaze: (n, 2) cm; constant while the eyes rest.
        flying: (n,) in a saccade.

    Example:
        >>> gaze = np.array([[0, 0], [0, 0], [1, 0], [3, 0], [3, 0]])
        >>> frames, cm = landings(gaze, np.array([0, 0, 1, 0, 0], bool))
        >>> frames.tolist(), cm.tolist()
        ([3], [3.0])
    """
    resting = np.flatnonzero(~flying)
    went = np.linalg.norm(np.diff(gaze[resting], axis=0), axis=1)
    landed = np.flatnonzero(went > _RESTS_CM) + 1
    return resting[landed], went[landed - 1]


def noticed_after(source: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many frames pass from each landing to the first answer from that frame or a later one.

    Args:
        source: (n,) frame that each shown answer is from; it never falls.
        frames: (k,) of `landings`.

    Returns:
        (k,); -1 where the sequence ends before.
    """
    first = np.searchsorted(source, frames)
    return np.where(first < len(source), first - frames, -1)
