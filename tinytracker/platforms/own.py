"""Figures of the user's own for the table: what is not published, and what a meter showed.

[raspberry-pi]
power_w = 3.4
latency_ms = [11.0, 14.0]        # a range; the value is its middle
mark = "measured"
source = "our wall meter, Raspberry Pi 4, idle display"
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import ConfigError, UnknownNameError
from tinytracker.files import StrPath, read_bytes
from tinytracker.platforms.figure import Figure, Mark

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_KEYS = {"power_w": 1e3, "rest_w": 1e3, "latency_ms": 1.0, "energy_mj": 1.0, "error_cm": 1.0}
"""Factor to mW, ms, mJ and cm."""
_ABOVE_ZERO = ("latency_ms",)


@dataclass(frozen=True)
class OwnFigures:
    """One platform's section of the file, in mW, ms, mJ and cm; None for what it does not give."""

    power_mw: Figure | None = None
    rest_mw: Figure | None = None
    latency_ms: Figure | None = None
    energy_mj: Figure | None = None
    error_cm: Figure | None = None


def read_own(path: StrPath, platforms: tuple[str, ...]) -> dict[str, OwnFigures]:
    """Read a TOML file of one's own figures.

    Args:
        path: the file.
        platforms: names of the table's rows.

    Raises:
        ConfigError: not TOML, a key that is not known, or figures without mark or source.
        UnknownNameError: a section of no platform.
    """
    path = Path(path)
    try:
        document = tomllib.loads(read_bytes(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "", f"not TOML ({error})") from error
    found = {}
    for name, section in document.items():
        if name not in platforms:
            raise UnknownNameError("platform", name, platforms)
        found[name] = _section(path, name, section)
    return found


def _section(path: Path, name: str, section: Any) -> OwnFigures:
    if not isinstance(section, dict):
        raise ConfigError(
            str(path), name, "it is a value, not a section", f"Write [{name}] and keys below it."
        )
    known = (*_KEYS, "mark", "source")
    for key in section:
        if key not in known:
            raise ConfigError(str(path), f"{name}.{key}", "no such key", f"Known: {', '.join(known)}.")
    marks = [mark.value for mark in Mark]
    if section.get("mark") not in marks or not str(section.get("source", "")).strip():
        raise ConfigError(
            str(path), name, "figures without a mark and a source",
            f"Give mark = one of {', '.join(marks)}, and source = where they come from.",
        )  # fmt: skip
    mark, source = Mark(section["mark"]), str(section["source"]).strip()
    values = {
        key: _figure(path, f"{name}.{key}", section[key], factor, mark, source)
        for key, factor in _KEYS.items()
        if key in section
    }
    return OwnFigures(
        values.get("power_w"), values.get("rest_w"), values.get("latency_ms"), values.get("energy_mj"),
        values.get("error_cm"),
    )  # fmt: skip


def _figure(path: Path, key: str, given: Any, factor: float, mark: Mark, source: str) -> Figure:
    ends = given if isinstance(given, list) else [given, given]
    is_number = all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends)
    if len(ends) != 2 or not is_number or not 0 <= ends[0] <= ends[1] < 1e9:
        raise ConfigError(
            str(path), key, f"{given!r} is neither a number of 0 or more nor a range [low, high]"
        )
    if ends[0] == 0 and key.rpartition(".")[2] in _ABOVE_ZERO:
        raise ConfigError(str(path), key, f"{given!r}: nothing takes no time", "Give a number above 0.")
    low, high = (float(end) * factor for end in ends)
    return Figure((low + high) / 2, mark, source, low, high)
