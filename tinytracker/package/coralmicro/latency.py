"""Expected duration of an inference on the board.

This is a model from published figures, not a measurement; docs/coral-latency.md has the figures and the error.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

FIXED_MS = 0.3
"""Smallest invoke seen over USB, dense layers of 256 to 2048 (LibrEdgeTPU's HARDWARE_ANALYSIS)."""

USB_BYTES_PER_MS = (32_000, 38_000)
"""USB 2 high speed, from Coral's benchmark of the same models over USB 2 and USB 3."""

MACS_PER_MS = (70e6, 215e6)
"""Half of what Coral's benchmark gives at 500 MHz for networks of 14 M and 570 M MACs: the board's clock is 250 MHz."""


@dataclass(frozen=True)
class Latency:
    """A range in ms per inference, and its parts."""

    low_ms: float
    high_ms: float
    transfer_ms: tuple[float, float]
    compute_ms: tuple[float, float]
    kind: str = "model"

    def as_json(self) -> dict[str, Any]:
        """Return the range for manifests."""
        return asdict(self)


def expected_latency(transferred_bytes: int, macs: int) -> Latency:
    """Return the expected time of one invoke after the first.

    Args:
        transferred_bytes: instructions, activations and streamed parameters over USB per inference.
        macs: multiply-accumulates of the network.
    """
    slow_usb, fast_usb = USB_BYTES_PER_MS
    slow, fast = MACS_PER_MS
    transfer = (round(transferred_bytes / fast_usb, 2), round(transferred_bytes / slow_usb, 2))
    compute = (round(macs / fast, 2), round(macs / slow, 2))
    low, high = (round(FIXED_MS + t + c, 2) for t, c in zip(transfer, compute, strict=True))
    return Latency(low, high, transfer, compute)
