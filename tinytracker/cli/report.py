"""`tinytracker report`."""

from __future__ import annotations

from pathlib import Path

import click

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import OUT


@verb
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=OUT, default=Path("report.html"), help="Page to write.")
@click.option("--allow-images", is_flag=True, help="Include faces and events of recorded people.")
def command(sources: tuple[Path, ...], out: Path, allow_images: bool) -> Output:
    """Write one page about SOURCES: runs, packages, sessions, the JSON of `tinytracker energy`, and events (.h5)."""
    from tinytracker.report import report

    result = report(sources, out, allow_images)
    size = result.page.stat().st_size
    missing = [s for part in ("runs", "sessions") for one in result.document[part] for s in one["missing"]]
    lines = (
        f"{result.page}: {size / 1e3:,.0f} kB, opens in any browser",
        f"{result.numbers}: the same numbers as JSON",
    )
    return Output(
        {"page": str(result.page), "numbers": str(result.numbers), "missing": missing}, (*lines, *missing)
    )
