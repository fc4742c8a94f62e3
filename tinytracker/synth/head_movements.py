"""How a head moves before a camera over time: calm, moving, wild, or walking away and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.synth.habits import TORSO_CM
from tinytracker.synth.scene import Camera

Generator = np.random.Generator


@dataclass(frozen=True)
class Movement:
    """Size of a movement: amplitude cm, frequency Hz, turns rad."""

    amplitude_cm: float
    hz: float
    turn_rad: float


MOVEMENTS = {
    "calm": Movement(0.6, 0.25, 0.02),
    "moving": Movement(5.5, 0.55, 0.08),
    "wild": Movement(7.0, 0.9, 0.16),
    "away": Movement(1.5, 0.3, 0.05),
}
"""By name; "away" also walks out of the picture and back."""

SWAY_CM, SWAY_HZ = 0.15, 0.3
"""Breathing and balance, which no head can suppress."""
TREMOR_RAD, TREMOR_HZ = 0.0006, (8.0, 12.0)
"""Amplitude of the trembling of a hand that holds the camera."""
HAND_RAD, HAND_HZ = 0.006, 0.5
"""And of its slow wandering."""

FARTHEST = 2.2
"""How far somebody walks away, as a multiple of the distance before."""
LEAVES, GONE = (0.15, 0.30), (0.10, 0.25)
"""When somebody leaves and how long the picture stays empty, as fractions of the sequence."""
GONE_S = (0.5, 2.0)
WALK_S = 1.0
BESIDE_CM = 16.0
"""A head this far beyond the picture's edge is out of sight."""


@dataclass(frozen=True)
class HeadTrack:
    """Where a head is, per frame.

    Attributes:
        position: (n, 3) cm, as `HeadPose.position`. turn: (n, 3) rad of yaw, pitch and roll, beside what the gaze asks.
    """

    position: Floats
    turn: Floats


def sample_head(
    rng: Generator, times: Floats, movement: str, rest: Floats, camera: Camera, in_hand: bool = True
) -> HeadTrack:
    """Draw a head's movement.

    Args:
        rng: random generator.
        times: (n,) s.
        movement: a name of `MOVEMENTS`.
        rest: (3,) cm, about which the head moves.
        camera: of the frames: the head stays in its view, except when it walks away.
        in_hand: a hand holds the camera, wanders and trembles; otherwise the camera rests on something.
    """
    kind = MOVEMENTS[movement]
    size = kind.amplitude_cm * np.array([1.0, 0.6, 1.0])
    speed = kind.hz * np.array([1.0, 1.0, 0.6])
    moved = np.stack([_waves(rng, times, a, f) for a, f in zip(size, speed, strict=True)], 1)
    moved += np.stack([_waves(rng, times, SWAY_CM, SWAY_HZ) for _ in range(3)], 1)
    position = rest + moved
    position[:, 2] = np.maximum(position[:, 2], 0.6 * rest[2])
    leaving = np.zeros(len(times))
    if movement == "away":
        leaving, far = _walk(rng, times)
        position[:, 2] *= 1 + (FARTHEST - 1) * far
    if in_hand:
        hand = np.stack([_waves(rng, times, HAND_RAD, HAND_HZ) + _tremor(rng, times) for _ in range(2)], 1)
        position[:, :2] += hand * position[:, 2:]
    position[:, :2] = _in_view(position, camera)
    half = camera.width / 2 / camera.focal * position[:, 2] + BESIDE_CM
    side = np.where(leaving > 0, 1.0, -1.0)
    position[:, 0] += np.abs(leaving) * (side * half - position[:, 0])
    turn = np.stack([_waves(rng, times, kind.turn_rad, kind.hz) for _ in range(3)], 1)
    turn[:, 0] += 0.5 * leaving  # whoever walks away looks that way
    return HeadTrack(position, turn * [1.0, 0.6, 1.0])


def _waves(rng: Generator, times: Floats, amplitude: float, hz: float) -> Floats:
    """Draw a smooth movement: three sines around a frequency, (n,)."""
    sizes, phases = (0.6, 0.3, 0.2), rng.uniform(0, 2 * np.pi, 3)
    rates = hz * rng.uniform(0.5, 1.5, 3)
    waves = [s * np.sin(2 * np.pi * f * times + p) for s, f, p in zip(sizes, rates, phases, strict=True)]
    total: Floats = amplitude * np.sum(waves, 0)
    return total


def _tremor(rng: Generator, times: Floats) -> Floats:
    tremor: Floats = TREMOR_RAD * np.sin(
        2 * np.pi * rng.uniform(*TREMOR_HZ) * times + rng.uniform(0, 2 * np.pi)
    )
    return tremor


def _walk(rng: Generator, times: Floats) -> tuple[Floats, Floats]:
    """Draw when somebody is gone: out of the picture (n,), -1 or 1 by side; and far away (n,), 0 to 1."""
    end = times[-1] if len(times) else 0.0
    leave = rng.uniform(*LEAVES) * end
    back = leave + WALK_S + float(np.clip(rng.uniform(*GONE) * end, *GONE_S))
    sides = rng.choice([-1.0, 1.0], 2)
    out, home = _ramp(times, leave, WALK_S), _ramp(times, back, WALK_S)
    leaving = np.where(times < (leave + WALK_S + back) / 2, sides[0] * out, sides[1] * (1 - home))
    far = _ramp(times, leave - 0.8, WALK_S + 0.8) - _ramp(times, back + 0.4, WALK_S + 0.6)
    return leaving, far


def _ramp(times: Floats, start: float, duration: float) -> Floats:
    part = np.clip((times - start) / duration, 0, 1)
    smooth: Floats = part * part * (3 - 2 * part)
    return smooth


def _in_view(position: Floats, camera: Camera) -> Floats:
    """Limit x and y (n, 2) smoothly to where the face is in the picture and the end of the drawn body is not."""
    half = np.array([camera.width, camera.height]) / 2 / camera.focal * position[:, 2:]
    low, high = -half + [6.5, 8.5], half - [6.5, 6.5]
    high[:, 1] = np.minimum(high[:, 1], TORSO_CM - half[:, 1])
    middle = (np.minimum(low, high) + high) / 2
    room = np.maximum(high - middle, 0.1)
    limited: Floats = middle + room * np.tanh((position[:, :2] - middle) / room)
    return limited
