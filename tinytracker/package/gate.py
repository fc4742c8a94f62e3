"""The gate of a package: settings of `tinytracker cascade fit`, and the network that looks first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinytracker.cascade.document import CascadeSettings
from tinytracker.cascade.networks import require_aim
from tinytracker.cascade.thresholds import Thresholds
from tinytracker.errors import UsageError
from tinytracker.package.manifest import CascadeSection
from tinytracker.package.source import ModelSource, load_source
from tinytracker.progress import say

_QUANTIZED = "ptq-int8"
"""Quantized model of a run that looks first."""


@dataclass(frozen=True)
class Gate:
    """What runs in front of a packaged network.

    Attributes:
        thresholds: as they go into the firmware. little: network that looks first, or None.
    """

    thresholds: Thresholds
    little: ModelSource | None

    def as_section(self) -> CascadeSection:
        """Return what the manifest says about it."""
        return CascadeSection(
            strategy="flow" if self.little is None else "flow, little",
            thresholds=self.thresholds.numbers(),
            little_sha256=None if self.little is None else self.little.sha256,
        )


def gate_of(source: ModelSource, cascade: Path | None, little: Path | None = None) -> Gate | None:
    """Read the gate that --cascade and --little name; None without one.

    Args:
        source: the network behind the gate.
        cascade: file of `tinytracker cascade fit`, or None.
        little: network that looks first, a .tflite file or a run folder; or None.

    Raises:
        UsageError: `little` without `cascade`.
        InputFileError: a file is missing or damaged.
        ModelError: a network has no aim.
    """
    if cascade is None:
        if little is not None:
            raise UsageError("Without a gate, no network looks first.", "Give --cascade, or omit --little.")
        return None
    require_aim(source.model)
    settings = CascadeSettings.read(cascade)
    first = None if little is None else load_source(little, _QUANTIZED)
    if first is not None:
        require_aim(first.model)
    if settings.big_sha256 and source.sha256 not in (settings.big_sha256, settings.little_sha256):
        say(f"The thresholds of {cascade} were chosen for other networks; they are used as they are.")
    return Gate(settings.thresholds(little=first is not None), first)
