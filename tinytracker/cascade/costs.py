"""What a frame costs on a device: instructions and energy, from measured, emulated and published numbers.

Energy is modelled: time at a clock × power of a busy and of a waiting processor. No cascade has been measured with a
power meter yet; `tinytracker measure` and `tinytracker energy` do that on a board.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Costs:
    """What the parts of a frame cost.

    Attributes:
        big_macs, little_macs, flow_macs, difference_macs: multiplications per frame.
        big, little: instructions per inference with its crop. flow, difference: per frame, with the gate's crop.
    """

    big_macs: int
    little_macs: int
    flow_macs: int
    difference_macs: int
    big: int
    little: int
    flow: int
    difference: int

    def gate(self, measure: str) -> int:
        """Return a measure's instructions per frame."""
        return {"none": 0, "difference": self.difference, "flow": self.flow}[measure]

    def gate_macs(self, measure: str) -> int:
        """Return a measure's multiplications per frame."""
        return {"none": 0, "difference": self.difference_macs, "flow": self.flow_macs}[measure]
