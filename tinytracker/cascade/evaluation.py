"""Compares all strategies on sequences of people: one table with error, work and delay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytracker.cascade.costs import Costs, frames_of, microjoules
from tinytracker.cascade.curve import draw_curve, front
from tinytracker.cascade.document import CascadeSettings
from tinytracker.cascade.fitting import Tabulated, fit
from tinytracker.cascade.numbers import PersonNumbers, StrategyNumbers, measure
from tinytracker.cascade.results import Curve, CurvePoint, PersonRow
from tinytracker.cascade.simulation import Latency, Prepared
from tinytracker.cascade.strategies import (
    ALWAYS,
    EVERY,
    FLOW,
    FLOW_LITTLE,
    LITTLE,
    NEVER,
    STILL,
    SUMMED,
    Strategy,
)
from tinytracker.errors import UsageError
from tinytracker.words import counted

LATENCY = Latency(big=6, little=3)
"""Frames that tinytracker-v2-aim and -s2-aim take on a Spresense main core, at 30 per second (modelled)."""
FRAME_RATE = 30.0
"""Frames per second for which "core_load" is given."""


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        strategy: with its thresholds; for fitted ones, those chosen on all people.
        network: whose answers are shown. fitted: whether the numbers are of people that the thresholds were not
            chosen on. numbers: of all people.
        against: error divided by that of the same network run always.
    """

    strategy: Strategy
    network: str
    fitted: bool
    numbers: StrategyNumbers
    against: float

    @property
    def label(self) -> str:
        """Name of the row: of the strategy, with its k."""
        return self.strategy.name.replace("k-th", f"{self.strategy.gate.longest}th")

    def as_json(self) -> dict[str, Any]:
        """Return the row as plain numbers; delays are None if no large saccade was noticed.

        Its keys are those of `results.StrategyRow`, without the people one by one.
        """
        n, per_person = self.numbers, [p.error_cm for p in self.numbers.people]
        noticed = any(p.delays for p in n.people)
        return {
            "strategy": self.strategy.name,
            "label": self.label,
            "network": self.network,
            "thresholds": "cross-validated" if self.fitted else "fixed",
            "people": len(n.people),
            "frames": n.frames,
            "error_cm": round(n.error_cm, 3),
            "against_always": round(self.against, 4),
            "calibrated_cm": round(n.calibrated_cm, 3),
            "error_cm_p10": round(float(np.percentile(per_person, 10)), 3),
            "error_cm_p90": round(float(np.percentile(per_person, 90)), 3),
            "busy": round(n.busy, 4),
            "big_rate": round(n.big, 4),
            "little_rate": round(n.little, 4),
            "macs_per_frame": round(n.macs),
            "instructions_per_frame": round(n.instructions),
            "core_load": round(frames_of(n.instructions, FRAME_RATE), 3),
            "microjoules_per_frame": round(microjoules(n.instructions), 1),
            "saccades": n.saccades,
            "delay_mean": round(n.delay_mean, 2) if noticed else None,
            "delay_median": n.delay_median if noticed else None,
            "delay_p95": n.delay_p95 if noticed else None,
        }

    def by_person(self, names: Sequence[str]) -> tuple[PersonRow, ...]:
        """Return the same for each person."""
        return tuple(_person(name, n) for name, n in zip(names, self.numbers.people, strict=True))


def _person(name: str, numbers: PersonNumbers) -> PersonRow:
    delays = np.array(numbers.delays)
    return PersonRow(
        person=name,
        frames=numbers.frames,
        error_cm=round(numbers.error_cm, 3),
        calibrated_cm=round(numbers.calibrated_cm, 3),
        busy=round(numbers.busy, 4),
        big_rate=round(numbers.big, 4),
        little_rate=round(numbers.little, 4),
        saccades=len(delays) + numbers.missed,
        delay_median=float(np.median(delays)) if len(delays) else None,
        delay_p95=float(np.percentile(delays, 95)) if len(delays) else None,
    )


@dataclass(frozen=True)
class Comparison:
    """All strategies on the same people.

    Attributes:
        rows: of the table. curves: best settings of each strategy, chosen and judged on these people.
        tables: by strategy and network: every setting on every person, to choose again with another budget.
        latency: that was simulated. people: names.
    """

    rows: tuple[Row, ...]
    curves: tuple[Curve, ...]
    tables: Mapping[tuple[str, str], Tabulated]
    latency: Latency
    people: tuple[str, ...]


def compare(
    people: Sequence[Prepared],
    names: Sequence[str],
    costs: Costs,
    latency: Latency = LATENCY,
    budget: str = "energy",
    settings: CascadeSettings | None = None,
    at_most: int = NEVER,
    most: float | None = None,
    networks: Sequence[str] = ("little", "big"),
) -> Comparison:
    """Measure every strategy with both networks, thresholds cross-validated over people.

    Args:
        people: from `load_people`.
        names: of the people.
        costs: of a frame's parts.
        latency: of both networks.
        budget: see `fitting.fit`.
        settings: thresholds of an earlier fit for the strategy "flow", which are then not chosen anew.
        at_most: likewise.
        most: likewise.
        networks: whose answers are shown.

    Raises:
        UsageError: fewer than two people.
    """
    if len(people) < 2:
        raise UsageError(
            f"There are sequences of {counted(len(people), 'person', 'people')}.",
            "Give sequences of 2 people or more.",
        )
    rows: list[Row] = []
    curves: list[Curve] = []
    tables: dict[tuple[str, str], Tabulated] = {}
    for network in networks:
        always = measure(people, ALWAYS.of(network), latency, costs)
        rows.append(Row(ALWAYS.of(network), network, False, always, 1.0))
        rows += [
            _row(measure(people, s, latency, costs), s, always, fitted=False)
            for s in (EVERY.of(network).with_gate(longest=k) for k in (6, 9, 12, 15))
        ]
        strategies = [EVERY, STILL, SUMMED, FLOW, *([LITTLE, FLOW_LITTLE] if network == "big" else [])]
        for strategy in (s.of(network) for s in strategies):
            made = fit(people, strategy, latency, costs, budget, most=most, at_most=at_most)
            curves.append(_curve(strategy, made.tried))
            tables[strategy.name, network] = made.tabulated
            if strategy.name == EVERY.name:
                continue
            if settings is not None and strategy.name == FLOW.name:
                known = settings.strategy().of(network)
                rows.append(_row(measure(people, known, latency, costs), known, always, fitted=False))
            else:
                rows.append(_row(made.numbers, made.strategy, always, fitted=True))
    return Comparison(tuple(rows), tuple(curves), tables, latency, tuple(names))


def _curve(strategy: Strategy, tried: Sequence[StrategyNumbers]) -> Curve:
    """Return the settings that no other one beats in both energy and error."""
    busy = {(microjoules(n.instructions), n.error_cm): n.busy for n in tried}
    points = tuple(
        CurvePoint(microjoules=round(x, 1), busy=round(busy[x, y], 4), error_cm=round(y, 4))
        for x, y in front([*busy])
    )
    return Curve(strategy=strategy.name, network=strategy.network, points=points)


def curve(result: Comparison, title: str) -> str:
    """Draw error against energy.

    Args:
        result: of `compare`.
        title: of the picture.

    Returns:
        SVG.
    """
    shown = {(name, "little") for name in (FLOW.name, EVERY.name, STILL.name, SUMMED.name)} | {
        (FLOW.name, "big")
    }
    curves = {
        f"{c.strategy}, {c.network}": [(p.microjoules, p.error_cm) for p in c.points]
        for c in result.curves
        if (c.strategy, c.network) in shown
    }
    single = {
        f"always, {row.network}": (microjoules(row.numbers.instructions), row.numbers.error_cm)
        for row in result.rows
        if row.strategy.name == ALWAYS.name
    }
    return draw_curve(curves, single, title)


def _row(numbers: StrategyNumbers, strategy: Strategy, always: StrategyNumbers, *, fitted: bool) -> Row:
    return Row(strategy, strategy.network, fitted, numbers, numbers.error_cm / always.error_cm)
