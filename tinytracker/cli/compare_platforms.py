"""`tinytracker compare-platforms`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
from rich.console import RenderableType
from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import OUT, Number


@verb
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("sessions", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out", type=OUT, required=True, help="Page (.html, with .json beside it) or document (.json)."
)
@click.option("--quantized", default="ptq-int8", help="Quantized model of the run.")
@click.option(
    "--fps",
    type=Number(0.001, 100_000),
    default=30.0,
    help="Frame rate of devices that are always on.",
)
@click.option(
    "--figures", type=click.Path(path_type=Path),
    help="TOML file of your own figures (power, latency), for what is not published.",
)  # fmt: skip
@click.option(
    "--cascade", type=click.Path(path_type=Path), multiple=True,
    help="Output of `tinytracker cascade evaluate --out` for this network: adds rows behind the gate. May be given for "
    "several latencies; each platform takes the nearest.",
)  # fmt: skip
def command(
    source: Path, sessions: tuple[Path, ...], out: Path, quantized: str, fps: float, figures: Path | None,
    cascade: tuple[Path, ...],
) -> Output:  # fmt: skip
    """Put SOURCE, a run folder or an INT8 .tflite file, on all platforms: error, fit, latency, power and energy.

    SESSIONS are measured sessions, and outputs of `tinytracker energy --json`. Every figure is marked measured,
    emulated, modelled, published or synthetic.
    """
    from tinytracker.platforms import Absent, compare_platforms, write_platforms
    from tinytracker.platforms.figure import LETTERS, Cell
    from tinytracker.platforms.page import COLUMNS, shown

    found = compare_platforms(
        source, sessions, quantized=quantized, rate=fps, figures=figures, cascade=cascade
    )
    written = write_platforms(found, out)

    def cell(value: Cell) -> str:
        return "–" if isinstance(value, Absent) else f"{shown(value.value)} {LETTERS[value.mark.value]}"

    table = Table(title=f"{found.facts.name} on all platforms", title_justify="left")
    table.add_column("platform")
    table.add_column("fits")
    for label in COLUMNS.values():
        table.add_column(label.format(rate=fps), justify="right")
    labels = Counter(row.label for row in found.rows)  # a computer has a row for each runtime
    for row in found.rows:
        fits = {True: "yes", False: "no", None: "?"}[row.fit.ok]
        name = f"{row.label}, {row.arithmetic}" if labels[row.label] > 1 else row.label
        table.add_row(name, fits, *(cell(value) for value in row.cells.values()))
    legend = ", ".join(f"{letter} {name}" for name, letter in LETTERS.items())
    text: tuple[RenderableType, ...] = (
        table,
        f"{legend}; ranges and sources are in the page.",
        found.verdict,
        *found.remarks,
        *map(str, written),
    )
    return Output({"files": [str(path) for path in written], **found.as_json()}, text)
