"""How eyes move over time: fixations, saccades and blinks. docs/synthetic-data.md names the sources of each number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats

Generator = np.random.Generator

FIXATION_MEDIAN_S, FIXATION_SPREAD = 0.28, 0.36
"""Median of a log-normal distribution and standard deviation of its logarithm: 68 % last 0.2 to 0.4 s."""
FIXATION_LIMITS_S = (0.08, 2.0)
LONG_SHARE, LONG_S = 0.08, (0.8, 2.0)
"""Share of fixations that last longer, as when somebody reads a value or thinks."""
SACCADE_S, SACCADE_S_PER_DEGREE = 0.021, 0.0022
"""Duration of a saccade: a constant, and more with its amplitude (the main sequence)."""
AMPLITUDE_SHARE = 0.35
"""Mean of the exponential distribution of amplitudes, as a fraction of the screen."""
BLINKS_PER_S = 0.28
BLINK_PAUSE_S = 0.4
CLOSING_S, CLOSED_S, OPENING_S = 0.08, 0.04, 0.16
"""Phases of a blink: the lids close about twice as fast as they open."""


@dataclass(frozen=True)
class GazeTrack:
    """Where eyes look, per frame.

    Attributes:
        gaze: (n, 2) cm on the plane of the screen. target: number of the place that is looked at or flown to, (n,).
        since: seconds since the eyes left the place before, (n,). flying: in a saccade, bool (n,).
    """

    gaze: Floats
    target: NDArray[np.int64]
    since: Floats
    flying: NDArray[np.bool_]


def sample_gaze(rng: Generator, times: Floats, screen: Floats, distance_cm: float) -> GazeTrack:
    """Draw where eyes look at each time.

    Args:
        rng: random generator.
        times: (n,) s, rising from 0.
        screen: (4,) x0, y0, x1, y1 of the places to look at, cm.
        distance_cm: between eyes and screen: makes degrees of lengths.
    """
    gaze, target = np.zeros((len(times), 2)), np.zeros(len(times), np.int64)
    since, flying = np.zeros(len(times)), np.zeros(len(times), bool)
    low, high = screen[:2], screen[2:]
    place, start, number, flight = rng.uniform(low, high), -rng.uniform(0, 0.2), 0, 0.0
    before = place
    end = times[-1] if len(times) else 0.0
    while start <= end:
        landed = start + flight
        leave = landed + _fixation(rng)
        here = (times >= start) & (times < leave)
        part = np.clip((times[here] - start) / max(flight, 1e-9), 0, 1)
        gaze[here] = before + (place - before) * _smooth(part)[:, None]
        target[here], since[here], flying[here] = number, times[here] - start, times[here] < landed
        before, place, start, number = place, _next_place(rng, place, low, high), leave, number + 1
        degrees = np.degrees(np.linalg.norm(place - before) / distance_cm)
        flight = SACCADE_S + SACCADE_S_PER_DEGREE * float(degrees)
    return GazeTrack(gaze, target, since, flying)


def _fixation(rng: Generator) -> float:
    """Draw how long the eyes stay."""
    if rng.random() < LONG_SHARE:
        return float(rng.uniform(*LONG_S))
    return float(np.clip(FIXATION_MEDIAN_S * np.exp(rng.normal(0, FIXATION_SPREAD)), *FIXATION_LIMITS_S))


def _next_place(rng: Generator, place: Floats, low: Floats, high: Floats) -> Floats:
    """Draw the end of the next saccade: any direction, mostly short."""
    for _ in range(100):
        angle = rng.uniform(0, 2 * np.pi)
        step = rng.exponential(AMPLITUDE_SHARE) * np.array([np.cos(angle), np.sin(angle)])
        end: Floats = place + step * (high - low)
        if (end >= low).all() and (end <= high).all():
            return end
    return rng.uniform(low, high)


def _smooth(part: Floats) -> Floats:
    """Return the covered share of a saccade's way: speed rises and falls symmetrically."""
    covered: Floats = part * part * (3 - 2 * part)
    return covered


def sample_blinks(rng: Generator, times: Floats) -> Floats:
    """Draw how far the lids are closed by blinks at each time, (n,): 0 to 1."""
    closed = np.zeros(len(times))
    start = rng.exponential(1 / BLINKS_PER_S)
    while len(times) and start <= times[-1]:
        t = times - start
        down, up = t / CLOSING_S, 1 - (t - CLOSING_S - CLOSED_S) / OPENING_S
        closed = np.maximum(closed, np.clip(np.minimum(down, up), 0, 1))
        start += BLINK_PAUSE_S + rng.exponential(1 / BLINKS_PER_S)
    return closed
