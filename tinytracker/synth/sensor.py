"""From light to bytes: lens and motion blur, exposure, colour balance, noise, tone curve, sharpening."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled
from tinytracker.synth.sitting import Exposure, Sensor

_STEPS = 4096
CEILING = 4.0
"""Signal at which everything is white."""


def _tone_curve() -> Floats32:
    """Display value 0..255 of linear signal 0..CEILING: the sRGB curve after a soft shoulder.

    Steps are even in the square root of the signal, so that the dark end is as fine as the bright one.
    """
    linear = (np.linspace(0, 1, _STEPS) ** 2) * CEILING
    knee = 0.6
    soft = np.where(linear < knee, linear, knee + (1 - knee) * (1 - np.exp(-(linear - knee) / (1 - knee))))
    shown = np.where(soft <= 0.0031308, 12.92 * soft, 1.055 * np.maximum(soft, 1e-9) ** (1 / 2.4) - 0.055)
    return (shown * 255).astype(np.float32)


TONE: Floats32 = _tone_curve()


def _grain(pixels: int) -> Floats32:
    """Unit noise of `pixels` pixels, flat RGB; part of it is common to the colours.

    Cameras suppress noise of colour more than of brightness.
    """
    rng = np.random.default_rng(13)
    common, own = rng.standard_normal((pixels, 1)), rng.standard_normal((pixels, 3))
    grain: Floats32 = (0.85 * common + 0.5 * own).astype(np.float32).ravel()
    return grain


GRAIN_PIXELS = 1 << 19
GRAIN: Floats32 = _grain(GRAIN_PIXELS)
"""Every row of every frame reads this from another place."""


def blur_kernel(sigma: float) -> Floats32:
    """Half of a normalised Gaussian: centre first."""
    radius = max(1, math.ceil(2 * sigma - 0.3))
    half = np.exp(-0.5 * (np.arange(radius + 1) / max(sigma, 1e-3)) ** 2)
    kernel: Floats32 = (half / (2 * half.sum() - half[0])).astype(np.float32)
    return kernel


@compiled
def blur(image: Floats32, across: Floats32, down: Floats32) -> Floats32:
    """Separable symmetric blur of (h, w, 3) by two half kernels of two numbers or more; edges repeat."""
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
    """Linear light (h, w, 3) to 8-bit RGB.

    Args:
        image: after blur.
        gain: (3,) exposure times colour balance.
        vignette: loss in the corners, 0..1.
        shot: variance per signal.
        read: deviation at zero signal.
        sharpening: strength of the unsharp mask.
        grain: unit noise, flat RGB, longer than a few rows.
        key: which part of it this frame reads.
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
        # Slices, and no sums of indices, which might be negative for all that the compiler knows.
        light, noise = flat[y], grain[start : start + length]
        dy = F(y) - F(height) * F(0.5)
        fall_y = F(1) - dy * dy * norm
        for i in range(length):
            signal = max(light[i] * weight[i] * (fall_y - fall_x[i]), F(0))
            signal = max(signal + math.sqrt(signal * shot + floor) * noise[i], F(0))
            steps[i] = np.int32(min(math.sqrt(signal) * to_index, last))
        row = shown[y]
        for i in range(length):
            # What is no number becomes black, not a place outside of the table.
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
"""Linear signal that automatic exposure aims for."""
DARKEST = 0.05
"""Exposure gives up below this: dark stays dark, or there would be nothing but noise."""

BRIGHTEST = 1.3
"""Highlights above this are given up: a window may burn out, or the face in front of it would be black."""


def develop(image: Floats32, sensor: Sensor, exposure: Exposure, key: int) -> NDArray[np.uint8]:
    """What the camera makes of the light (h, w, 3) of one frame; `key` chooses its noise."""
    height, width, _ = image.shape
    # A short shake is a slightly wider blur along its direction.
    across = blur_kernel(float(np.hypot(exposure.blur, exposure.motion[0] / 2)))
    down = blur_kernel(float(np.hypot(exposure.blur, exposure.motion[1] / 2)))
    soft = blur(image, across, down)
    # Metering looks at the middle most.
    middle = soft[height // 4 : 3 * height // 4 : 4, width // 4 : 3 * width // 4 : 4]
    level = 0.7 * float(np.minimum(middle, 3).mean()) + 0.3 * float(np.minimum(soft[::8, ::8], 3).mean())
    # Metering also protects highlights: a lit face in a dark room must not burn out.
    level = max(level, 0.26 * min(float(np.quantile(soft[::6, ::6], 0.94)), BRIGHTEST))
    gain = (FACE_LEVEL / max(level, DARKEST) ** 0.92 * exposure.gain * sensor.balance).astype(np.float32)
    lift = max(float(gain.mean()), 1.0)  # amplification lifts the noise with the signal
    shot, read = F(sensor.shot * lift), F(sensor.read * lift**0.5)
    return expose(soft, gain, F(sensor.vignette), shot, read, F(sensor.sharpening), GRAIN, key, TONE)
