"""`tinytracker demo`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import OUT
from tinytracker.demo import DemoResult, DemoSettings

if TYPE_CHECKING:
    from tinytracker.evaluate.metrics import ErrorNumbers, Errors

_DEFAULTS = DemoSettings()


@verb
@click.option("--out", type=OUT, default=Path("demo-out"), help="Folder for all results.")
@click.option("--model", default=_DEFAULTS.preset, help="Preset to train.")
@click.option(
    "--subjects", type=click.IntRange(8), default=_DEFAULTS.subjects, help="Number of synthetic people."
)
@click.option("--frames", type=click.IntRange(1), default=_DEFAULTS.frames, help="Frames per person.")
@click.option(
    "--epochs", type=click.IntRange(1), default=_DEFAULTS.epochs, help="Passes over the training split."
)
@click.option("--seed", type=click.IntRange(0), default=_DEFAULTS.seed, help="Random seed of all steps.")
@click.option("--jobs", type=click.IntRange(1), help="Processes that make data; default: one per core.")
def command(
    out: Path, model: str, subjects: int, frames: int, epochs: int, seed: int, jobs: int | None
) -> Output:
    """Run the whole chain on synthetic data, up to a packaged INT8 network; can be stopped and resumed."""
    from tinytracker.demo import demo

    result = demo(out, DemoSettings(model, subjects, frames, epochs, seed), jobs)
    return Output(result.as_json(), (_table(result), _places(result), _NOTE))


_NOTE = (
    "The people are synthetic, and few: these errors show that the chain works, not how accurate it would be on\n"
    "real faces. "
    "The constant predictor always answers the mean of the training labels; a network that has learned\n"
    "nothing equals it."
)


def _table(result: DemoResult) -> Table:
    table = Table(title="TinyTracker on synthetic people, unseen in training", title_justify="left")
    table.add_column("")
    for column in ("all", "phone", "tablet"):
        table.add_column(column, justify="right")

    def add(name: str, errors: Errors, number: Callable[[ErrorNumbers], float]) -> None:
        rows = {"all": errors.overall, **errors.by_family}
        cells = (f"{number(rows[f]):.2f} cm" if f in rows else "" for f in ("all", "phone", "tablet"))
        table.add_row(name, *cells)

    add("float error", result.float_errors, lambda row: row.error_cm)
    add("INT8 error", result.int8_errors, lambda row: row.error_cm)
    add("constant predictor", result.int8_errors, lambda row: row.constant_cm)
    table.add_section()
    model, arena = result.manifest.model, result.manifest.arena
    table.add_row("model", f"{model.bytes:,} bytes")
    table.add_row("work per frame", f"{model.macs:,} MACs")
    if arena is not None:
        table.add_row("TFLM arena", f"{arena.total_bytes:,} bytes")
    return table


def _places(result: DemoResult) -> str:
    return "\n".join(f"{name + ':':16} {folder}" for name, folder in result.folders.items())
