"""From light to bytes: lens and motion blur, exposure, colour balance, noise, tone curve, sharpening."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.synth.jit import compiled

Floats = NDArray[np.float32]
F = np.float32

_STEPS = 4096
_CEILING = 4.0


def _tone_curve() -> Floats:
    """Display value 0..255 of linear signal 0.._CEILING: the sRGB curve after a soft shoulder.

    Steps are even in the square root of the signal, so that the dark end is as fine as the bright one.
    """
    linear = (np.linspace(0, 1, _STEPS) ** 2) * _CEILING
    knee = 0.6
    soft = np.where(linear < knee, linear, knee + (1 - knee) * (1 - np.exp(-(linear - knee) / (1 - knee))))
    shown = np.where(soft <= 0.0031308, 12.92 * soft, 1.055 * np.maximum(soft, 1e-9) ** (1 / 2.4) - 0.055)
    return (shown * 255).astype(np.float32)


TONE: Floats = _tone_curve()

NOISE_SIDE = 1024
NOISE: Floats = np.random.default_rng(13).standard_normal((NOISE_SIDE, NOISE_SIDE)).astype(np.float32)
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
    image: Floats,
    gain: Floats,
    vignette: float,
    shot: float,
    read: float,
    sharpening: float,
    noise: Floats,
    key: int,
    tone: Floats,
) -> NDArray[np.uint8]:
    """Linear light (h, w, 3) to 8-bit RGB.

    Args:
        image: after blur. gain: (3,) exposure times colour balance. vignette: loss in the corners, 0..1.
        shot: variance per signal. read: deviation at zero signal. sharpening: strength of the unsharp mask.
        noise: table of normal numbers. key: which of them this frame reads. tone: the display curve.
    """
    height, width, _ = image.shape
    shown = np.empty((height, width, 3), F)
    side = noise.shape[0]
    middle_x, middle_y = F(width / 2), F(height / 2)
    norm = F(1) / (middle_x * middle_x + middle_y * middle_y)
    steps = F(tone.shape[0] - 1)
    for y in range(height):
        shift_y = (y * 7 + key * 131) % side
        for x in range(width):
            dx, dy = x - middle_x, y - middle_y
            falloff = F(1) - vignette * (dx * dx + dy * dy) * norm
            grain = noise[shift_y, (x + key * 617 + (y * 389)) & (side - 1)]
            for c in range(3):
                signal = image[y, x, c] * gain[c] * falloff
                # Half of the noise is common to the colours: cameras suppress chroma noise.
                own = noise[
                    (shift_y + 173 * (c + 1)) % side, (x + key * 353 + (y * 631) + 97 * c) & (side - 1)
                ]
                deviation = math.sqrt(max(signal, F(0)) * shot + read * read)
                signal += deviation * (F(0.8) * grain + F(0.6) * own)
                at = math.sqrt(min(max(signal, F(0)), F(4)) * F(0.25)) * steps
                i = min(int(at), tone.shape[0] - 2)
                shown[y, x, c] = tone[i] + (tone[i + 1] - tone[i]) * (at - i)
    result = np.empty((height, width, 3), np.uint8)
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            for c in range(3):
                value = shown[y, x, c]
                around = F(0.25) * (
                    shown[above, x, c] + shown[below, x, c] + shown[y, left, c] + shown[y, right, c]
                )
                value += sharpening * (value - around)
                result[y, x, c] = np.uint8(min(max(value + F(0.5), F(0)), F(255)))
    return result
