"""Options of `tinytracker package --target spresense`."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinytracker.errors import UnknownNameError

RUNTIMES = ("tflm", "c")
"""The model as an array for TensorFlow Lite for Microcontrollers, or generated C without any dependency."""


@dataclass(frozen=True)
class Options:
    """How the network runs on the board.

    Attributes:
        runtime: one of `RUNTIMES`.
    """

    runtime: str = field(default="tflm", metadata={"help": "tflm (array for TFLM) or c (generated C)."})

    def __post_init__(self) -> None:
        if self.runtime not in RUNTIMES:
            raise UnknownNameError("runtime", self.runtime, RUNTIMES)
