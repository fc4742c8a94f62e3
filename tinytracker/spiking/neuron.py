"""What a spiking neuron does in one time step, as data. Plain numbers, no TensorFlow.

In each step, in this order:

    u = decay(u, current_decay) + weight_shift * (sum of weights of the spikes that arrive)
    v = decay(v, voltage_decay) + u + bias                    limited to `bits` bits
    spikes = 1, or v // threshold with `several`,             where v >= threshold (or v > threshold)
    v = v - spikes * threshold, or 0, or unchanged            where it fired
    v = max(v, lowest)

`decay(x, d)` is `sign(x) * (|x| * (4096 - d) >> 12)`, the rounding of Loihi 2's fixed-point models. With a current
decay of 4096 and a voltage decay of 0 this is integrate and fire.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tinytracker.errors import UsageError

Reset = Literal["subtract", "zero"]
Compare = Literal[">=", ">"]
Floor = Literal["none", "threshold"]
Start = Literal["half", "zero"]

DECAY_ONE = 4096
"""The decay that leaves nothing."""


@dataclass(frozen=True)
class NeuronRule:
    """The behaviour of all neurons of a network, except for those of the readout, which only integrate.

    Attributes:
        reset: after a spike, subtract the threshold (soft) or set the membrane to zero (hard).
        compare: whether a membrane equal to the threshold fires.
        floor: lowest membrane: none, or minus the threshold.
        several: whether a neuron may fire more than once in a step: as often as the threshold fits.
        start: membrane before the first step: half of the threshold, or zero.
        delay: steps from a spike to its arrival, 0 or 1. With 0 all layers take part in the same step.
        current_decay, voltage_decay: share that is lost in each step, in 4096ths.
        weight_shift: power of two by which weights are multiplied on arrival; thresholds and biases are given in the
            larger unit.
        bits: size of the membrane with its sign, at whose ends it saturates; 0 for no limit.
    """

    reset: Reset = "subtract"
    compare: Compare = ">="
    floor: Floor = "threshold"
    several: bool = False
    start: Start = "half"
    delay: int = 0
    current_decay: int = DECAY_ONE
    voltage_decay: int = 0
    weight_shift: int = 0
    bits: int = 0

    def __post_init__(self) -> None:
        known: dict[str, tuple[object, ...]] = {
            "reset": ("subtract", "zero"), "compare": (">=", ">"), "floor": ("none", "threshold"),
            "start": ("half", "zero"), "delay": (0, 1), "several": (False, True),
        }  # fmt: skip
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise UsageError(
                    f"A neuron's {name} is {getattr(self, name)!r}.",
                    f"Known: {', '.join(map(repr, values))}.",
                )
        for name, top in (("current_decay", DECAY_ONE), ("voltage_decay", DECAY_ONE), ("bits", 62)):
            if not 0 <= getattr(self, name) <= top:
                raise UsageError(f"A neuron's {name} is {getattr(self, name)}.", f"It must be 0 to {top}.")

    def as_json(self) -> dict[str, Any]:
        """Return all fields, JSON-able."""
        return asdict(self)


CONVERTED = NeuronRule()
"""Of converted networks: integrate and fire with soft reset; sinabs' neurons (`IAF` with `SingleSpike`) do the same."""

LAVA_LIF = NeuronRule(
    reset="zero", compare=">", floor="none", start="zero", delay=1, current_decay=DECAY_ONE, weight_shift=6, bits=24
)  # fmt: skip
"""Of Lava's fixed-point model of Loihi 2 (`PyLifModelBitAcc`), with a current that lasts one step and no leak."""
