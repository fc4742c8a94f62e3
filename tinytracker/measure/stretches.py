"""Baselines: named stretches in which a device does one thing throughout."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tinytracker.measure.host_clock import now_ns
from tinytracker.progress import say

CAMERA_OFF, STREAMING, RUNNING = "camera-off", "streaming", "running"
BASELINES = (CAMERA_OFF, STREAMING, RUNNING)
"""Camera off; camera streaming without a network; camera streaming and the network running. In this order: a network
that was loaded may stay in the sensor."""

SECONDS = 6.0
SETTLE_S = 1.0
"""After a camera has started: exposure and white balance settle meanwhile."""


@dataclass(frozen=True)
class Stretch:
    """A stretch, in the host's time.

    Attributes:
        name: one of `BASELINES`.
        begin_ns, end_ns: from and to.
    """

    name: str
    begin_ns: int
    end_ns: int


def watch(name: str, seconds: float = SECONDS) -> Stretch:
    """Let the device be as it is for a while."""
    say(f"{seconds:g} s of baseline: {name}")
    begin = now_ns()
    time.sleep(seconds)
    return Stretch(name, begin, now_ns())
