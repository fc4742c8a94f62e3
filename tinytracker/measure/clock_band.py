"""Where a clock can have been, given that no message arrives before it is sent and that its rate changes little.

Of a function host(device) some values are known to be at least so much, others to be at most so much. When its slope
stays within `centre` ± `wander`, each of these limits holds on either side too, growing by the slope: the least of the
upper limits and the greatest of the lower ones are the tightest band around all such functions (McShane 1934, on the
extension of Lipschitz functions). The centre is not known: the union over all that are possible is taken.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats

_FINE = 8
"""Nodes per stretch between neighbouring limits; between nodes the band bulges, which `Band.bulge` bounds."""

_COARSE_CELLS, _FINE_CELLS = 20, 16


@dataclass(frozen=True)
class Band:
    """Limits of host minus device, ns, at nodes of the device's time.

    Attributes:
        nodes: (M,) device time, ns, rising. low, high: (M,) host minus device.
        bulge: (M,) by how much the band may be wider beside a node, before the next ones.
    """

    nodes: Floats
    low: Floats
    high: Floats
    bulge: Floats


def find_band(
    below: tuple[Floats, Floats], above: tuple[Floats, Floats], ends: Floats, drift: float, wander: float
) -> Band | None:
    """The band in which host minus device lies, between two device times.

    Args:
        below: device times, and host times that the clock is not below there, ns.
        above: likewise, that it is not above.
        ends: (2,) device times between which the band is wanted, ns.
        drift: largest distance of the centre of the slopes from 1.
        wander: largest distance of a slope from that centre.

    Returns:
        None when no clock fits.
    """
    corners, places = np.unique(np.concatenate([below[0], above[0], ends]), return_inverse=True)
    nodes = np.interp(np.arange((len(corners) - 1) * _FINE + 1) / _FINE, np.arange(len(corners)), corners)
    at = places.ravel() * _FINE
    nodes[::_FINE] = corners
    least, most = np.full(len(nodes), -np.inf), np.full(len(nodes), np.inf)
    np.maximum.at(least, at[: len(below[0])], below[1] - below[0])
    np.minimum.at(most, at[len(below[0]) : len(below[0]) + len(above[0])], above[1] - above[0])
    # What rounding may do to sums of numbers of this size.
    slack = 1e-9 * (1 + float(np.abs(nodes).max())) + 1e-3
    found = _union(nodes, least, most, np.linspace(-drift, drift, _COARSE_CELLS + 1), wander, slack)
    if found is None:
        return None
    fine = np.linspace(found.first, found.last, _FINE_CELLS + 1)
    found = _union(nodes, least, most, fine, wander, slack)
    if found is None:
        return None
    inside = (nodes >= ends.min()) & (nodes <= ends.max())
    steps = np.diff(nodes[inside])
    bulge = found.wander / 2 * np.maximum(np.append(steps, 0.0), np.append(0.0, steps))
    return Band(nodes[inside], found.low[inside], found.high[inside], bulge)


@dataclass(frozen=True)
class _Union:
    low: Floats
    high: Floats
    first: float
    last: float
    wander: float


def _union(
    nodes: Floats, least: Floats, most: Floats, borders: Floats, wander: float, slack: float
) -> _Union | None:
    """The union of the bands of all centres, in cells: the slopes of a cell hold those of all its centres."""
    low, high = np.full(len(nodes), np.inf), np.full(len(nodes), -np.inf)
    possible: list[tuple[float, float]] = []
    wide = wander + float(borders[1] - borders[0]) / 2
    for first, last in itertools.pairwise(borders):
        centre = float(first + last) / 2
        up, down = (centre + wide) * nodes, (centre - wide) * nodes
        upper = np.minimum(up + _running(np.minimum, most - up), down + _back(np.minimum, most - down))
        lower = np.maximum(down + _running(np.maximum, least - down), up + _back(np.maximum, least - up))
        if np.all(lower <= upper + slack):
            possible.append((float(first), float(last)))
            np.minimum(low, lower, out=low)
            np.maximum(high, upper, out=high)
    if not possible:
        return None
    return _Union(low, high, possible[0][0], possible[-1][1], wide)


def _running(extreme: np.ufunc, values: Floats) -> Floats:
    found: NDArray[np.float64] = extreme.accumulate(values)
    return found


def _back(extreme: np.ufunc, values: Floats) -> Floats:
    found: NDArray[np.float64] = extreme.accumulate(values[::-1])[::-1]
    return found
