"""The compiled loop of the sensor: pixel after pixel through one interval of time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats, Floats32
from tinytracker.synth.jit import compiled

PIECE_S = 0.001
"""A filtered pixel's answer is a curve; it is taken as straight lines of at most this length."""
STILL = 0.02
"""Unless the logarithm of its light moves by less than this."""


@compiled
def _larger(values: NDArray[Any]) -> NDArray[Any]:
    """Return an array of twice the length that starts with these values."""
    more = np.empty(2 * len(values), values.dtype)
    more[: len(values)] = values
    return more


@compiled
def follow(
    level: Floats,
    memory: Floats,
    free: Floats,
    before: Floats32,
    after: Floats32,
    was_bright: Floats32,
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
        was_bright: light at `start` relative to white, by which the bandwidth shrinks.
        bright: the same at `stop`.
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
    for i in range(level.shape[0]):
        first = noise
        while noise < noise_at.shape[0] and noise_at[noise] == i:
            noise += 1
        pieces = 1
        change = float(after[i]) - float(before[i])
        if cutoff > 0.0 and max(abs(change), abs(float(after[i]) - level[i])) > STILL:
            pieces = math.ceil((stop - start) / PIECE_S)
        for piece in range(pieces):
            begin = start + (stop - start) * piece / pieces
            end = start + (stop - start) * (piece + 1) / pieces
            span = end - begin
            target = float(before[i]) + change * (piece + 1) / pieces
            if cutoff > 0.0:
                # Exact answer of a low-pass of first order to a straight line.
                share = (piece + 0.5) / pieces
                decay = cutoff * (float(was_bright[i]) + (float(bright[i]) - float(was_bright[i])) * share)
                lag = change / (stop - start) / decay
                slow = level[i] - (target - change / pieces) + lag
                target += slow * math.exp(-decay * span) - lag
            old, rate = level[i], (target - level[i]) / span
            level[i] = target
            if skip[i]:
                continue
            leak = leak_hz * float(on[i])
            at = begin
            while True:
                if at < free[i]:
                    if free[i] >= end:
                        memory[i] = target
                        break
                    at = free[i]
                    memory[i] = old + rate * (at - begin)
                away = old + rate * (at - begin) - memory[i]
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
                if first < noise and noise_when[first] <= min(crossing, end):
                    crossing, rises = noise_when[first], noise_up[first] == 1
                    first += 1
                if crossing > end:
                    memory[i] -= leak * (end - at)
                    break
                at = crossing
                if found == capacity:
                    when, pixel, up = _larger(when), _larger(pixel), _larger(up)
                    capacity *= 2
                when[found], pixel[found], up[found] = at, i, np.uint8(rises)
                found += 1
                memory[i] = old + rate * (at - begin)
                free[i] = at + refractory
    return when[:found].copy(), pixel[:found].copy(), up[:found].copy()
