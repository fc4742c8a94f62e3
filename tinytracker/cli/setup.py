"""`tinytracker setup`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from tinytracker.cli.output import Output, verb
from tinytracker.measure.meters import METERS
from tinytracker.spiking.foreign.environments import SIMULATORS
from tinytracker.targets import with_part

_MODULES = {
    **{name: (target.setup, target.setup_summary) for name, target in with_part("setup").items()},
    **{name: (meter.setup, meter.setup_summary) for name, meter in METERS.items() if meter.setup},
}
"""Module and contents by name."""

_OFFERS = {name: summary for name, (_, summary) in _MODULES.items()} | {
    name: simulator.summary for name, simulator in SIMULATORS.items()
}
"""Contents by name."""


@verb
@click.argument("what", type=click.Choice(list(_OFFERS)))
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where to install; default: below $TINYTRACKER_HOME.",
)
@click.option(
    "--python",
    type=click.Path(path_type=Path),
    help="Python 3.10 or 3.11 to use (sinabs: only 3.11; lava: only 3.10).",
)
def command(what: str, folder: Path | None, python: Path | None) -> Output:
    """Install a vendor's tool into its own environment; safe to repeat and to interrupt."""
    installer = SIMULATORS[what] if what in SIMULATORS else import_module(_MODULES[what][0])
    found = installer.setup(folder, python)
    return Output(found.as_json(), (f"{found.folder}: {found.summary}",))


_CONTENTS = "; ".join(f"{name} for {summary}" for name, summary in _OFFERS.items())
command.help = f"{command.help}\n\nWHAT selects the tool: {_CONTENTS}."
