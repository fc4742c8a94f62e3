"""Train, round and compare hybrids, an ordinary network on event counts, and a network of spikes, at one budget.

python benchmarks/hybrid.py CLIPS WORK --runs PRESET:INTERVAL:SEED [...] [--test CLIPS] [--epochs N] [--steps N]
    [--windows N] [--csv NAME]
python benchmarks/hybrid.py CLIPS WORK --pairs PRESET:INTERVAL:SEED[,SEED...] ...
python benchmarks/hybrid.py --plot

CLIPS is a folder that `tinytracker synth-events` wrote, WORK one for the runs, which are resumed when they exist. Each
run is trained with the same schedule, rounded, and evaluated on the test split of CLIPS or of `--test`.

The CSV "hybrid", or that of `--csv`, gets a line for each run: errors of the gaze change before and after rounding,
gaze between frames, counts, bytes on the link by form, modelled energies and latency. With `--pairs`, "hybrid_pairs"
gets a line for each preset against the first one: the difference of their errors in integers, mean over seeds, on the
same windows, with an interval over people. `--plot` draws error against energy from "hybrid". All people are
synthetic.
"""

from __future__ import annotations

import argparse
import csv
import resource
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from common import RESULTS, append_csv

from tinytracker.arrays import Floats
from tinytracker.evaluate.metrics import subject_bootstrap
from tinytracker.hybrid import evaluate_hybrid, quantize_hybrid, train_hybrid
from tinytracker.hybrid.config import HybridConfig, hybrid_config
from tinytracker.hybrid.document import DOCUMENT_NAME, FOLDER
from tinytracker.hybrid.evaluation_document import HybridEvaluation
from tinytracker.hybrid.following import Frames
from tinytracker.platforms.hybrid import compare_hybrids
from tinytracker.runs import Run

PACKAGES = ("tensorflow", "numpy")
OUT = RESULTS.parent.parent / "docs" / "images" / "hybrid_error_energy.svg"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 420, 64, 24, 36, 56
FONT = 'font-family="system-ui, sans-serif" font-size="13"'
FOLLOWED = ("held_cm", "followed_cm", "held_moving_cm", "followed_moving_cm")
COLOURS = {
    "hybrid-s0a5": "#9a6a1f", "hybrid-s1a4": "#5b8a3c", "hybrid-s2a3": "#2f6f9f", "hybrid-s3a2": "#6a4fa3",
    "hybrid-s5a0": "#b3423a",
}  # fmt: skip


def made(
    clips: Path, work: Path, spec: str, test: Path | None, windows: int, config: HybridConfig, name: str
) -> Path:
    """Train, round and evaluate one run, as far as that has not been done."""
    preset, interval, seed = spec.split(":")
    folder = work / f"{preset}-i{interval}-{seed}"
    before = resource.getrusage(resource.RUSAGE_SELF)
    own = config.model_copy(update={"interval": int(interval), "seed": int(seed)})
    train_hybrid(clips, preset, folder, own, resume=True)
    if not (folder / FOLDER / DOCUMENT_NAME).is_file():
        quantize_hybrid(folder)
    found = evaluate_hybrid(folder, test, windows=windows, following=Frames(at_most=200))
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    append_csv(name, line(folder, found, own, cpu_s), PACKAGES)
    return folder


def line(folder: Path, found: HybridEvaluation, config: HybridConfig, cpu_s: float) -> dict[str, Any]:
    """Return a run's line of the first CSV."""
    cost, about = found.cost, found.following
    (row,) = compare_hybrids([folder]).rows
    data = Run.open(folder, hybrid=True).describe().data
    energies = ("spiking_uj", "link_uj", "ordinary_uj", "total_uj", "fast_total_uj", "latency_ms")
    forms = ("addresses", "bits", "sparse_codes", "codes", "answer")
    return {
        "preset": found.preset, "interval": found.interval, "seed": config.seed, "parameters": found.parameters,
        "train_steps": config.epochs * config.steps, "train_clips": data.frames["train"], "test_people": found.people,
        "windows": found.windows, "no_answer_cm": round(found.no_answer_cm, 3),
        "float_cm": round(found.floating.error_cm, 3), "integer_cm": round(found.integers.error_cm, 3),
        "ci_low_cm": round(found.integers.ci95_cm[0], 3), "ci_high_cm": round(found.integers.ci95_cm[1], 3),
        "integer_loss": round(found.integer_loss, 4), "direction_deg": round(found.integers.direction_deg, 2),
        "still_windows": found.still_windows, "still_cm": round(found.integers.still_cm, 3),
        "no_answer_still_cm": round(found.no_answer_still_cm, 3), "all_windows": found.all_windows,
        "all_cm": round(found.integers.all_cm, 3), "no_answer_all_cm": round(found.no_answer_all_cm, 3),
        **{name: round(getattr(about, name), 3) for name in FOLLOWED},
        "input_spikes": round(cost.input_spikes), "spikes": round(cost.spikes), "sops": round(cost.sops),
        "updates": cost.updates, "macs": cost.host_macs, "accumulations": round(cost.accumulations),
        **{f"link_{form}_bytes": round(cost.link[form]) if form in cost.link else "" for form in forms},
        **{name: round(row.cells[name].value, 4) for name in energies}, "cpu_s": round(cpu_s),
    }  # fmt: skip


def missed(work: Path, spec: str) -> tuple[Floats, Floats, Any]:
    """Return the errors in integers of each window, cm, mean over the seeds of PRESET:INTERVAL:SEED[,SEED ...]."""
    preset, interval, seeds = spec.split(":")
    found = []
    for seed in seeds.split(","):
        with np.load(work / f"{preset}-i{interval}-{seed}" / "evaluation" / "hybrid-test.npz") as held:
            true, subject = held["true_cm"], held["subject"]
            found.append(np.linalg.norm(held["integers_cm"] - true, axis=1))
    return np.mean(found, axis=0), true, subject


def pair(work: Path, first: str, other: str) -> dict[str, Any]:
    """Return the line of the second CSV of two presets whose runs were evaluated on the same windows."""
    (a, true, subject), (b, again, _) = missed(work, first), missed(work, other)
    if not np.array_equal(true, again):
        raise SystemExit(f"{first} and {other} were evaluated on different windows.")
    low, high = subject_bootstrap(b - a, subject)
    return {
        "first": first, "other": other, "windows": len(a), "people": len(set(subject)),
        "first_cm": round(float(a.mean()), 4), "other_cm": round(float(b.mean()), 4),
        "difference_cm": round(float((b - a).mean()), 4), "ci_low_cm": round(low, 4), "ci_high_cm": round(high, 4),
    }  # fmt: skip


def plot(rows: list[dict[str, str]]) -> str:
    """Return the drawing: error against modelled energy of a window, with ordinary layers on an accelerator."""
    points: dict[str, dict[int, list[tuple[float, float]]]] = {name: {} for name in COLOURS}
    for row in rows:
        seeds = points[row["preset"]].setdefault(int(row["interval"]), [])
        seeds.append((float(row["fast_total_uj"]), float(row["integer_cm"])))
    energies, errors = zip(
        *(pair for by in points.values() for seeds in by.values() for pair in seeds), strict=True
    )
    right, top = 1.15 * max(energies), 1.15 * max(errors)

    def x(value: float) -> float:
        return LEFT + value / right * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    step_x, step_y = _step(right), _step(top)
    parts = [
        f'<line x1="{LEFT}" y1="{y(v):.1f}" x2="{WIDTH - RIGHT}" y2="{y(v):.1f}" stroke="#e3e6ea"/>'
        f'<text x="{LEFT - 8}" y="{y(v) + 4:.1f}" text-anchor="end" {FONT}>{v:g}</text>'
        for v in np.arange(0, top, step_y).round(6)
    ]
    parts += [
        f'<text x="{x(v):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle" {FONT}>{v:g}</text>'
        for v in np.arange(0, right, step_x).round(6)
    ]
    for k, (name, by) in enumerate(points.items()):
        colour, short = COLOURS[name], name.removeprefix("hybrid-")
        places = {i: tuple(np.mean(by[i], axis=0)) for i in sorted(by)}
        line = " ".join(f"{x(energy):.1f},{y(error):.1f}" for energy, error in places.values())
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-opacity="0.5"/>')
        below = 20 if name == "hybrid-s2a3" else -9  # its points and those of s3a2 are close together
        for interval, (energy, error) in places.items():
            title = f"{short}, I = {interval}, {len(by[interval])} seeds: {error:.2f} cm, {energy:.2f} µJ"
            number = "" if name == "hybrid-s5a0" else str(interval)
            parts.append(
                f'<circle cx="{x(energy):.1f}" cy="{y(error):.1f}" r="5" fill="{colour}">'
                f"<title>{escape(title)}</title></circle>"
                f'<text x="{x(energy):.1f}" y="{y(error) + below:.1f}" text-anchor="middle" {FONT} fill="{colour}">'
                f"{number}</text>"
            )
        beside = LEFT + 16 + 90 * k
        parts.append(
            f'<circle cx="{beside}" cy="{HEIGHT - BOTTOM - 20}" r="5" fill="{colour}"/>'
            f'<text x="{beside + 10}" y="{HEIGHT - BOTTOM - 16}" {FONT} fill="{colour}">{short}</text>'
        )
    parts.append(
        f'<text x="{LEFT}" y="20" {FONT}>error of the gaze change in integers, cm (synthetic people); '
        "numbers: interval I</text>"
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 12}" text-anchor="end" {FONT}>dynamic energy of a window, µJ '
        "(modelled; ordinary layers on an accelerator)</text>"
    )
    label = "Error of the gaze change against modelled energy, by preset and interval"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/><g fill="#30363d">{"".join(parts)}</g></svg>\n'
    )


def _step(most: float) -> float:
    """Return a round distance of ticks with which there are four to ten."""
    return next(s for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0) if most / s <= 10)


def main() -> None:
    """Make the runs, or draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, nargs="?")
    parser.add_argument("work", type=Path, nargs="?")
    parser.add_argument("--runs", nargs="+", default=[])
    parser.add_argument("--pairs", nargs="+", default=[])
    parser.add_argument("--test", type=Path)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--windows", type=int, default=1500)
    parser.add_argument("--csv", default="hybrid")
    parser.add_argument("--plot", action="store_true")
    given = parser.parse_args()
    if given.plot:
        with (RESULTS / "hybrid.csv").open(newline="") as file:
            OUT.write_text(plot(list(csv.DictReader(file))))
        print(OUT)
        return
    config = hybrid_config(epochs=given.epochs, steps=given.steps)
    for spec in given.runs:
        made(given.clips, given.work, spec, given.test, given.windows, config, given.csv)
    for other in given.pairs[1:]:
        append_csv("hybrid_pairs", pair(given.work, given.pairs[0], other), PACKAGES)


if __name__ == "__main__":
    main()
