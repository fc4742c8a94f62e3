"""From light to bytes: lens and motion blur, exposure, colour balance, noise, tone curve, sharpening."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.synth.jit import compiled

Floats = NDArray[np.float32]
F: Any = np.float32

_STEPS = 4096
CEILING = 4.0
"""Signal at which everything is white."""


def _tone_curve() -> Floats:
    """Display value 0..255 of linear signal 0..CEILING: the sRGB curve after a soft shoulder.

    Steps are even in the square root of the signal, so that the dark end is as fine as the bright one.
    """
    linear = (np.linspace(0, 1, _STEPS) ** 2) * CEILING
    knee = 0.6
    soft = np.where(linear < knee, linear, knee + (1 - knee) * (1 - np.exp(-(linear - knee) / (1 - knee))))
    shown = np.where(soft <= 0.0031308, 12.92 * soft, 1.055 * np.maximum(soft, 1e-9) ** (1 / 2.4) - 0.055)
    return (shown * 255).astype(np.float32)


TONE: Floats = _tone_curve()

NOISE: Floats = np.random.default_rng(13).standard_normal(1 << 20).astype(np.float32)
"""Normal numbers; each frame reads them from other places."""


def blur_kernel(sigma: float) -> Floats:
    """Half of a normalised Gaussian: centre first."""
    radius = max(1, math.ceil(2.5 * sigma))
    half = np.exp(-0.5 * (np.arange(radius + 1) / max(sigma, 1e-3)) ** 2)
    return (half / (2 * half.sum() - half[0])).astype(np.float32)


@compiled
def blur(image: Floats, across: Floats, down: Floats) -> Floats:
    """Separable symmetric blur of (h, w, 3); edges repeat."""
    height, width, _ = image.shape
    result = np.empty_like(image)
    row = np.empty((width, 3), F)
    n_down, n_across = down.shape[0], across.shape[0]
    for y in range(height):
        for x in range(width):
            for c in range(3):
                row[x, c] = image[y, x, c] * down[0]
        for k in range(1, n_down):
            above, below = max(y - k, 0), min(y + k, height - 1)
            for x in range(width):
                for c in range(3):
                    row[x, c] += (image[above, x, c] + image[below, x, c]) * down[k]
        for x in range(width):
            for c in range(3):
                result[y, x, c] = row[x, c] * across[0]
        for k in range(1, n_across):
            for x in range(width):
                left, right = max(x - k, 0), min(x + k, width - 1)
                for c in range(3):
                    result[y, x, c] += (row[left, c] + row[right, c]) * across[k]
    return result


@compiled
def expose(
    image: Floats, gain: Floats, vignette: float, shot: float, read: float, sharpening: float, noise: Floats, key: int,
    tone: Floats,
) -> NDArray[np.uint8]:  # fmt: skip
    """Linear light (h, w, 3) to 8-bit RGB.

    Args:
        image: after blur. gain: (3,) exposure times colour balance. vignette: loss in the corners, 0..1.
        shot: variance per signal. read: deviation at zero signal. sharpening: strength of the unsharp mask.
        noise: table of normal numbers, longer than a few rows. key: which of them this frame reads.
        tone: the display curve.
    """
    height, width, _ = image.shape
    shown = np.empty((height, width, 3), np.float32)
    row = np.empty(width, np.float32)
    last = F(tone.shape[0] - 1)
    room = noise.shape[0] - width - 1
    norm = F(4) / F(width * width + height * height)
    for y in range(height):
        # Rows start at scattered places of the table; 4 numbers per pixel, one of them common to the colours, since
        # cameras suppress noise of colour more than of brightness.
        place = (key * 7919 + y) * 40503
        common = place % room
        dy = F(y) - F(height) * F(0.5)
        for c in range(3):
            own = (place + (c + 1) * 271829) % room
            for x in range(width):
                dx = F(x) - F(width) * F(0.5)
                signal = max(image[y, x, c] * gain[c] * (F(1) - vignette * (dx * dx + dy * dy) * norm), F(0))
                grain = F(0.85) * noise[common + x] + F(0.5) * noise[own + x]
                signal = max(signal + math.sqrt(signal * shot + read * read) * grain, F(0))
                row[x] = min(math.sqrt(signal * F(1 / CEILING)) * last, last)
            for x in range(width):
                shown[y, x, c] = tone[int(row[x])]
    result = np.empty((height, width, 3), np.uint8)
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            for c in range(3):
                value = shown[y, x, c]
                around = shown[above, x, c] + shown[below, x, c] + shown[y, left, c] + shown[y, right, c]
                value += sharpening * (value - F(0.25) * around)
                result[y, x, c] = np.uint8(min(max(value + F(0.5), F(0)), F(255)))
    return result
