"""`tinytracker evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb

if TYPE_CHECKING:
    from tinytracker.evaluate.metrics import ErrorNumbers, Errors


@verb
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Prepared data; default: the run's own.")
@click.option("--split", default="test", help="train, val or test.")
@click.option(
    "--model", default="float", help="Model of the run: float, or a quantized one such as ptq-int8."
)
@click.option(
    "--preset", help="For a .tflite file: the preset whose input it takes; default: chosen by shape."
)
def command(target: Path, data: Path | None, split: str, model: str, preset: str | None) -> Output:
    """Measure the error of TARGET, a run folder or a .tflite file, in cm on a split."""
    from tinytracker.evaluate import evaluate

    result = evaluate(target, data, split, model, preset)
    return Output(result.as_json(), (error_table(f"{result.model.name} on {split}", result.errors),))


def error_table(title: str, errors: Errors) -> Table:
    """Return the errors overall and by family, orientation and device, each beside the constant predictor."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in ("frames", "subjects", "error cm", "95 % interval", "median", "per dot", "constant"):
        table.add_column(column, justify="right")

    def add(name: str, row: ErrorNumbers) -> None:
        interval = "{:.2f} to {:.2f}".format(*row.ci95_cm) if row.subjects > 1 else "one person"
        table.add_row(
            name, f"{row.frames:,}", str(row.subjects), f"{row.error_cm:.2f}", interval,
            f"{row.median_cm:.2f}", f"{row.dot_error_cm:.2f}", f"{row.constant_cm:.2f}",
        )  # fmt: skip

    add("all", errors.overall)
    for prefix, group in (
        ("", errors.by_family),
        ("orientation ", errors.by_orientation),
        ("", errors.by_device),
    ):
        table.add_section()
        for name, row in group.items():
            add(f"{prefix}{name}", row)
    return table
