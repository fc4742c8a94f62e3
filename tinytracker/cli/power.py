"""The options of a power meter, shared by `tinytracker measure` and `tinytracker baselines`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from tinytracker.cli.types import ANY_NUMBER
from tinytracker.errors import UsageError

_F = TypeVar("_F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--power", "power_file", type=click.Path(path_type=Path),
        help="The power meter's file of the same run; or a meter to record: ppk2[:PORT], joulescope[:SERIAL], "
        "ina3221[:RAIL] (Jetson) or rapl[:DOMAIN] (PC).",
    ),
    click.option("--power-command", help="Program that records it until interrupted, with {file} for --power."),
    click.option("--voltage", type=ANY_NUMBER, help="Supply, V, for meters that record only the current."),
)  # fmt: skip


def power_options(command: _F) -> _F:
    """Add --power, --power-command and --voltage."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class Power:
    """What a power meter records during the measurement, if there is one.

    Attributes:
        file: the meter's, or the name of a meter; None without one.
        command: program that records it; None for a meter that is started by hand.
        voltage_v: supply, V; None when the meter records it.
    """

    file: Path | None
    command: str | None
    voltage_v: float | None

    def beside(self, session: Path) -> Power:
        """With the file and the recording program of a meter that is named; unchanged when a file is named.

        Raises:
            UsageError: a named meter and a recording command.
            MissingDependencyError: the meter's driver is not set up.
        """
        from tinytracker.measure.meters import named_meter

        found = None if self.file is None else named_meter(str(self.file), session, self.voltage_v)
        if found is None:
            return self
        if self.command is not None:
            raise UsageError(f"{self.file} has its own recording program.", "Omit --power-command.")
        file, command = found
        return Power(file, command, self.voltage_v)

    def recorded(self, session: Path) -> Power:
        """With the file that a named meter has recorded beside a session; unchanged when a file is named."""
        from tinytracker.measure.meters import recorded_file

        file = None if self.file is None else recorded_file(str(self.file), session)
        return self if file is None else Power(file, self.command, self.voltage_v)

    def recording(self) -> AbstractContextManager[None]:
        """Runs the meter's program around a block.

        Raises:
            UsageError: there is a program, and no file that it writes.
        """
        from tinytracker.measure.recorder import recorded_power

        if self.command is None:
            return nullcontext()
        if self.file is None:
            raise UsageError("The file that the recording command writes is not known.", "Give --power FILE.")
        return recorded_power(self.command, self.file)
