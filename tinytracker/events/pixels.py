"""The compiled loop of the sensor: pixel after pixel through one interval of time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats, Floats32
from tinytracker.synth.jit import compiled


@compiled
def follow(
    level: Floats,
    memory: Floats,
    free: Floats,
    before: Floats32,
    after: Floats32,
    bright: Floats32,
    on: Floats32,
    off: Floats32,
    skip: NDArray[np.bool_],
    start: float,
    stop: float,
    cutoff: float,
    leak_hz: float,
    refractory: float,
    noise_at: NDArray[np.int64],
    noise_when: Floats,
    noise_up: NDArray[np.uint8],
) -> tuple[Floats, NDArray[np.int32], NDArray[np.uint8]]:
    """Take all pixels from `start` to `stop`, s, and return the events: times, pixels and polarities.

    All arrays but the noise are (pixels,).

    Args:
        level: output of the photoreceptor, log; changed in place.
        memory: level at the last reset; changed in place.
        free: s, until when a pixel is held in reset; changed in place.
        before: log light at `start`.
        after: log light at `stop`; a straight line in between.
        bright: light relative to white, by which the bandwidth shrinks.
        on: threshold upwards.
        off: threshold downwards.
        skip: pixels that stay silent.
        start: s.
        stop: s.
        cutoff: bandwidth in white light, rad/s; 0 for none.
        leak_hz: of the memory, thresholds per second.
        refractory: s.
        noise_at: pixels of the noise, rising.
        noise_when: their times, s, rising per pixel.
        noise_up: their polarities, 0 or 1.
    """
    capacity = 1 << 12
    when, pixel, up = np.empty(capacity), np.empty(capacity, np.int32), np.empty(capacity, np.uint8)
    found, noise = 0, 0
    span = stop - start
    for i in range(level.shape[0]):
        first = noise
        while noise < noise_at.shape[0] and noise_at[noise] == i:
            noise += 1
        target = float(after[i])
        if cutoff > 0.0:
            # Exact answer of a low-pass of first order to a straight line.
            decay = cutoff * float(bright[i])
            slope = (target - float(before[i])) / span
            lag = slope / decay
            target += (level[i] - float(before[i]) + lag) * math.exp(-decay * span) - lag
        if skip[i]:
            level[i] = target
            continue
        old, rate = level[i], (target - level[i]) / span
        leak = leak_hz * float(on[i])
        at = start
        while True:
            if at < free[i]:
                if free[i] >= stop:
                    memory[i] = target
                    break
                at = free[i]
                memory[i] = old + rate * (at - start)
            away = old + rate * (at - start) - memory[i]
            speed = rate + leak
            crossing = math.inf
            rises = speed > 0.0
            if away >= float(on[i]):
                crossing, rises = at, True
            elif away <= -float(off[i]):
                crossing, rises = at, False
            elif speed > 0.0:
                crossing = at + (float(on[i]) - away) / speed
            elif speed < 0.0:
                crossing = at + (-float(off[i]) - away) / speed
            while first < noise and noise_when[first] < at:
                first += 1  # held in reset at that time
            if first < noise and noise_when[first] <= min(crossing, stop):
                crossing, rises = noise_when[first], noise_up[first] == 1
                first += 1
            if crossing > stop:
                memory[i] -= leak * (stop - at)
                break
            at = crossing
            if found == capacity:
                capacity *= 2
                more_when, more_pixel, more_up = (
                    np.empty(capacity),
                    np.empty(capacity, np.int32),
                    np.empty(capacity, np.uint8),
                )
                more_when[:found], more_pixel[:found], more_up[:found] = when, pixel, up
                when, pixel, up = more_when, more_pixel, more_up
            when[found], pixel[found], up[found] = at, i, np.uint8(rises)
            found += 1
            memory[i] = old + rate * (at - start)
            free[i] = at + refractory
        level[i] = target
    return when[:found].copy(), pixel[:found].copy(), up[:found].copy()
