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

BUDGETS = {"energy": 0.33, "error": 1.06}
"""Limit of each budget. Of energy: the share of frames in which the network computes. Of error: the error over that of
the same network run always."""
LATER = 1.0
"""Frames by which saccades of 2 cm and more may be noticed later than by the network run always, on average."""
FOLDS = 5


@dataclass(frozen=True)
class Tabulated:
    """Every setting of a strategy on every person.

    Attributes:
        settings: of the strategy. rows: for each, the numbers of all people.
        usual: the same network run always. always: numbers of all people then.
    """

    settings: tuple[Strategy, ...]
    rows: tuple[tuple[PersonNumbers, ...], ...]
    usual: Strategy
    always: tuple[PersonNumbers, ...]


@dataclass(frozen=True)
class Fit:
    """A strategy with chosen thresholds.

    Attributes:
        strategy: chosen on all people.
        numbers: of people for whom the thresholds were chosen on the others.
        chosen: for each fold of people.
        tried: numbers of every setting on all people, who are also those that it could be chosen on.
        tabulated: all of them, to choose again with another budget.
    """

    strategy: Strategy
    numbers: StrategyNumbers
    chosen: tuple[Strategy, ...]
    tried: tuple[StrategyNumbers, ...]
    tabulated: Tabulated


def tabulate(
    people: Sequence[Prepared], strategy: Strategy, latency: Latency, at_most: int = NEVER
) -> Tabulated:
    """Simulate all of `strategies.grid`.

    Args:
        people: whose sequences.
        strategy: whose thresholds vary.
        latency: of both networks.
        at_most: frames that may pass without the network whose answers are shown.
    """
    settings, usual = grid(strategy, at_most), ALWAYS.of(strategy.network)
    rows = _table(people, settings, latency)
    always = tuple(person_numbers(p, simulate(p, usual, latency)) for p in people)
    return Tabulated(tuple(settings), tuple(map(tuple, rows)), usual, always)


def choose(
    tabulated: Tabulated, costs: Costs, budget: str = "energy", most: float | None = None, folds: int = FOLDS
) -> Fit:
    """Choose a setting, cross-validated over people; see `fit`.

    Raises:
        UnknownNameError: no such budget.
        UsageError: too few people, or a limit out of range.
    """
    count = len(tabulated.always)
    _require_people(count)
    most = budget_limit(budget, most)
    settings, table, usual = tabulated.settings, tabulated.rows, tabulated.usual

    def chosen(members: Sequence[int]) -> int:
        rows = [together([row[i] for i in members], s, costs) for row, s in zip(table, settings, strict=True)]
        reference = together([tabulated.always[i] for i in members], usual, costs)
        return _best(rows, reference, budget, most)

    held: list[PersonNumbers | None] = [None] * count
    picks = []
    for fold in range(min(folds, count)):
        mine = range(fold, count, min(folds, count))
        pick = chosen([i for i in range(count) if i not in mine])
        picks.append(settings[pick])
        for i in mine:
            held[i] = table[pick][i]
    final = settings[chosen(range(count))]
    tried = tuple(together(row, s, costs) for row, s in zip(table, settings, strict=True))
    return Fit(
        final, together([h for h in held if h is not None], final, costs), tuple(picks), tried, tabulated
    )


def fit(
    people: Sequence[Prepared],
    strategy: Strategy,
    latency: Latency,
    costs: Costs,
    budget: str = "energy",
    folds: int = FOLDS,
    *,
    most: float | None = None,
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
        most: limit of the budget: share of busy frames, or error over that of the network run always; None for that
            of `BUDGETS`.
        at_most: frames that may pass without the network whose answers are shown.

    Raises:
        UnknownNameError: no such budget.
        UsageError: too few people, or a limit out of range.
    """
    _require_people(len(people))
    budget_limit(budget, most)  # before all settings are simulated
    return choose(tabulate(people, strategy, latency, at_most), costs, budget, most, folds)


def budget_limit(budget: str, most: float | None) -> float:
    """Return the limit of a budget.

    Args:
        budget: one of `BUDGETS`.
        most: see `fit`.

    Raises:
        UnknownNameError: no such budget.
        UsageError: the limit is not positive, or is a share of busy frames above 1.
    """
    if budget not in BUDGETS:
        raise UnknownNameError("budget", budget, tuple(BUDGETS))
    limit = BUDGETS[budget] if most is None else most
    if budget == "energy" and not 0 < limit <= 1:
        raise UsageError(
            f"The limit of the budget is {limit:g}.",
            "With the budget energy it is a share of busy frames, above 0 and at most 1.",
        )
    if not 0 < limit < 100:
        raise UsageError(
            f"The limit of the budget is {limit:g}.",
            "With the budget error it is an error over that of the network run always, such as 1.06.",
        )
    return limit


def _require_people(people: int) -> None:
    if people < 2:
        raise UsageError(
            f"{people} person cannot be judged by the others.", "Give sequences of 2 people or more."
        )


def _table(
    people: Sequence[Prepared], settings: Sequence[Strategy], latency: Latency
) -> list[list[PersonNumbers]]:
    rows = []
    with progress.bar("Comparing", len(settings), "settings") as advance:
        for strategy in settings:
            rows.append([person_numbers(p, simulate(p, strategy, latency)) for p in people])
            advance(1)
    return rows


def _best(rows: Sequence[StrategyNumbers], always: StrategyNumbers, budget: str, most: float) -> int:
    """Return the row to choose: within the budget and soon enough, else within the budget, else nearest to it."""
    busy = np.array([row.busy for row in rows])
    error = np.array([row.error_cm for row in rows]) / always.error_cm
    late = np.array([row.delay_mean for row in rows]) - always.delay_mean > LATER
    spent, price = (busy, error) if budget == "energy" else (error, busy)
    over = np.maximum(spent / most - 1, 0)
    return int(np.lexsort((price, late & (over <= 0), over))[0])
