"""Supersampling of a part of the image: enlarged before drawing, averaged after."""

from __future__ import annotations

import numpy as np

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled


@compiled
def enlarged(part: Floats32, samples: int) -> Floats32:
    """Return the image (h, w, 3) with every pixel repeated: (h * samples, w * samples, 3)."""
    height, width, _ = part.shape
    fine = np.empty((height * samples, width * samples, 3), np.float32)
    for y in range(height * samples):
        for x in range(width):
            for i in range(samples):
                for c in range(3):
                    fine[y, x * samples + i, c] = part[y // samples, x, c]
    return fine


@compiled
def average_into(part: Floats32, fine: Floats32, samples: int) -> None:
    """Write the mean of each samples * samples block of `fine` to the pixels of `part` (h, w, 3), in place."""
    height, width, _ = part.shape
    share = F(1) / F(samples * samples)
    for y in range(height):
        for x in range(width):
            for c in range(3):
                total = F(0)
                for j in range(samples):
                    for i in range(samples):
                        total += fine[y * samples + j, x * samples + i, c]
                part[y, x, c] = total * share
