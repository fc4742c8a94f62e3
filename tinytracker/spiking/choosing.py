"""Chooses the number of time steps: the fewest whose error is close to that of the ordinary network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tinytracker.spiking.document import ChosenSteps

TOLERANCE = 0.03
"""By how much the error of the spiking network may exceed that of the ordinary one."""

BOUNDS = (8, 16, 32, 64)
"""Numbers of steps that are simulated, one after another, until one of them contains few enough; the last is the
limit."""

T = TypeVar("T")


def choose_steps(
    network_cm: float, simulated: Callable[[int], tuple[Sequence[float], T]]
) -> tuple[int, ChosenSteps, T]:
    """Return the fewest steps whose error is within `TOLERANCE` of the network's, or else those with the lowest error.

    Args:
        network_cm: error of the ordinary network, cm.
        simulated: returns, for a number of steps, the error after each of them, cm, and whatever belongs to it.

    Returns:
        The number of steps, how it was chosen, and what belongs to the last simulation, which has at least as many.
    """
    most = network_cm * (1 + TOLERANCE)
    for bound in BOUNDS:
        errors, found = simulated(bound)
        for steps, error in enumerate(errors, 1):
            if error <= most:
                return steps, ChosenSteps(tolerance=TOLERANCE, limit=BOUNDS[-1], is_within=True), found
    best = min(range(len(errors)), key=lambda i: errors[i]) + 1
    return best, ChosenSteps(tolerance=TOLERANCE, limit=BOUNDS[-1], is_within=False), found
