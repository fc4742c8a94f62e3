"""`tinytracker setup`."""

from __future__ import annotations

from pathlib import Path

import click

from tinytracker.cli.output import Output, verb
from tinytracker.targets import find_target, with_part


@verb
@click.argument("what", type=click.Choice(list(with_part("setup"))))
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where to install; default: below $TINYTRACKER_HOME.",
)
@click.option("--python", type=click.Path(path_type=Path), help="Python 3.10 or 3.11 to use.")
def command(what: str, folder: Path | None, python: Path | None) -> Output:
    """Install a vendor's tool into its own environment; safe to repeat and to interrupt."""
    found = find_target(what, "setup").part("setup").setup(folder, python)
    return Output(found.as_json(), (f"{found.folder}: {found.summary}",))


_CONTENTS = "; ".join(f"{name} for {target.setup_summary}" for name, target in with_part("setup").items())
command.help = f"{command.help}\n\nWHAT selects the tool: {_CONTENTS}."
