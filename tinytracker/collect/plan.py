"""Where the next dot appears: places of a grid and random ones in turn, as GazeCapture's app shows them.

A place is a function of the sitting's seed and the number of dots that were kept, so that a sitting that is resumed
goes on with the same places, and a dot that was not kept comes again, with another letter.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

LETTERS = ("L", "R")
"""One of them is on the dot for a moment; who did not look cannot say which (Krafka et al. 2016, section 3.1)."""

LIGHT = "Change the light if you can: a lamp on or off, another side to the window. Sit as you like."
POSTURES = (
    "Sit as you usually do.",
    LIGHT,
    "Lift your chin a little.",
    "Hold your head as usual again, and come a little nearer to the screen.",
    "Sit a little to the left.",
    "Lower your chin a little.",
    "Lean back, farther from the screen.",
    "Sit a little to the right, and turn your head a little.",
)
"""What the person is asked for, one after the other, in rounds: on another day head and light will not be the same as
today. Light and chin come early, so that a short recording has them, too. `adapt` divides a recording by time; in the
order of this list the last two parts of a second round each have a distance, a side and a chin."""

_ROUNDS = 2
_LEAST_BLOCK = 6
"""Dots of one posture at least: a sentence takes as long as one or two dots."""

_EDGE = 0.04
_COLUMNS, _ROWS = 5, 3


@dataclass(frozen=True)
class PlannedDot:
    """A dot to show.

    Attributes:
        across, down: shares of the screen's width from the left and of its height from the top.
        letter: that appears on it.
    """

    across: float
    down: float
    letter: str


def planned_dot(seed: int, kept: int, attempt: int) -> PlannedDot:
    """Return the dot to show.

    Args:
        seed: of the sitting.
        kept: number of dots that were kept so far.
        attempt: number of dots that were shown so far; it only changes the letter.
    """
    across, down = _grid_place(seed, kept // 2) if kept % 2 == 0 else _random_place(seed, kept)
    return PlannedDot(across, down, random.Random(f"{seed} letter {attempt}").choice(LETTERS))


def block(kept: int, wanted: int) -> int:
    """Return how many postures were asked for before the present one, when `kept` of the `wanted` dots have been kept.

    All postures come in two rounds; a recording that is too short for that has fewer of them. Who continues after the
    last dot continues the round.
    """
    blocks = min(_ROUNDS * len(POSTURES), max(wanted // _LEAST_BLOCK, 1))
    return kept * blocks // max(wanted, 1)


def patience(number: int) -> int:
    """Return how many times as long as the others the sentence of a posture stays: a lamp may be on another wall."""
    return 3 if POSTURES[number] == LIGHT else 1


def posture(kept: int, wanted: int) -> int:
    """Return the number of the posture when `kept` of the `wanted` dots have been kept."""
    return block(kept, wanted) % len(POSTURES)


def _grid_place(seed: int, number: int) -> tuple[float, float]:
    """Each round visits all places of the grid, in an order of its own."""
    places = [(i / (_COLUMNS - 1), j / (_ROWS - 1)) for i in range(_COLUMNS) for j in range(_ROWS)]
    turn, place = divmod(number, len(places))
    random.Random(f"{seed} round {turn}").shuffle(places)
    return _inside(*places[place])


def _random_place(seed: int, number: int) -> tuple[float, float]:
    draw = random.Random(f"{seed} place {number}")
    return _inside(draw.random(), draw.random())


def _inside(across: float, down: float) -> tuple[float, float]:
    return _EDGE + (1 - 2 * _EDGE) * across, _EDGE + (1 - 2 * _EDGE) * down
