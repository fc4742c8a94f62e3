"""Clips of a disc that jumps: what it leaves goes off, what it reaches goes on. Quick to make and easy to learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinytracker.events import Clip, Events, write_clip
from tinytracker.synth.subject import split_of

WIDTH, HEIGHT = 96, 64
STRIP = (16, 16, 64, 32)
STEP_US = 5_000


def toy_clip(subject: int, number: int = 0, steps: int = 40) -> Clip:
    """A clip of `steps` times 5 ms in which the disc jumps every 60 to 100 ms, within 20 ms."""
    rng = np.random.default_rng([subject, number])
    place = np.zeros((steps + 1, 2))
    here, t = np.zeros(2), int(rng.integers(2, 8))
    while t + 4 < steps:
        there = rng.uniform((-5, -3), (5, 3))
        place[t : t + 5] = here + (there - here) * np.linspace(0, 1, 5)[:, None]
        place[t + 5 :] = here = there
        t += int(rng.integers(12, 20))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    columns_of = {"x": [], "y": [], "p": [], "t": []}
    before = None
    for k, (dx, dy) in enumerate(place):
        disc = (columns - 48 - 2 * dx) ** 2 + (rows - 32 - 2 * dy) ** 2 < 36
        if before is not None:
            for polarity, changed in ((1, disc & ~before), (0, before & ~disc)):
                y, x = np.nonzero(changed)
                times = (k - 1) * STEP_US + rng.integers(0, STEP_US, len(x))
                for name, values in zip("xypt", (x, y, np.full(len(x), polarity), times), strict=True):
                    columns_of[name].append(values)
        before = disc
    joined = {name: np.concatenate(values) for name, values in columns_of.items()}
    order = np.argsort(joined["t"], kind="stable")
    events = Events(
        joined["x"][order].astype(np.uint16), joined["y"][order].astype(np.uint16),
        joined["p"][order].astype(np.uint8), joined["t"][order].astype(np.int64), WIDTH, HEIGHT,
    )  # fmt: skip
    n = steps + 1
    return Clip(
        events, np.arange(n, dtype=np.int64) * STEP_US, place.astype(np.float32), np.zeros((n, 2), np.float32),
        np.zeros((n, 4), np.float32), np.zeros(n, np.float32), 200, subject, split_of(subject), 0, STRIP,
    )  # fmt: skip


def write_toy_clips(folder: Path, subjects: int = 50, number: int = 1) -> Path:
    """A folder of clips as `tinytracker synth-events` lays it out."""
    for subject in range(subjects):
        for k in range(number):
            write_clip(folder / f"{subject:05d}" / f"clip-{k:03d}.h5", toy_clip(subject, k))
    return folder
