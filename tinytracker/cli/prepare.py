"""`tinytracker prepare`."""

from __future__ import annotations

from pathlib import Path

import click

from tinytracker.cli.output import Output, verb


@verb
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(1), help="Processes; default: one per core.")
def command(source: Path, out: Path, jobs: int | None) -> Output:
    """Turn SOURCE, a folder of GazeCapture subjects (or their .tar.gz), into shards in the folder OUT."""
    from tinytracker.data.prepare import prepare

    report = prepare(source, out, jobs=jobs)
    return Output(report.as_json(), (str(report),))
