"""What a frame costs on a device: multiplications, instructions, and modelled energy of the processor.

Instructions are emulated (benchmarks/results/cascade_device.csv). Energy is modelled: instructions × cycles per
instruction × energy per cycle. No cascade has been measured with a power meter yet; `tinytracker measure` and
`tinytracker energy` do that on a board.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_stats import model_stats

GATE_MACS = {"none": 0, "difference": 5_000, "flow": 150_000}
"""Multiplications of a measure per frame: products in the loops of tt_flow.c, counted by hand and rounded up."""

INSTRUCTIONS_PER_MAC = 1.19
"""Of generated code for a Cortex-M4, emulated: 5.64 M for the 4.76 M MACs of tinytracker-s2-aim (aim_device.csv)."""

CYCLES_PER_INSTRUCTION = 1.95
"""Modelled: docs/codegen.md, median for TinyTrackerS."""

JOULES_PER_CYCLE = 128.2e-12
"""Of a Spresense main core: 128.2 µW/MHz, published in a survey of face recognition on seven microcontrollers."""

CLOCK_HZ = 156e6


@dataclass(frozen=True)
class Costs:
    """What the parts of a frame cost.

    Attributes:
        big_macs, little_macs: multiplications of one inference.
        crop: instructions of a network's crop. strip: of the gate's. gate: of each measure.
    """

    big_macs: int
    little_macs: int
    crop: int = 2_370_000
    strip: int = 240_000
    flow: int = 663_000
    difference: int = 40_000

    @classmethod
    def of(cls, big: bytes, little: bytes) -> Costs:
        """Return the costs of two networks, contents of .tflite files."""
        return cls(model_stats(read_tflite(big)).macs, model_stats(read_tflite(little)).macs)

    def network(self, macs: int) -> float:
        """Return the instructions of one inference with its crop."""
        return self.crop + INSTRUCTIONS_PER_MAC * macs

    def macs(self, measure: str, big: float, little: float) -> float:
        """Return multiplications per frame: `big` and `little` are inferences per frame."""
        return GATE_MACS[measure] + big * self.big_macs + little * self.little_macs

    def instructions(self, measure: str, big: float, little: float) -> float:
        """Return instructions per frame, with crops."""
        gate = {"none": 0, "difference": self.strip + self.difference, "flow": self.strip + self.flow}[
            measure
        ]
        return gate + big * self.network(self.big_macs) + little * self.network(self.little_macs)


def microjoules(instructions: float) -> float:
    """Return the modelled energy of a Spresense main core, µJ."""
    return instructions * CYCLES_PER_INSTRUCTION * JOULES_PER_CYCLE * 1e6


def frames_of(instructions: float, rate: float) -> float:
    """Return how many frames an amount of work takes on a Spresense main core, modelled."""
    return instructions * CYCLES_PER_INSTRUCTION / CLOCK_HZ * rate
