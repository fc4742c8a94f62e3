"""`tinytracker compare`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb


@verb
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option(
    "--warmup", type=click.IntRange(0), help="First frames that do not count; default: as each session says."
)
@click.option("--seed", default=0, help="Of the bootstrap.")
def command(a: Path, b: Path, warmup: int | None, seed: int) -> Output:
    """Say whether the sessions A and B differ, phase by phase, with 95 % intervals."""
    from tinytracker.measure.latency import compare_sessions

    result = compare_sessions(a, b, warmup, seed)
    marks = [" (emulated)" if s.header.is_emulated else "" for s in (result.a, result.b)]
    table = Table(title=f"A = {a}{marks[0]}, B = {b}{marks[1]}; medians in µs", title_justify="left")
    table.add_column("")
    for column in ("A", "B", "B - A", "95 % interval", "B / A", "differ"):
        table.add_column(column, justify="right")
    for name, row in result.rows.items():
        low, high = row.difference_ci95
        table.add_row(
            name, f"{row.a.median:,.1f}", f"{row.b.median:,.1f}", f"{row.difference:+,.1f}",
            f"{low:+,.1f} to {high:+,.1f}",
            "" if row.ratio is None else f"{row.ratio:.3f}", "yes" if row.differ else "no",
        )  # fmt: skip
    return Output(result.as_json(), (table, *result.remarks))
