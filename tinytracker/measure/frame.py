"""What a board or camera gives while it is measured: frames, losses, clock exchanges, and the bytes behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tinytracker.measure.protocol import Aimed, Damaged, Gated, Lost


@dataclass(frozen=True)
class Frame:
    """A frame that arrived whole.

    Attributes:
        sequence: number since the board's start.
        stamps: start of each phase of `Board.phases` and end of the last, in ticks.
        outputs: raw outputs. gaze_cm: decoded, x to the right and y up from the camera in cm; None when the first
            output is not a pair. It is the network's own answer: the caller applies a person's correction, if any.
        host_ns: when it had arrived, `host_clock.now_ns()`.
        extra: further numbers by name; boards with a serial line have none.
        aim: which region of the whole frame the network saw, for a board that aims.
        gated: what its gate did, for a board with one.
    """

    sequence: int
    stamps: tuple[int, ...]
    outputs: bytes
    gaze_cm: tuple[float, float] | None
    host_ns: int
    extra: Mapping[str, float] | None = None
    aim: Aimed | None = None
    gated: Gated | None = None


FrameEvent: TypeAlias = "Frame | Lost | Damaged"


@dataclass(frozen=True)
class Exchange:
    """A clock exchange: host sends, device receives, device answers (ticks), host receives (ns); see `clock`."""

    sent_ns: int
    received_ticks: int
    answered_ticks: int
    arrived_ns: int


@dataclass(frozen=True)
class RawBytes:
    """What went over the line in one piece: a command that was sent, or bytes that arrived."""

    direction: Literal["sent", "received"]
    data: bytes
    host_ns: int
