"""Options of `tinytracker package --target neuromorphic`."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinytracker.errors import UnknownNameError

CHIPS = ("loihi2", "speck")
"""The same as in `tinytracker.package.neuromorphic.chips`, which imports numpy; this file is imported for --help."""


@dataclass(frozen=True)
class Options:
    """For which chip the package is.

    Attributes:
        chip: one of `CHIPS`: the one whose limits must be kept. The manifest says what the network needs on both.
    """

    chip: str = field(
        default="loihi2", metadata={"help": "Chip whose limits the network must keep: loihi2 or speck."}
    )

    def __post_init__(self) -> None:
        if self.chip not in CHIPS:
            raise UnknownNameError("chip", self.chip, CHIPS)
