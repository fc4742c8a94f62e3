"""Compares all strategies on sequences of people: one table with error, work and delay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.cascade.costs import Costs, frames_of, microjoules
from tinytracker.cascade.curve import Point, draw_curve
from tinytracker.cascade.document import CascadeSettings
from tinytracker.cascade.fitting import fit
from tinytracker.cascade.numbers import StrategyNumbers, measure
from tinytracker.cascade.people import load_people
from tinytracker.cascade.simulation import Latency, Prepared, simulate
from tinytracker.cascade.strategies import (
    ALWAYS,
    EVERY,
    FLOW,
    FLOW_LITTLE,
    LITTLE,
    STILL,
    SUMMED,
    Strategy,
    grid,
)
from tinytracker.cascade.timeline import draw
from tinytracker.errors import UsageError
from tinytracker.files import StrPath, sha256_bytes, write_text
from tinytracker.model.tflite_file import read_network as read_tflite_file
from tinytracker.progress import say
from tinytracker.runs import Run, command_line, versions

LATENCY = Latency(big=6, little=3)
"""Frames that tinytracker-v2-aim and -s2-aim take on a Spresense main core, at 30 per second (modelled)."""
MOST_LATENCY = 15
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
        """Return the row as plain numbers; delays are None if no large saccade was noticed."""
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


@dataclass(frozen=True)
class Comparison:
    """All strategies on the same people.

    Attributes:
        rows: of the table. latency: that was simulated. people: names.
    """

    rows: tuple[Row, ...]
    latency: Latency
    people: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the table as a JSON document."""
        return {
            "latency_frames": {"big": self.latency.big, "little": self.latency.little},
            "people": list(self.people),
            "evidence": "synthetic people, latency simulated, work emulated, energy modelled",
            "rows": [row.as_json() for row in self.rows],
        }


def compare(
    people: Sequence[Prepared],
    names: Sequence[str],
    costs: Costs,
    latency: Latency = LATENCY,
    budget: str = "energy",
    settings: CascadeSettings | None = None,
) -> Comparison:
    """Measure every strategy with both networks, thresholds cross-validated over people.

    Args:
        people: from `load_people`.
        names: of the people.
        costs: of a frame's parts.
        latency: of both networks.
        budget: see `fitting.fit`.
        settings: thresholds of an earlier fit for the strategy "flow", which are then not chosen anew.

    Raises:
        UsageError: fewer than two people.
    """
    if len(people) < 2:
        raise UsageError(
            f"There are sequences of {len(people)} people.", "Give sequences of 2 people or more."
        )
    rows = []
    for network in ("little", "big"):
        always = measure(people, ALWAYS.of(network), latency, costs)
        rows.append(Row(ALWAYS.of(network), network, False, always, 1.0))
        rows += [
            _row(measure(people, s, latency, costs), s, always, fitted=False)
            for s in (EVERY.of(network).with_gate(longest=k) for k in (6, 9, 12, 15))
        ]
        strategies = [STILL, SUMMED, FLOW, *([LITTLE, FLOW_LITTLE] if network == "big" else [])]
        for strategy in (s.of(network) for s in strategies):
            if settings is not None and strategy.name == FLOW.name:
                known = settings.strategy().of(network)
                rows.append(_row(measure(people, known, latency, costs), known, always, fitted=False))
            else:
                made = fit(people, strategy, latency, costs, budget)
                rows.append(_row(made.numbers, made.strategy, always, fitted=True))
    return Comparison(tuple(rows), latency, tuple(names))


def curve(people: Sequence[Prepared], costs: Costs, latency: Latency, title: str) -> str:
    """Draw error against energy: all settings of each strategy, judged on the people themselves.

    Args:
        people: from `load_people`.
        costs: of a frame's parts.
        latency: of both networks.
        title: of the picture.

    Returns:
        SVG.
    """

    def point(strategy: Strategy) -> Point:
        numbers = measure(people, strategy, latency, costs)
        return microjoules(numbers.instructions), numbers.error_cm

    shown = [(s, "little") for s in (FLOW, EVERY, STILL, SUMMED)] + [(FLOW, "big")]
    curves = {
        f"{strategy.name}, {network}": [point(s.of(network)) for s in grid(strategy)]
        for strategy, network in shown
    }
    single = {f"always, {network}": point(ALWAYS.of(network)) for network in ("little", "big")}
    return draw_curve(curves, single, title)


def _row(numbers: StrategyNumbers, strategy: Strategy, always: StrategyNumbers, *, fitted: bool) -> Row:
    return Row(strategy, strategy.network, fitted, numbers, numbers.error_cm / always.error_cm)


def read_network(path: StrPath) -> bytes:
    """Return the content of a .tflite file, or of a run's quantized network.

    Raises:
        InputFileError: the file, the run or its quantized network does not exist, or is damaged.
    """
    path = Path(path)
    if path.suffix == ".tflite":
        return read_tflite_file(path)
    run = Run.open(path)
    names = run.quantized_names()
    if not names:
        raise UsageError(f"{path}: this run has no quantized network.", "Run `tinytracker quantize` first.")
    return read_tflite_file(run.quantized(names[0]) / "model.tflite")


def compare_files(
    big: StrPath,
    little: StrPath,
    sequences: Sequence[StrPath],
    keep: StrPath = "viewings",
    *,
    budget: str = "energy",
    latency: tuple[int, int] = (LATENCY.big, LATENCY.little),
    settings: StrPath | None = None,
    timeline: StrPath | None = None,
    curve_file: StrPath | None = None,
) -> Comparison:
    """Compare all strategies for two networks.

    Args:
        big: a run folder or a .tflite file.
        little: likewise.
        sequences: folders that `tinytracker synth --sequences` has written.
        keep: folder for what networks and gate have seen.
        budget: see `fitting.fit`.
        latency: frames that both networks take.
        settings: file of `fit_settings`, whose thresholds are then used for the strategy "flow".
        timeline: SVG file to draw: the first person's first seconds with Little behind the eye flow's gate.
        curve_file: SVG file to draw: error against energy.

    Raises:
        InputFileError: a file is missing or damaged.
        UsageError: there are fewer than two people, or a latency is out of range.
        ModelError: a network does not see a strip, or does not aim.
    """
    frames, models = checked(latency), (read_network(big), read_network(little))
    known = None if settings is None else CascadeSettings.read(Path(settings))
    if known is not None and [known.big_sha256, known.little_sha256] != [sha256_bytes(m) for m in models]:
        say(f"The thresholds of {settings} were chosen for other networks; they are used as they are.")
    names, people = load_people(*models, sequences, keep)
    result = compare(people, names, Costs.of(*models), frames, budget, known)
    if timeline is not None:
        strategy = next(
            r.strategy for r in result.rows if r.strategy.name == FLOW.name and r.network == "little"
        )
        title = f"Eye flow decides when Little runs: {names[0]}"
        write_text(Path(timeline), draw(people[0], simulate(people[0], strategy, result.latency), title))
    if curve_file is not None:
        title = f"Error against energy, {len(people)} people"
        write_text(Path(curve_file), curve(people, Costs.of(*models), result.latency, title))
    return result


def fit_settings(
    big: StrPath,
    little: StrPath,
    sequences: Sequence[StrPath],
    keep: StrPath = "viewings",
    *,
    budget: str = "energy",
    latency: tuple[int, int] = (LATENCY.big, LATENCY.little),
    network: str = "little",
) -> CascadeSettings:
    """Choose the thresholds of the strategy "flow".

    Args:
        big: see `compare_files`.
        little: likewise.
        sequences: likewise.
        keep: likewise.
        budget: likewise.
        latency: likewise.
        network: "big" or "little": whose answers are shown.

    Raises:
        as `compare_files`.
    """
    frames, models = checked(latency), (read_network(big), read_network(little))
    _, people = load_people(*models, sequences, keep)
    strategy, costs = FLOW.of(network), Costs.of(*models)
    made = fit(people, strategy, frames, costs, budget)
    always = measure(people, ALWAYS.of(network), frames, costs)
    return CascadeSettings(
        **vars(made.strategy.gate), budget=budget, big_sha256=sha256_bytes(models[0]),
        little_sha256=sha256_bytes(models[1]), people=len(people), frames=made.numbers.frames,
        error_against_always=round(made.numbers.error_cm / always.error_cm, 4), busy=round(made.numbers.busy, 4),
        command=command_line(), versions=versions(),
    )  # fmt: skip


def checked(latency: tuple[int, int]) -> Latency:
    """Return a latency in frames.

    Raises:
        UsageError: it is not from 0 to 15.
    """
    for frames in latency:
        if not 0 <= frames <= MOST_LATENCY:
            raise UsageError(f"A latency is {frames} frames.", f"It must be from 0 to {MOST_LATENCY}.")
    return Latency(*latency)
