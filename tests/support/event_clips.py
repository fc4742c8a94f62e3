"""Clips of made-up events, to be read, counted and shown."""

from pathlib import Path

import numpy as np

from tinytracker.events import Clip, Events, write_clip


def jumping_clip(folder: Path) -> Path:
    """A gaze that jumps by 8 degrees after 60 of 200 ms, events that are densest then, and a blink at the end."""
    rng = np.random.default_rng(0)
    quiet, busy = rng.integers(0, 200_000, 900), rng.integers(60_000, 100_000, 900)
    t = np.sort(np.concatenate([quiet, busy]))
    n = len(t)
    events = Events(
        rng.integers(30, 200, n).astype(np.uint16), rng.integers(80, 200, n).astype(np.uint16),
        rng.integers(0, 2, n).astype(np.uint8), t, 240, 320,
    )  # fmt: skip
    times = np.arange(0, 200_000, 2000)
    degrees = np.zeros((100, 2), np.float32)
    degrees[30:, 0] = 8.0
    eyes = np.tile(np.array([150, 125, 95, 125], np.float32), (100, 1))
    blink = np.where(times > 170_000, 1.0, 0.0).astype(np.float32)
    made = Clip(events, times, degrees / 2, degrees, eyes, blink, 500, 7, "train", 1, (74, 101, 96, 48))
    return write_clip(folder / "00007" / "clip-000.h5", made)
