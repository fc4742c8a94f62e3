"""`tinytracker cascade` on files: networks and sequences in, thresholds or results out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinytracker.cascade.costs import Costs
from tinytracker.cascade.document import CascadeSettings
from tinytracker.cascade.evaluation import LATENCY, Comparison, Row, compare, curve
from tinytracker.cascade.fitting import budget_limit, fit
from tinytracker.cascade.numbers import OPEN, measure
from tinytracker.cascade.people import find_people, load_people
from tinytracker.cascade.results import (
    DOCUMENT_NAME,
    FOLDER,
    CascadeNetwork,
    CascadeResults,
    LatencyFrames,
    StrategyRow,
    Timeline,
)
from tinytracker.cascade.simulation import Latency, Prepared, simulate
from tinytracker.cascade.strategies import ALWAYS, FLOW, FLOW_LITTLE, NEVER
from tinytracker.cascade.timeline import draw
from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.files import StrPath, sha256_bytes, write_text
from tinytracker.model.tflite_file import read_network as read_tflite_file
from tinytracker.progress import say
from tinytracker.runs import Run, provenance
from tinytracker.words import counted

_QUANTIZED = "ptq-int8"
"""What the other commands take of a run, too, when none is named."""

MOST_LATENCY = 15
SHOWN_FRAMES = 180
"""Of a timeline in the results: six seconds at 30 per second."""


def read_network(path: StrPath) -> bytes:
    """Return the content of a .tflite file, or of a run's quantized network: `ptq-int8` if there are several.

    Raises:
        InputFileError: the file or the run does not exist, or is damaged.
        UsageError: the run has no quantized network.
    """
    path = Path(path)
    if path.suffix == ".tflite":
        return read_tflite_file(path)
    run = Run.open(path)
    names = run.quantized_names()
    if not names:
        raise UsageError(f"{path}: this run has no quantized network.", "Run `tinytracker quantize` first.")
    name = _QUANTIZED if _QUANTIZED in names else names[0]
    return read_tflite_file(run.quantized(name) / "model.tflite")


@dataclass(frozen=True)
class Evaluation:
    """Strategies compared, and the document that says so.

    Attributes:
        comparison: with the numbers of all people. results: what is written.
        files: that were written.
    """

    comparison: Comparison
    results: CascadeResults
    files: tuple[Path, ...]


def compare_files(
    big: StrPath,
    little: StrPath,
    sequences: Sequence[StrPath],
    keep: StrPath = "viewings",
    *,
    budget: str = "energy",
    latency: tuple[int, int] = (LATENCY.big, LATENCY.little),
    settings: StrPath | None = None,
    most: float | None = None,
    at_most: int = NEVER,
    out: StrPath | None = None,
    person: str | None = None,
    timeline: StrPath | None = None,
    curve_file: StrPath | None = None,
) -> Evaluation:
    """Compare all strategies for two networks.

    Args:
        big: a run folder or a .tflite file.
        little: likewise.
        sequences: folders that `tinytracker synth --sequences` has written.
        keep: folder for what networks and gate have seen.
        budget: see `fitting.fit`.
        latency: frames that both networks take.
        settings: file of `fit_settings`, whose thresholds are then used for the strategy "flow".
        most: see `fitting.fit`.
        at_most: likewise.
        out: JSON file for the results. They are also written into those of the networks that are run folders.
        person: name of whom timelines show; None for the first.
        timeline: SVG file to draw: the person's first seconds with Little behind the eye flow's gate.
        curve_file: SVG file to draw: error against energy.

    Raises:
        InputFileError: a file is missing or damaged.
        UsageError: there are fewer than two people, or a latency or `at_most` is out of range.
        UnknownNameError: no such person.
        ModelError: a network does not see a strip, or does not aim.
    """
    budget_limit(budget, most)
    frames, models = checked(latency, at_most), (read_network(big), read_network(little))
    costs = _costs(*models)
    known = None if settings is None else CascadeSettings.read(Path(settings))
    if known is not None and [known.big_sha256, known.little_sha256] != [sha256_bytes(m) for m in models]:
        say(f"The thresholds of {settings} were chosen for other networks; they are used as they are.")
    names, _ = find_people(sequences)
    shown = names[0] if person is None else _person(person, names)  # before the networks look
    _, people = load_people(*models, sequences, keep)
    result = compare(people, names, costs, frames, budget, known, at_most, most)
    prepared = people[names.index(shown)]
    results = _document(result, _networks((big, little), models, costs), prepared, shown)
    written = [results.write(path) for path in _places(out, (big, little))]
    if timeline is not None:
        strategy = _row(result, FLOW.name, "little").strategy
        title = f"Eye flow decides when Little runs: {shown}"
        written.append(
            write_text(Path(timeline), draw(prepared, simulate(prepared, strategy, frames), title))
        )
    if curve_file is not None:
        written.append(
            write_text(
                Path(curve_file),
                curve(result, f"Error against energy, {counted(len(people), 'person', 'people')}"),
            )
        )
    return Evaluation(result, results, tuple(written))


def _costs(big: bytes, little: bytes) -> Costs:
    """Return the costs of both networks; says so when they seem to be exchanged."""
    costs = Costs.of(big, little)
    if costs.big_macs < costs.little_macs:
        say(
            f"BIG takes {costs.big_macs:,} MACs and LITTLE {costs.little_macs:,}: "
            "they seem to be exchanged. Name the larger network first."
        )
    return costs


def _person(wanted: str, names: Sequence[str]) -> str:
    """Return a person's whole name: "seq/00004", of which the last part is enough where it is the only one.

    Raises:
        UnknownNameError: nobody or several are called so.
    """
    found = [name for name in names if wanted in (name, name.split("/")[-1])]
    if len(found) != 1:
        raise UnknownNameError("person", wanted, names)
    return found[0]


def _row(result: Comparison, strategy: str, network: str) -> Row:
    return next(r for r in result.rows if (r.strategy.name, r.network) == (strategy, network))


def _networks(
    paths: tuple[StrPath, StrPath], models: tuple[bytes, bytes], costs: Costs
) -> tuple[CascadeNetwork, CascadeNetwork]:
    def made(path: StrPath, model: bytes, macs: int) -> CascadeNetwork:
        name = Path(path).resolve().name.removesuffix(".tflite")
        return CascadeNetwork(name=name, sha256=sha256_bytes(model), macs=macs)

    return made(paths[0], models[0], costs.big_macs), made(paths[1], models[1], costs.little_macs)


def _places(out: StrPath | None, networks: tuple[StrPath, StrPath]) -> list[Path]:
    """Return where the results are written: the file that was asked for, and runs."""
    runs = {Path(path).resolve(): Path(path) for path in networks if Path(path).suffix != ".tflite"}
    return [*([] if out is None else [Path(out)]), *(run / FOLDER / DOCUMENT_NAME for run in runs.values())]


def _document(
    result: Comparison, networks: tuple[CascadeNetwork, CascadeNetwork], person: Prepared, name: str
) -> CascadeResults:
    shown = (_row(result, FLOW.name, "little"), _row(result, FLOW_LITTLE.name, "big"))
    return CascadeResults(
        kind="cascade-evaluation",
        latency_frames=LatencyFrames(big=result.latency.big, little=result.latency.little),
        rate=int(person.viewing.rate[0]),
        big=networks[0],
        little=networks[1],
        people=result.people,
        evidence="synthetic people, latency simulated, work emulated, energy modelled",
        rows=tuple(
            StrategyRow(**row.as_json(), by_person=row.by_person(result.people)) for row in result.rows
        ),
        curves=result.curves,
        timelines=tuple(_timeline(person, name, row, result.latency) for row in shown),
        **provenance(),
    )


def _timeline(prepared: Prepared, name: str, row: Row, latency: Latency) -> Timeline:
    viewing, outcome = prepared.viewing, simulate(prepared, row.strategy, latency)
    count = min(SHOWN_FRAMES, len(viewing))
    answers = [
        (round(float(x), 2), round(float(y), 2)) if np.isfinite(x) else None for x, y in outcome.shown[:count]
    ]
    return Timeline(
        person=name,
        strategy=row.strategy.name,
        network=row.strategy.network,
        rate=int(viewing.rate[0]),
        dot=tuple((round(float(x), 2), round(float(y), 2)) for x, y in viewing.gaze[:count]),
        shown=tuple(answers),
        flow=tuple(round(float(v), 3) for v in np.hypot(prepared.x, prepared.y)[:count] / 256),
        path="".join(str(int(v)) for v in outcome.path[:count]),
        busy="".join(str(int(v)) for v in outcome.busy[:count]),
        shut="".join(str(int(v)) for v in viewing.closed[:count] > OPEN),
    )


def fit_settings(
    big: StrPath,
    little: StrPath,
    sequences: Sequence[StrPath],
    keep: StrPath = "viewings",
    *,
    budget: str = "energy",
    latency: tuple[int, int] = (LATENCY.big, LATENCY.little),
    network: str = "little",
    most: float | None = None,
    at_most: int = NEVER,
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
        most: see `fitting.fit`.
        at_most: likewise.

    Raises:
        as `compare_files`.
    """
    budget_limit(budget, most)
    frames, models = checked(latency, at_most), (read_network(big), read_network(little))
    strategy, costs = FLOW.of(network), _costs(*models)
    _, people = load_people(*models, sequences, keep)
    made = fit(people, strategy, frames, costs, budget, most=most, at_most=at_most)
    always = measure(people, ALWAYS.of(network), frames, costs)
    return CascadeSettings(
        **vars(made.strategy.gate), budget=budget, big_sha256=sha256_bytes(models[0]),
        little_sha256=sha256_bytes(models[1]), people=len(people), frames=made.numbers.frames,
        error_against_always=round(made.numbers.error_cm / always.error_cm, 4), busy=round(made.numbers.busy, 4),
        **provenance(),
    )  # fmt: skip


def checked(latency: tuple[int, int], at_most: int = NEVER) -> Latency:
    """Return a latency in frames.

    Raises:
        UsageError: it is not from 0 to 15, or `at_most` is not positive.
    """
    for frames in latency:
        if not 0 <= frames <= MOST_LATENCY:
            raise UsageError(
                f"A latency is {counted(frames, 'frame')}.", f"It must be from 0 to {MOST_LATENCY}."
            )
    if not 1 <= at_most <= NEVER:
        raise UsageError(
            f"At most {counted(at_most, 'frame')} may pass without the network.",
            f"Give a number from 1 to {NEVER}.",
        )
    return Latency(*latency)
