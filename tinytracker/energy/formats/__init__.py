"""Readers of power meters' files. Each format is one module here, registered by one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tinytracker.energy.trace import Trace
from tinytracker.errors import InputFileError, UnknownNameError, UsageError
from tinytracker.files import opened_for_reading

__all__ = ["FORMATS", "Format", "read_trace"]

_HEAD_BYTES = 4096


@dataclass(frozen=True)
class Format:
    """A meter's file format.

    Attributes:
        name: as the command line knows it. summary: one line.
        module: holds `matches(path, head) -> bool` and `read(path, options) -> Trace`; imported when it is used.
    """

    name: str
    summary: str
    module: str


FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("ppk2", "Nordic Power Profiler, saved session (.ppk2)", "tinytracker.energy.formats.ppk2"),
        Format("ppk2-csv", "Nordic Power Profiler, CSV export", "tinytracker.energy.formats.ppk2_csv"),
        Format("jls", "Joulescope recording, JLS version 2", "tinytracker.energy.formats.jls"),
        Format(
            "energyrunner",
            "EEMBC EnergyRunner, energy trace (.bin)",
            "tinytracker.energy.formats.energyrunner",
        ),
        Format(
            "sysfs", "INA3221 or RAPL, recorded by tinytracker measure", "tinytracker.energy.formats.sysfs"
        ),
        Format("lpm01a", "ST X-NUCLEO-LPM01A, text log", "tinytracker.energy.formats.lpm01a"),
        Format("otii-csv", "Qoitech Otii, CSV export", "tinytracker.energy.formats.otii"),
        Format("csv", "CSV whose header names units", "tinytracker.energy.formats.csv"),
    )
}


@dataclass(frozen=True)
class ReadOptions:
    """What a file may not state itself.

    Attributes:
        voltage_v: supply voltage for meters that record the current alone.
        full_scale_a: end of the meter's range; None for what the format implies.
    """

    voltage_v: float | None = None
    full_scale_a: float | None = None


def read_trace(
    path: Path | str,
    format_name: str | None = None,
    *,
    voltage_v: float | None = None,
    full_scale_a: float | None = None,
) -> Trace:
    r"""Read a power meter's file.

    Args:
        path: the file.
        format_name: one of `FORMATS`; None to find it by the content.
        voltage_v: supply voltage, V, for files that hold the current alone. Replaces what the file says.
        full_scale_a: end of the meter's range, A, so that clipped samples are noticed.

    Raises:
        InputFileError: the file is missing, damaged or of no known format.
        UnknownNameError: no such format.
        UsageError: the file has no voltage and none was given.
        MissingDependencyError: the format needs a package that is not installed.

    Example:
        >>> from pathlib import Path
        >>> from tinytracker.energy import read_trace
        >>> lines = ["time_s,current_mA", *(f"{k / 1000},{20 + k % 2}" for k in range(100))]
        >>> _ = Path("meter.csv").write_text("\n".join([*lines, ""]))
        >>> trace = read_trace("meter.csv", voltage_v=3.3)
        >>> len(trace), round(trace.rate_hz), trace.voltage_v
        (100, 1000, 3.3)
    """
    path = Path(path)
    for name, value in (("voltage", voltage_v), ("full scale", full_scale_a)):
        if value is not None and not 0 < value < 1e6:
            raise UsageError(f"{value:g} is not a valid {name}.", "Give a positive number in V or A.")
    with opened_for_reading(path) as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise InputFileError(path, "the file is empty")
    if format_name is not None and format_name not in FORMATS:
        raise UnknownNameError("format", format_name, FORMATS)
    read: Callable[[Path, ReadOptions], Trace]
    for known in FORMATS.values() if format_name is None else [FORMATS[format_name]]:
        module = import_module(known.module)
        if format_name is not None or module.matches(path, head):
            read = module.read
            return read(path, ReadOptions(voltage_v, full_scale_a))
    raise InputFileError(
        path,
        "not a known power meter's file",
        f"Known formats: {', '.join(FORMATS)}. A CSV needs a header such as time_s,current_mA,voltage_V,D0,D1.",
    )


def voltage_or_fail(path: Path, options: ReadOptions) -> float:
    """The voltage that was given.

    Raises:
        UsageError: when none was.
    """
    if options.voltage_v is None:
        raise UsageError(
            f"{path}: the file holds the current, but not the voltage.",
            "Give the supply with --voltage, in V.",
        )
    return float(options.voltage_v)
