"""`tinytracker doctor`."""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module

from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.measure.meters import METERS
from tinytracker.spiking.foreign.environments import SIMULATORS
from tinytracker.targets import with_part


@verb
def command() -> Output:
    """List what is installed for each kind of work, what is missing, and the command that installs it."""
    from tinytracker.package.doctor import diagnose

    drivers = {name: import_module(meter.setup) for name, meter in METERS.items() if meter.setup}
    parts = [*diagnose(), *(part for module in drivers.values() for part in module.parts())]
    parts += [part for simulator in SIMULATORS.values() for part in simulator.parts()]
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
    environments |= {name: module.status().as_json() for name, module in drivers.items()}
    environments |= {name: simulator.status().as_json() for name, simulator in SIMULATORS.items()}
    return Output({"parts": [asdict(p) for p in parts], **environments}, (table,))
