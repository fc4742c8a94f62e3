"""Where the next crop goes, in real numbers and for many frames at once: for training and evaluation.

Devices use the integer controller (`tinytracker.aim.controller`), which also predicts and searches.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.layout import AIM
from tinytracker.arrays import Floats

_DX, _DY, _LN = AIM[:3]


def next_place(place: NDArray[np.floating[Any]], aim: NDArray[np.floating[Any]]) -> Floats:
    """Return the crops that a network's answers ask for.

    Args:
        place: (N, 3) centre x, y and width of the crops that the network saw, px.
        aim: (N, 3) or more columns: dx, dy and ln_scale, limited here to the ranges of their codes.

    Returns:
        (N, 3) centre x, y and width, px.

    Example:
        >>> next_place(np.array([[100.0, 50.0, 60.0]]), np.array([[0.5, 0.0, 0.0]])).tolist()
        [[130.0, 50.0, 60.0]]
    """
    x, y, width = np.moveaxis(np.asarray(place, np.float64), -1, 0)
    answer = np.asarray(aim, np.float64)
    shift = np.clip(answer[:, :2], [_DX.low, _DY.low], [_DX.high, _DY.high])
    growth = np.clip(answer[:, 2], _LN.low, _LN.high)
    return np.stack([x + shift[:, 0] * width, y + shift[:, 1] * width, width * np.exp(growth)], -1)


def misplaced(strip: NDArray[np.floating[Any]], dx: Floats, dy: Floats, ln: Floats) -> Floats:
    """Return the crops (N, 3) that see the strip (N, 3) at (dx, dy) crop widths from their centre, exp(ln) as wide.

    An ideal network answers dx, dy and -ln on them.
    """
    x, y, width = np.moveaxis(np.asarray(strip, np.float64), -1, 0)
    own = width * np.exp(ln)
    return np.stack([x - dx * own, y - dy * own, own], -1)


def distance(strip: NDArray[np.floating[Any]], place: NDArray[np.floating[Any]]) -> tuple[Floats, Floats]:
    """Return how far crops lie from the strips: of the centres in strip widths, and |ln| of the widths; (N,) each."""
    shift = np.linalg.norm(np.asarray(place)[:, :2] - np.asarray(strip)[:, :2], axis=1)
    return shift / np.asarray(strip)[:, 2], np.abs(np.log(np.asarray(place)[:, 2] / np.asarray(strip)[:, 2]))
