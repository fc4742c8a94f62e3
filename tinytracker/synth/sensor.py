"""The camera, from light to bytes: lens and motion blur, exposure, white balance, noise, tone curve, sharpening."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled
from tinytracker.synth.sitting import Exposure, Sensor

_STEPS = 4096
CEILING = 4.0
"""Signal that maps to white."""


def tone_curve(contrast: float) -> Floats32:
    """Return the display value 0..255 for linear signals 0..CEILING: the sRGB curve after a soft shoulder.

    `contrast` bends it into an S, as phones do: 0 not at all, 1 fully; negative values flatten it.

    Steps are uniform in the square root of the signal, so that dark values are resolved as finely as bright ones.
    """
    linear = (np.linspace(0, 1, _STEPS) ** 2) * CEILING
    knee = 0.6
    soft = np.where(linear < knee, linear, knee + (1 - knee) * (1 - np.exp(-(linear - knee) / (1 - knee))))
    shown = np.where(soft <= 0.0031308, 12.92 * soft, 1.055 * np.maximum(soft, 1e-9) ** (1 / 2.4) - 0.055)
    bent = shown + contrast * (shown * shown * (3 - 2 * shown) - shown)
    curve: Floats32 = (np.clip(bent, 0, 1) * 255).astype(np.float32)
    return curve


def _grain(pixels: int) -> Floats32:
    """Return unit noise for `pixels` pixels, flat RGB; part of it is common to all colours.

    Cameras suppress colour noise more than brightness noise.
    """
    rng = np.random.default_rng(13)
    common, own = rng.standard_normal((pixels, 1)), rng.standard_normal((pixels, 3))
    grain: Floats32 = (0.85 * common + 0.5 * own).astype(np.float32).ravel()
    return grain


GRAIN_PIXELS = 1 << 19
GRAIN: Floats32 = _grain(GRAIN_PIXELS)
"""Noise table; every row of every frame reads it at a different offset."""


def blur_kernel(sigma: float) -> Floats32:
    """Return half of a normalized Gaussian kernel, centre first."""
    radius = max(1, math.ceil(2 * sigma - 0.3))
    half = np.exp(-0.5 * (np.arange(radius + 1) / max(sigma, 1e-3)) ** 2)
    kernel: Floats32 = (half / (2 * half.sum() - half[0])).astype(np.float32)
    return kernel


@compiled
def blur(image: Floats32, across: Floats32, down: Floats32) -> Floats32:
    """Blur (h, w, 3) by a separable symmetric kernel, given as half kernels of at least two values; edges repeat."""
    height, width, _ = image.shape
    length = 3 * width
    flat = image.reshape(height, length)
    result = np.empty((height, length), np.float32)
    pad = 3 * (across.shape[0] - 1)
    row = np.empty(length + 2 * pad, np.float32)
    middle = row[pad : pad + length]
    for y in range(height):
        here, above, below, weight = flat[y], flat[max(y - 1, 0)], flat[min(y + 1, height - 1)], down[1]
        for i in range(length):
            middle[i] = here[i] * down[0] + (above[i] + below[i]) * weight
        for k in range(2, down.shape[0]):
            above, below, weight = flat[max(y - k, 0)], flat[min(y + k, height - 1)], down[k]
            for i in range(length):
                middle[i] += (above[i] + below[i]) * weight
        for i in range(pad):
            row[i] = row[pad + i % 3]
            row[pad + length + i] = row[pad + length - 3 + i % 3]
        out, weight = result[y], across[1]
        left, right = row[pad - 3 : pad - 3 + length], row[pad + 3 : pad + 3 + length]
        for i in range(length):
            out[i] = middle[i] * across[0] + (left[i] + right[i]) * weight
        for k in range(2, across.shape[0]):
            start, weight = pad - 3 * k, across[k]
            left, right = row[start : start + length], row[pad + 3 * k : pad + 3 * k + length]
            for i in range(length):
                out[i] += (left[i] + right[i]) * weight
    return result.reshape(height, width, 3)


@compiled
def expose(
    image: Floats32,
    gain: Floats32,
    vignette: float,
    shot: float,
    read: float,
    sharpening: float,
    grain: Floats32,
    key: int,
    tone: Floats32,
) -> NDArray[np.uint8]:
    """Convert linear light (h, w, 3) to 8-bit RGB.

    Args:
        image: after blur.
        gain: (3,) exposure times white balance.
        vignette: loss in the corners, 0..1.
        shot: shot noise, variance per unit of signal.
        read: read noise, standard deviation at zero signal.
        sharpening: strength of the unsharp mask.
        grain: unit noise, flat RGB, longer than a few rows.
        key: selects the part of the noise that this frame reads.
        tone: the display curve over the square root of the signal.
    """
    height, width, _ = image.shape
    length = 3 * width
    flat = image.reshape(height, length)
    shown = np.empty((height, length), np.float32)
    at, steps = np.empty(length, np.float32), np.empty(length, np.int32)
    fall_x = np.empty(length, np.float32)
    weight = np.empty(length, np.float32)
    norm = F(4) * vignette / F(width * width + height * height)
    for x in range(width):
        dx = F(x) - F(width) * F(0.5)
        for c in range(3):
            fall_x[3 * x + c] = dx * dx * norm
            weight[3 * x + c] = gain[c]
    last = F(tone.shape[0] - 1)
    to_index = last * math.sqrt(F(1 / CEILING))
    floor = read * read
    room = grain.shape[0] // 3 - width
    for y in range(height):
        start = 3 * (((key * 7919 + y) * 40503) % room)
        # Slices instead of sums of indices, which the compiler cannot prove to be non-negative.
        light, noise = flat[y], grain[start : start + length]
        dy = F(y) - F(height) * F(0.5)
        fall_y = F(1) - dy * dy * norm
        for i in range(length):
            signal = max(light[i] * weight[i] * (fall_y - fall_x[i]), F(0))
            signal = max(signal + math.sqrt(signal * shot + floor) * noise[i], F(0))
            steps[i] = np.int32(min(math.sqrt(signal) * to_index, last))
        row = shown[y]
        for i in range(length):
            # NaN becomes black instead of an index outside the table.
            row[i] = tone[max(steps[i], 0)]
    result = np.empty((height, length), np.uint8)
    centre, side = F(1) + sharpening, F(-0.25) * sharpening
    inside = length - 6
    for y in range(height):
        row, above, below, out = shown[y], shown[max(y - 1, 0)], shown[min(y + 1, height - 1)], result[y]
        for i in range(length):
            at[i] = row[i] * centre + (above[i] + below[i]) * side
        for i in range(3):
            at[i] += (row[i] + row[i + 3]) * side
            at[length - 1 - i] += (row[length - 1 - i] + row[length - 4 - i]) * side
        middle, left, right = at[3 : 3 + inside], row[:inside], row[6 : 6 + inside]
        for i in range(inside):
            middle[i] += (left[i] + right[i]) * side
        for i in range(length):
            out[i] = np.uint8(np.int32(min(max(at[i] + F(0.5), F(0)), F(255))))
    return result.reshape(height, width, 3)


FACE_LEVEL = 0.32
"""Target linear signal of automatic exposure."""
DARKEST = 0.05
"""Limit of automatic exposure in the dark: darker scenes stay dark, otherwise only noise would show."""

BRIGHTEST = 1.3
"""Limit of highlight protection: a window may burn out, otherwise the face in front of it would be black."""


def develop(image: Floats32, sensor: Sensor, exposure: Exposure, key: int) -> NDArray[np.uint8]:
    """Turn the light (h, w, 3) of one frame into the camera's image; `key` selects the noise."""
    height, width, _ = image.shape
    # A short shake widens the blur slightly along its direction.
    across = blur_kernel(float(np.hypot(exposure.blur, exposure.motion[0] / 2)))
    down = blur_kernel(float(np.hypot(exposure.blur, exposure.motion[1] / 2)))
    soft = blur(image, across, down)
    # Centre-weighted metering.
    middle = soft[height // 4 : 3 * height // 4 : 4, width // 4 : 3 * width // 4 : 4]
    level = 0.7 * float(np.minimum(middle, 3).mean()) + 0.3 * float(np.minimum(soft[::8, ::8], 3).mean())
    # Highlights are protected: a lit face in a dark room must not burn out.
    level = max(level, 0.26 * min(float(np.quantile(soft[::6, ::6], 0.94)), BRIGHTEST))
    gain = (FACE_LEVEL / max(level, DARKEST) ** 0.92 * exposure.gain * sensor.balance).astype(np.float32)
    tone = tone_curve(sensor.contrast)
    lift = max(float(gain.mean()), 1.0)  # amplification raises the noise with the signal
    shot, read = F(sensor.shot * lift), F(sensor.read * lift**0.5)
    return expose(soft, gain, F(sensor.vignette), shot, read, F(sensor.sharpening), GRAIN, key, tone)
