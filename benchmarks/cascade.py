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
from pathlib import Path
from typing import Any

from common import write_csv

from tinytracker.cascade.costs import Costs, frames_of
from tinytracker.cascade.evaluation import LATENCY, Comparison, Row, compare, curve
from tinytracker.cascade.looking import sequence_folders, viewings
from tinytracker.cascade.numbers import together
from tinytracker.cascade.simulation import Latency, Prepared, simulate
from tinytracker.cascade.strategies import FLOW
from tinytracker.cascade.timeline import draw

FAST = Latency(0, 0)
"""Of a processor that runs the network within a frame."""


def rows_of(result: Comparison, movements: Sequence[str], costs: Costs, latency: str) -> list[dict[str, Any]]:
    """Return the rows for all people and for each way in which heads move."""
    rows = []
    always: dict[tuple[str, str], float] = {}
    for heads in ("all", *sorted(set(movements))):
        chosen = [i for i, movement in enumerate(movements) if heads in ("all", movement)]
        for row in result.rows:
            numbers = together([row.numbers.people[i] for i in chosen], row.strategy, costs)
            key = (heads, row.network)
            always.setdefault(key, numbers.error_cm)
            part = Row(row.strategy, row.network, row.fitted, numbers, numbers.error_cm / always[key])
            gate = row.strategy.gate
            rows.append(
                {
                    "heads": heads, "latency": latency, **part.as_json(),
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
    slow = compare(people, names, costs, LATENCY, options.budget)
    rows = rows_of(slow, movements, costs, "6 and 3 frames")
    rows += rows_of(compare(people, names, costs, FAST, options.budget), movements, costs, "none")
    write_csv("cascade", rows, ["numpy", "tensorflow"])
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
