"""All strategies of the cascade on rendered people, thresholds chosen on other people, latency simulated.

    tinytracker synth seq --sequences --subjects 132 --frames 500 --seed 52601   # calm and moving: parts 1/4 and 2/4
    python benchmarks/cascade.py --big v2-aim.tflite --little s2-aim.tflite --sequences seq --keep viewings

Rows: every strategy with the answers of each network, for all heads, calm ones and moving ones. "busy" is the share of
frames in which a network computes. Errors and delays are of synthetic people; work is emulated, energy modelled.
--timeline also draws eight seconds of one person, --curve error against energy.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from common import write_csv

from tinytracker.cascade.costs import Costs, frames_of
from tinytracker.cascade.evaluation import LATENCY, Comparison, Row, compare, curve
from tinytracker.cascade.fitting import choose
from tinytracker.cascade.looking import sequence_folders, viewings
from tinytracker.cascade.numbers import together
from tinytracker.cascade.simulation import Latency, Prepared, simulate
from tinytracker.cascade.strategies import ALWAYS, FLOW
from tinytracker.cascade.timeline import draw
from tinytracker.files import sha256_bytes

FAST = Latency(0, 0)
"""Of a processor that runs the network within a frame."""


LIMITS = (1.0, 1.02)
"""Largest errors, over that of the network run always, for which the eye flow's least work is looked up, too."""


@dataclass(frozen=True)
class Table:
    """All people, and what the table says of them.

    Attributes:
        people, names, movements: of the same people. costs: of a frame's parts.
    """

    people: Sequence[Prepared]
    names: Sequence[str]
    movements: Sequence[str]
    costs: Costs

    def compared(
        self, latency: Latency, networks: Sequence[str], budget: str
    ) -> tuple[Comparison, list[dict[str, Any]]]:
        """Return all strategies with the thresholds that a budget chooses, and the rows of the table."""
        result = compare(self.people, self.names, self.costs, latency, budget, networks=networks)
        rows = self.rows_of(result.rows, latency, budget)
        for network in networks:
            rows += self._limited(result, network)
        return result, rows

    def _limited(self, result: Comparison, network: str) -> list[dict[str, Any]]:
        """Return rows of the eye flow with the least work whose error stays below each of `LIMITS`."""
        usual = next(r for r in result.rows if (r.strategy.name, r.network) == (ALWAYS.name, network))
        rows = []
        for limit in LIMITS:
            made = choose(result.tables[FLOW.name, network], self.costs, "error", limit)
            against = made.numbers.error_cm / usual.numbers.error_cm
            pair = (usual, Row(made.strategy, network, True, made.numbers, against))
            found = self.rows_of(pair, result.latency, f"error {limit:g}")
            rows += [row for row in found if row["strategy"] != ALWAYS.name]
        return rows

    def rows_of(self, compared: Sequence[Row], latency: Latency, budget: str) -> list[dict[str, Any]]:
        """Return the rows for all people and for each way in which heads move."""
        rows = []
        always: dict[tuple[str, str], float] = {}
        said = f"{latency.big} and {latency.little} frames" if latency.big else "none"
        for heads in ("all", *sorted(set(self.movements))):
            chosen = [i for i, movement in enumerate(self.movements) if heads in ("all", movement)]
            for row in compared:
                numbers = together([row.numbers.people[i] for i in chosen], row.strategy, self.costs)
                key = (heads, row.network)
                always.setdefault(key, numbers.error_cm)
                part = Row(row.strategy, row.network, row.fitted, numbers, numbers.error_cm / always[key])
                gate = row.strategy.gate
                rows.append(
                    {
                        "heads": heads, "latency": said, "budget": budget, **part.as_json(),
                        "sequence_frames": sum(len(self.people[i].viewing) for i in chosen),
                        "longest": gate.longest, "factor": gate.factor, "floor": gate.floor, "settle": gate.settle,
                        "evidence": "synthetic, modelled",
                    }
                )  # fmt: skip
        return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--big", type=Path, required=True)
    parser.add_argument("--little", type=Path, required=True)
    parser.add_argument("--sequences", type=Path, action="append", required=True)
    parser.add_argument("--keep", type=Path, default=Path("viewings"))
    parser.add_argument("--heads", default="calm,moving")
    parser.add_argument("--budget", default="energy")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument(
        "--timeline", type=Path, help="SVG file to draw, such as docs/images/cascade-timeline.svg"
    )
    parser.add_argument("--curve", type=Path, help="SVG file to draw, such as docs/images/cascade-curve.svg")
    parser.add_argument("--person", help="folder name of the person to draw")
    options = parser.parse_args()
    big, little = options.big.read_bytes(), options.little.read_bytes()
    wanted = options.heads.split(",")
    folders, movements = [], []
    for folder in (f for data in options.sequences for f in sequence_folders(data)):
        movement = json.loads((folder / "sequence.json").read_text())["Movement"]
        if movement in wanted:
            folders.append(folder)
            movements.append(movement)
    people = [Prepared(viewing) for _, viewing in viewings(folders, big, little, options.keep)]
    costs = Costs.of(big, little)
    names = [folder.name for folder in folders]
    rate = float(people[0].viewing.rate[0])
    for name, macs, latency in (
        ("big", costs.big_macs, LATENCY.big),
        ("little", costs.little_macs, LATENCY.little),
    ):
        work = costs.network(macs)
        print(
            f"{name}: {work:,.0f} instructions, {frames_of(work, rate):.1f} frames modelled, {latency} simulated"
        )
    table = Table(people, names, movements, costs)
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("fork")) as pool:
        first = pool.submit(table.compared, LATENCY, ("little", "big"), options.budget)
        second = pool.submit(table.compared, FAST, ("big",), options.budget)
        (slow, rows), (_, more) = first.result(), second.result()
    rows += more
    networks = (
        f"{options.big.name} {sha256_bytes(big)[:12]}, {options.little.name} {sha256_bytes(little)[:12]}"
    )
    write_csv("cascade", [{**row, "networks": networks} for row in rows], ["numpy", "tensorflow"])
    if options.curve is not None:
        title = f"Error against energy: {len(people)} synthetic people, latency as on a Spresense main core"
        options.curve.write_text(curve(slow, title), encoding="utf-8")
    if options.timeline is not None:
        person = people[names.index(options.person)] if options.person else people[0]
        shown = simulate(person, FLOW.of("little"), LATENCY)
        who = f"synthetic person {options.person or names[0]}, 30 frames per second"
        title = f"Eye flow decides when {options.little.stem} runs: {who}"
        options.timeline.write_text(draw(person, shown, title), encoding="utf-8")


if __name__ == "__main__":
    main()
