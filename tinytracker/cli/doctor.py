"""`tinytracker doctor`."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.targets import with_part


@verb
def command() -> Output:
    """List what is installed for each kind of work, what is missing, and the command that installs it."""
    from tinytracker.package.doctor import diagnose

    parts = diagnose()
    table = Table(show_header=True)
    for column in ("part", "needed for", "", "found, or how to install it"):
        table.add_column(column)
    for part in parts:
        table.add_row(
            part.name, part.needed_for, "ok" if part.found else "missing", part.found or part.install
        )
    environments = {
        name: target.part("setup").status().as_json() for name, target in with_part("setup").items()
    }
    return Output({"parts": [asdict(p) for p in parts], **environments}, (table,))
