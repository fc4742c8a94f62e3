"""Where eyes look during a clip, every couple of milliseconds: fixations with drift, saccades, pursuit and blinks.

docs/events.md names the sources of each number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.synth.eye_movements import SACCADE_S, SACCADE_S_PER_DEGREE, sample_blinks

Generator = np.random.Generator

FIXING, FLYING, PURSUING = 0, 1, 2
"""What the eyes do at a time."""

HOLD_SPREAD = 0.36
PURSUIT_S, PURSUIT_DEGREES_PER_S = (0.15, 0.6), (4.0, 25.0)
"""Eyes follow smoothly up to about 30°/s."""
PURSUIT_ONSET_S = 0.08
SMALLEST_DEGREES = 0.7
"""Smallest saccade that is not a microsaccade."""
DRIFT_DEGREES_PER_S = 0.5
"""Mean speed of the drift during a fixation."""
DRIFT_MEMORY_S = 0.05
MICROSACCADES_PER_S, MICROSACCADE_DEGREES = 1.2, (0.1, 0.5)


@dataclass(frozen=True)
class Script:
    """What the eyes are busy with.

    Attributes:
        hold_s: median of the log-normal duration of a fixation. hold_limits_s: shortest and longest.
        pursuit: share of fixations that follow something instead.
        amplitude_degrees: mean of the exponential distribution of saccades' amplitudes; None for targets that are
            anywhere on the screen, so that most saccades cross much of it.
    """

    hold_s: float
    hold_limits_s: tuple[float, float]
    pursuit: float
    amplitude_degrees: float | None


SCRIPTS = {
    "natural": Script(0.28, (0.08, 1.0), 0.25, 6.0),
    "targets": Script(0.16, (0.08, 0.5), 0.1, None),
}
"""`natural`: looking around, durations as in sequences of frames. `targets`: from one target to the next all over the
screen, in a hurry, so that twice as many windows of 80 ms contain a change of the gaze, and a larger one."""


@dataclass(frozen=True)
class Course:
    """What the eyes do at n instants.

    Attributes:
        times: (n,) s from 0. gaze: (n, 2) cm on the plane of the screen. state: (n,) `FIXING`, `FLYING` or `PURSUING`.
        blink: (n,) 0 open to 1 closed.
    """

    times: Floats
    gaze: Floats
    state: NDArray[np.int64]
    blink: Floats


def saccade_seconds(degrees: float) -> float:
    """Return how long a saccade lasts: the main sequence."""
    return SACCADE_S + SACCADE_S_PER_DEGREE * degrees


def minimum_jerk(part: Floats) -> Floats:
    """Return the covered share of a movement's way at the share `part` of its time (Flash and Hogan 1985)."""
    part = np.clip(part, 0, 1)
    way: Floats = part * part * part * (10 + part * (6 * part - 15))
    return way


def sample_course(
    rng: Generator, times: Floats, screen: Floats, distance_cm: float, script: Script = SCRIPTS["natural"]
) -> Course:
    """Draw what the eyes do.

    Args:
        rng: random generator.
        times: (n,) s, rising from 0 in equal steps.
        screen: (4,) x0, y0, x1, y1 of the places to look at, cm; a point of pursuit may leave it a little.
        distance_cm: between eyes and screen: makes degrees of lengths.
        script: what the eyes are busy with.
    """
    cm = distance_cm * np.pi / 180
    low, high = screen[:2], screen[2:]
    gaze, state = np.zeros((len(times), 2)), np.full(len(times), FIXING)
    place = rng.uniform(low, high)
    start, end = -float(rng.uniform(0, script.hold_s)), float(times[-1])
    while start <= end:
        place, start = _hold(rng, script, times, start, place, (low, high), cm, gaze, state)
        target = _next_place(rng, script, place, low, high, cm)
        flight = saccade_seconds(float(np.linalg.norm(target - place)) / cm)
        here = (times >= start) & (times < start + flight)
        gaze[here] = place + (target - place) * minimum_jerk((times[here] - start) / flight)[:, None]
        state[here] = FLYING
        place, start = target, start + flight
    gaze += cm * _drift(rng, times, state) + cm * _microsaccades(rng, times, state)
    return Course(times, gaze, state, sample_blinks(rng, times))


def _hold(
    rng: Generator,
    script: Script,
    times: Floats,
    start: float,
    place: Floats,
    limits: tuple[Floats, Floats],
    cm: float,
    gaze: Floats,
    state: NDArray[np.int64],
) -> tuple[Floats, float]:
    """Stay at a place or pursue from there, written to `gaze` and `state`; returns the place and time afterwards."""
    seconds = float(np.clip(script.hold_s * np.exp(rng.normal(0, HOLD_SPREAD)), *script.hold_limits_s))
    speed = np.zeros(2)
    if rng.random() < script.pursuit:
        seconds = float(rng.uniform(*PURSUIT_S))
        toward = rng.uniform(*limits) - place
        speed = toward / max(float(np.linalg.norm(toward)), 1e-6) * rng.uniform(*PURSUIT_DEGREES_PER_S) * cm
        seconds = min(seconds, float(np.linalg.norm(toward) / np.linalg.norm(speed)))
    here = (times >= start) & (times < start + seconds)
    gaze[here] = place + _pursued(times[here] - start)[:, None] * speed
    state[here] = PURSUING if speed.any() else FIXING
    return place + _pursued(np.array([seconds]))[0] * speed, start + seconds


def _pursued(seconds: Floats) -> Floats:
    """Return for how many seconds at full speed the eyes have gone: the speed rises over the onset."""
    ramp = np.minimum(seconds, PURSUIT_ONSET_S)
    way: Floats = ramp * ramp / (2 * PURSUIT_ONSET_S) + np.maximum(seconds - PURSUIT_ONSET_S, 0)
    return way


def _next_place(
    rng: Generator, script: Script, place: Floats, low: Floats, high: Floats, cm: float
) -> Floats:
    """Draw the end of the next saccade on the screen: any direction and mostly short, or anywhere."""
    if script.amplitude_degrees is None:
        return rng.uniform(low, high)
    for _ in range(100):
        angle = rng.uniform(0, 2 * np.pi)
        length = (SMALLEST_DEGREES + rng.exponential(script.amplitude_degrees)) * cm
        end: Floats = place + length * np.array([np.cos(angle), np.sin(angle)])
        if (end >= low).all() and (end <= high).all():
            return end
    return rng.uniform(low, high)


def _drift(rng: Generator, times: Floats, state: NDArray[np.int64]) -> Floats:
    """Draw the drift of the eyes, degrees (n, 2): a velocity with a short memory, only while they fixate."""
    step = float(times[1] - times[0])
    memory = np.exp(-step / DRIFT_MEMORY_S)
    # The mean length of a two-dimensional normal velocity is sqrt(pi / 2) of its standard deviation.
    sigma = DRIFT_DEGREES_PER_S / np.sqrt(np.pi / 2)
    kicks = rng.normal(0, sigma * np.sqrt(1 - memory**2), (len(times), 2))
    speed = np.empty_like(kicks)
    speed[0] = rng.normal(0, sigma, 2)
    for i in range(1, len(times)):
        speed[i] = memory * speed[i - 1] + kicks[i]
    drift: Floats = np.cumsum(speed * (state == FIXING)[:, None], 0) * step
    return drift


def _microsaccades(rng: Generator, times: Floats, state: NDArray[np.int64]) -> Floats:
    """Draw microsaccades, degrees (n, 2); each one ends where the next starts."""
    moved = np.zeros((len(times), 2))
    end = float(times[-1])
    when = rng.exponential(1 / MICROSACCADES_PER_S)
    place = np.zeros(2)
    while when < end:
        size, angle = rng.uniform(*MICROSACCADE_DEGREES), rng.uniform(0, 2 * np.pi)
        # Every other one leads back, as they do on the whole.
        jump = size * np.array([np.cos(angle), np.sin(angle)]) if not place.any() else -place
        if state[min(int(np.searchsorted(times, when)), len(times) - 1)] == FIXING:
            moved += jump * minimum_jerk((times - when) / saccade_seconds(size))[:, None]
            place = place + jump
            place[np.abs(place) < 1e-9] = 0.0
        when += rng.exponential(1 / MICROSACCADES_PER_S)
    return moved
