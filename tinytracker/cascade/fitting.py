"""Chooses a strategy's thresholds on some people, and judges them on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinytracker import progress
from tinytracker.cascade.costs import Costs
from tinytracker.cascade.numbers import PersonNumbers, StrategyNumbers, person_numbers, together
from tinytracker.cascade.simulation import Latency, Prepared, simulate
from tinytracker.cascade.strategies import ALWAYS, NEVER, Strategy, grid
from tinytracker.errors import UnknownNameError, UsageError

BUDGETS = ("energy", "error")
MOST_BUSY = 0.33
"""Budget of energy: the network computes at most in this share of frames."""
MOST_ERROR = 1.06
"""Budget of error: the error is at most so many times that of the same network run always."""
LATER = 1.0
"""Frames by which saccades of 2 cm and more may be noticed later than by the network run always, on average."""
FOLDS = 5


@dataclass(frozen=True)
class Fit:
    """A strategy with chosen thresholds.

    Attributes:
        strategy: chosen on all people.
        numbers: of people for whom the thresholds were chosen on the others.
        chosen: for each fold of people.
        tried: numbers of every setting on all people, who are also those that it could be chosen on.
    """

    strategy: Strategy
    numbers: StrategyNumbers
    chosen: tuple[Strategy, ...]
    tried: tuple[StrategyNumbers, ...]


def fit(
    people: Sequence[Prepared],
    strategy: Strategy,
    latency: Latency,
    costs: Costs,
    budget: str = "energy",
    folds: int = FOLDS,
    at_most: int = NEVER,
) -> Fit:
    """Choose among `strategies.grid`, cross-validated over people.

    With the budget "energy", the smallest error is chosen among the settings that keep the network busy in at most a
    third of the frames; with "error", the least work among those that lose at most 6 %. Both prefer settings that
    notice large saccades at most a frame later, on average, than the network run always.

    Args:
        people: at least 2.
        strategy: whose thresholds to choose.
        latency: of both networks.
        costs: of a frame's parts.
        budget: one of `BUDGETS`.
        folds: groups of people; each is judged with the thresholds of the others.
        at_most: frames that may pass without the network whose answers are shown.

    Raises:
        UnknownNameError: no such budget.
        UsageError: too few people.
    """
    if budget not in BUDGETS:
        raise UnknownNameError("budget", budget, BUDGETS)
    if len(people) < 2:
        raise UsageError(
            f"{len(people)} person cannot be judged by the others.", "Give sequences of 2 people or more."
        )
    settings = grid(strategy, at_most)
    table = _table(people, settings, latency)
    always = [person_numbers(p, simulate(p, ALWAYS.of(strategy.network), latency)) for p in people]

    def chosen(members: Sequence[int]) -> int:
        rows = [together([row[i] for i in members], s, costs) for row, s in zip(table, settings, strict=True)]
        reference = together([always[i] for i in members], ALWAYS.of(strategy.network), costs)
        return _best(rows, reference, budget)

    held: list[PersonNumbers | None] = [None] * len(people)
    picks = []
    for fold in range(min(folds, len(people))):
        mine = range(fold, len(people), min(folds, len(people)))
        pick = chosen([i for i in range(len(people)) if i not in mine])
        picks.append(settings[pick])
        for i in mine:
            held[i] = table[pick][i]
    final = settings[chosen(range(len(people)))]
    tried = tuple(together(row, s, costs) for row, s in zip(table, settings, strict=True))
    return Fit(final, together([h for h in held if h is not None], strategy, costs), tuple(picks), tried)


def _table(
    people: Sequence[Prepared], settings: Sequence[Strategy], latency: Latency
) -> list[list[PersonNumbers]]:
    rows = []
    with progress.bar("Comparing", len(settings), "settings") as advance:
        for strategy in settings:
            rows.append([person_numbers(p, simulate(p, strategy, latency)) for p in people])
            advance(1)
    return rows


def _best(rows: Sequence[StrategyNumbers], always: StrategyNumbers, budget: str) -> int:
    """Return the row to choose: within the budget and soon enough, else within the budget, else nearest to it."""
    busy = np.array([row.busy for row in rows])
    error = np.array([row.error_cm for row in rows]) / always.error_cm
    late = np.array([row.delay_mean for row in rows]) - always.delay_mean > LATER
    spent, price = (busy / MOST_BUSY, error) if budget == "energy" else (error / MOST_ERROR, busy)
    over = np.maximum(spent - 1, 0)
    return int(np.lexsort((price, late & (over <= 0), over))[0])
