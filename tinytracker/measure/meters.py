"""Power meters that are recorded by name: the program that records each, and its kind of file."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinytracker.measure.recorder import FILE


@dataclass(frozen=True)
class Meter:
    """A meter that `--power NAME` records.

    Attributes:
        name: as the command line knows it. suffix: of its files.
        command: makes the recording program's command, with `{file}` in it, of a port ("" for the only meter) and the
            supply in V.
        setup: module with `setup(folder, python)`, `status()` and `parts()`, for a driver that needs an environment of
            its own.
        setup_summary: what that installs.
    """

    name: str
    suffix: str
    command: Callable[[str, float | None], list[str]]
    setup: str = ""
    setup_summary: str = ""


def _ppk2(port: str, voltage_v: float | None) -> list[str]:
    words = [sys.executable, "-m", "tinytracker.measure.ppk2.record", FILE]
    words += ["--port", port] if port else []
    return words + (["--voltage", str(voltage_v)] if voltage_v is not None else [])


def _joulescope(port: str, voltage_v: float | None) -> list[str]:
    from tinytracker.measure.joulescope.environment import require_driver

    words = [
        str(require_driver()),
        "-m",
        "pyjoulescope_driver",
        "record",
        "--signals",
        "current,voltage,0,1,2",
    ]
    return words + (["--serial_number", port] if port else []) + [FILE]


def _sysfs(source: str) -> Callable[[str, float | None], list[str]]:
    """The command that records one of this computer's own meters."""

    def command(rail: str, voltage_v: float | None) -> list[str]:
        words = [sys.executable, "-m", "tinytracker.measure.sysfs.record", FILE, "--source", source]
        return words + (["--rail", rail] if rail else [])

    return command


METERS = {
    meter.name: meter
    for meter in (
        Meter("ppk2", ".ppk2", _ppk2),
        Meter(
            "joulescope", ".jls", _joulescope,
            setup="tinytracker.measure.joulescope.environment",
            setup_summary="Joulescope's driver (0.1 GB)",
        ),
        Meter("ina3221", ".power.csv", _sysfs("ina3221")),
        Meter("rapl", ".power.csv", _sysfs("rapl")),
    )
}  # fmt: skip
"""By the name that `--power` takes."""


def recorded_file(power: str, session: Path) -> Path | None:
    """The file that a named meter has recorded beside a session; None when `--power` names a file itself."""
    meter = METERS.get(power.partition(":")[0])
    return None if meter is None else session.with_suffix(meter.suffix)


def named_meter(power: str, session: Path, voltage_v: float | None) -> tuple[Path, str] | None:
    """The file beside the session and the recording command, when `--power` names a meter and not a file.

    Args:
        power: "ppk2", "ppk2:PORT", "joulescope", "joulescope:SERIAL_NUMBER", "ina3221:RAIL", "rapl", or a path.
        session: file of the measurement.
        voltage_v: supply of the board, V.

    Raises:
        MissingDependencyError: the meter's driver is not set up.
    """
    name, _, port = power.partition(":")
    file = recorded_file(power, session)
    return None if file is None else (file, shlex.join(METERS[name].command(port, voltage_v)))
