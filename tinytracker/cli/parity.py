"""`tinytracker parity`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.package.parity import RuntimeTable


@verb
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--model",
    help="Quantized model of the run, or spiking; default: qat-int8 if it exists, otherwise ptq-int8.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Prepared data; default: the run's own.")
@click.option(
    "--images",
    type=int,
    default=512,
    help="Images, 32 or more: frames of the test split, topped up with patterns.",
)
def command(run: Path, model: str | None, data: Path | None, images: int) -> Output:
    """Run a quantized model of RUN on every runtime and compare them with the reference kernels.

    A spiking network (--model spiking) is compared with its integer simulator.
    """
    from tinytracker.package.parity import runtime_table
    from tinytracker.package.parity_table import RuntimeRow

    result = runtime_table(run, model, data, images)
    table = Table(
        title=f"{result.model}: {counted(result.frames, 'frame')} of the test split, "
        f"{counted(result.patterns, 'pattern')}; "
        f"one step is {result.step_cm:.4f} cm",
        title_justify="left",
    )
    table.add_column("runtime")
    table.add_column("arithmetic")
    for column in ("error cm", "max LSB", "mean LSB", "differing images"):
        table.add_column(column, justify="right")

    def cells(row: RuntimeRow) -> tuple[str, ...]:
        error = "" if row.error_cm is None else f"{row.error_cm:.3f}"
        differing = "" if row.differing is None else str(row.differing)
        return (row.runtime, row.computes, error, f"{row.max_lsb:.3g}", f"{row.mean_lsb:.3g}", differing)

    for row in result.rows:
        if not row.absent:
            table.add_row(*cells(row))
    absent = tuple(f"{row.runtime}: {row.absent}" for row in result.rows if row.absent)
    verdict = _verdict(result)
    if result.distinct_outputs < 2:
        verdict += " The network gives the same output for all images; check that it has been trained."
    return Output(result.as_json(), (table, *absent, verdict), 0 if result.exact else 1)


def _verdict(result: RuntimeTable) -> str:
    compared = [row.runtime for row in result.rows if row.must_be_equal and not row.absent]
    if not result.exact:
        return f"NOT EQUAL: a runtime that must equal {result.oracle} does not."
    if not compared:
        return "Nothing that must be equal was compared."
    return f"Equal to {result.oracle} bit for bit: {', '.join(compared)}."
