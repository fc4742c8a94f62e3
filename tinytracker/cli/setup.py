"""`tinytracker setup`."""

from __future__ import annotations

from pathlib import Path

import click

from tinytracker.cli.output import Output, verb


@verb
@click.argument("what", type=click.Choice(["imx500"]))
@click.option("--folder", type=click.Path(path_type=Path), help="Where; default: below $TINYTRACKER_HOME.")
@click.option("--python", type=click.Path(path_type=Path), help="Python 3.10 or 3.11 to build on.")
def command(what: str, folder: Path | None, python: Path | None) -> Output:
    """Install Sony's converter for imx500 (2.3 GB); safe to repeat and to interrupt."""
    from tinytracker.package.imx500.environment import setup

    found = setup(folder, python)
    text = f"{found.folder}: converter {found.converter}, Python {found.python}, Java {found.java}"
    return Output(found.as_json(), (text,))
