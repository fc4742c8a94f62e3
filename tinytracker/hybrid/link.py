"""What crosses from the neuromorphic chip to the ordinary network, by form. Plain arithmetic on spikes.

Where the accumulator is decides what crosses: on the side of the ordinary network it takes spikes, on the chip's side
it sends codes. Each can be sparse, with an address of 16 bits for each item, or dense, with all neurons in order.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.hybrid.presets import OUTPUTS

ADDRESS_BYTES = 2
CODE_BYTES = 1
READOUT_BYTES = 4
"""Of one value of a readout: membranes have 24 bits."""


@dataclass(frozen=True)
class LinkBytes:
    """Mean bytes of a window, by what is sent.

    Attributes:
        addresses: one of each spike. bits: one for each neuron in each step.
        sparse_codes: address and code of each cell that is not empty. codes: all cells, in as few bits as the count of
            an interval needs.
    """

    addresses: float
    bits: float
    sparse_codes: float
    codes: float

    @property
    def least(self) -> tuple[str, float]:
        """Return the form with the fewest bytes, and these."""
        return min(asdict(self).items(), key=lambda item: item[1])


def link_bytes(spikes: NDArray[np.generic], interval: int) -> LinkBytes:
    """Return what crosses for spikes (steps, n, h, w, c), mean over the n windows."""
    steps, n = spikes.shape[:2]
    flat = spikes.reshape(steps, n, -1) != 0
    neurons = flat.shape[2]
    slots = steps // interval
    occupied = flat.reshape(slots, interval, n, neurons).any(1).sum() / n
    return LinkBytes(
        addresses=float(flat.sum() / n * ADDRESS_BYTES), bits=float(steps * -(-neurons // 8)),
        sparse_codes=float(occupied * (ADDRESS_BYTES + CODE_BYTES)),
        codes=float(slots * -(-neurons * interval.bit_length() // 8)),
    )  # fmt: skip


def readout_bytes(answers: int = 1) -> float:
    """Return the bytes of a network of spikes only, which sends its answer."""
    return float(answers * OUTPUTS * READOUT_BYTES)
