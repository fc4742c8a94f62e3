"""Reads the converter's memory report."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import InputFileError
from tinytracker.files import read_json


@dataclass(frozen=True)
class MemoryReport:
    """Use of the sensor's memory, in bytes.

    Attributes:
        model: weights. runtime: activations. reserved: reserved by the sensor. used: all three.
        available: memory of the sensor.
        fits: the converter's verdict.
    """

    model: int
    runtime: int
    reserved: int
    used: int
    available: int
    fits: bool

    @property
    def used_percent(self) -> float:
        """Return the share of the sensor's memory in percent."""
        return 100 * self.used / self.available

    def as_json(self) -> dict[str, Any]:
        """Return the fields for manifests; keys name the unit."""
        sizes = {f"{k}_bytes": v for k, v in asdict(self).items() if k != "fits"}
        return {**sizes, "used_percent": round(self.used_percent, 2), "fits": self.fits}


def read_memory_report(path: Path) -> MemoryReport:
    """Read a `*_MemoryReport.json`.

    Raises:
        InputFileError: the file is missing or not as expected.
    """
    document = read_json(path)
    try:
        report = document["Memory Report"]
        found = MemoryReport(
            model=_bytes(report["Model Memory Physical Size"]),
            runtime=_bytes(report["Runtime Memory Physical Size"]),
            reserved=_bytes(report["Reserved Memory"]),
            used=_bytes(report["Memory Usage"]),
            available=_bytes(report["Total Memory Available On Chip"]),
            fits=bool(report["Fit In Chip"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputFileError(path, f"not a memory report of the converter ({error})") from None
    if found.available < 1:
        raise InputFileError(path, "the report claims that the sensor has no memory")
    return found


_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20}


def _bytes(text: object) -> int:
    """Return the bytes of "214016B" or "8.00MB"."""
    match = isinstance(text, str) and re.fullmatch(r"([0-9.]+)\s*(B|KB|MB)", text.strip())
    if not match:
        raise ValueError(f"size {text!r}")
    return round(float(match[1]) * _UNITS[match[2]])
