"""How a subject holds the device, moves the head and blinks: habits per sitting, grip per block, pose per frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.data.devices import Device
from tinytracker.synth.scene import Camera, HeadPose, rotation

Generator = np.random.Generator

PHONE_CM, TABLET_CM = (33.0, 4.0), (42.0, 5.0)
"""Mean and standard deviation over sittings of the distance between face and device."""
NEAREST_CM, FARTHEST_CM = 20.0, 62.0
TORSO_CM = 38.0
"""How far below the eyes the mesh extends."""
CLOSED_SHARE = 0.02
TILT_DEG = (5.0, 7.0)
"""Standard deviation of a hand-held device's rotation sideways and up, drawn for each block of dots.

Every 5 degrees move the face by 3 cm, so its position in the image says little about the gaze.
"""
FINGER_SHARE = 0.07
"""Share of blocks of dots in which a finger of the holding hand covers part of the lens."""


def _finger(rng: Generator, camera: Camera) -> Floats:
    """Draw a fingertip that enters over an edge or corner of the image."""
    size = np.array([camera.width, camera.height])
    angle = rng.uniform(0, 2 * np.pi)
    outward = np.array([np.cos(angle), np.sin(angle)])
    radius = rng.uniform(0.12, 0.25) * size.min()
    tip = size / 2 + outward * (size / 2) * rng.uniform(1.0, 1.15)
    return np.array([*tip, radius, radius * rng.uniform(0.35, 0.6), 2.0 * size.max(), *outward])


@dataclass(frozen=True)
class Habits:
    """How this subject holds the device and moves; angles in radians, lengths in cm."""

    distance: float
    centring: float
    offset: Floats
    yaw: float
    pitch: float
    roll: float
    coupling: float
    follow: float
    torso_pitch: float
    torso_yaw: float
    torso_roll: float
    restlessness: float
    blur: float
    gain: float
    quality: int


@dataclass(frozen=True)
class Grip:
    """How the device is held during a block: tangents of its tilt (2,), and a finger on the lens or None."""

    tilt: Floats
    finger: Floats | None


def sample_grip(rng: Generator, camera: Camera, difficulty: float) -> Grip:
    """Draw how the device is held during a block of dots."""
    tilt = np.tan(np.radians(np.clip(rng.standard_normal(2), -2.5, 2.5) * TILT_DEG)) * difficulty
    finger = _finger(rng, camera)
    return Grip(tilt, finger if rng.random() < FINGER_SHARE * difficulty else None)


def sample_habits(rng: Generator, device: Device, difficulty: float) -> Habits:
    """Draw a subject's habits with this device."""
    mean, deviation = PHONE_CM if device.family == "phone" else TABLET_CM
    return Habits(
        distance=float(np.clip(rng.normal(mean, deviation), NEAREST_CM + 3, FARTHEST_CM - 5)),
        centring=float(rng.uniform(0.0, 0.9)),
        offset=rng.normal(0, [1.4, 1.8]) * difficulty,
        yaw=rng.normal(0, 0.05) * difficulty,
        pitch=rng.normal(-0.03, 0.09) * difficulty,
        roll=rng.normal(0, 0.045) * difficulty,
        coupling=float(np.clip(rng.normal(0.25, 0.15), 0, 0.7)),
        follow=float(rng.uniform(0.6, 0.95)),
        torso_pitch=rng.normal(0.22, 0.10),
        torso_yaw=rng.normal(0, 0.12),
        torso_roll=rng.normal(0, 0.05),
        restlessness=float(rng.uniform(0.5, 1.5)) * difficulty,
        blur=float(rng.uniform(0.35, 1.05)),
        gain=float(np.exp(rng.normal(0, 0.13))),
        quality=int(rng.integers(80, 96)),
    )


def drift_walk(rng: Generator, steps: int, memory: float) -> Floats:
    """Draw a stationary random walk of unit variance (steps, 6)."""
    noise = rng.standard_normal((steps, 6))
    walk = np.empty_like(noise)
    walk[0] = noise[0]
    for i in range(1, steps):
        walk[i] = memory * walk[i - 1] + np.sqrt(1 - memory**2) * noise[i]
    return walk


def keep_in_view(position: Floats, camera: Camera) -> Floats:
    """Shift the face sideways into the image, as a person who sees the preview would."""
    half = np.array([camera.width, camera.height]) / 2 / camera.focal * position[2]
    low, high = -half + [6.5, 8.5], half - [6.5, 6.5]
    high[1] = min(
        high[1], TORSO_CM - half[1]
    )  # the mesh ends at the waist, and its edge must stay out of sight
    middle = (low + high) / 2
    position[:2] = np.clip(position[:2], np.minimum(low, middle), np.maximum(high, middle))
    return position


def pose_head(
    habits: Habits,
    grip: Grip,
    camera: Camera,
    screen: Floats,
    dot: Floats,
    drift: Floats,
    outside: Floats | None,
) -> HeadPose:
    """Return the pose of one frame.

    Args:
        habits: of the subject.
        grip: of the block.
        camera: of the frame.
        screen: (4,) x0, y0, x1, y1 of the lit screen, cm.
        dot: (2,) gaze point, cm.
        drift: (6,) restlessness, see `drift_walk`.
        outside: (2,) position of a face that slips out of view, see `sample_outside`, or None.
    """
    centre = np.array([(screen[0] + screen[2]) / 2, (screen[1] + screen[3]) / 2])
    r = habits.restlessness
    distance = np.clip(habits.distance + 1.4 * r * drift[2], NEAREST_CM, FARTHEST_CM)
    aside = habits.centring * centre + habits.offset + distance * grip.tilt + 0.7 * r * drift[:2]
    position = np.array([*aside, distance])
    position = keep_in_view(position, camera)
    if outside is not None:
        half = np.array([camera.width, camera.height]) / 2 / camera.focal * position[2]
        position[:2] = outside * half
        position[1] = min(position[1], TORSO_CM - half[1])
    aim = np.array([*(centre + habits.coupling * (dot - centre)), 0.0]) - position
    yaw = habits.follow * np.arctan2(aim[0], -aim[2]) + habits.yaw + 0.035 * r * drift[3]
    pitch = habits.follow * np.arctan2(aim[1], -aim[2]) + habits.pitch + 0.03 * r * drift[4]
    roll = habits.roll + 0.02 * r * drift[5]
    torso_yaw = 0.35 * yaw + habits.torso_yaw
    torso_pitch = 0.5 * pitch + habits.torso_pitch
    head = rotation(float(pitch), float(yaw), float(roll))
    return HeadPose(position, head, rotation(torso_pitch, torso_yaw, 0.3 * roll + habits.torso_roll))


def sample_closed(rng: Generator, rest: float) -> tuple[float, float]:
    """Draw how far each eye is closed: nearly always close to `rest`, occasionally a blink."""
    if rng.random() < CLOSED_SHARE:
        shut = float(rng.uniform(0.55, 1.0))
        return shut, float(np.clip(shut + rng.normal(0, 0.03), 0, 1))
    both = rest + rng.normal(0, 0.05)
    return float(both + rng.normal(0, 0.015)), float(both + rng.normal(0, 0.015))


def sample_outside(rng: Generator) -> Floats:
    """Draw where the face slips out of view, in half image sizes from the centre."""
    along, side = rng.uniform(-0.6, 0.6), rng.uniform(0.95, 1.25)
    if rng.random() < 0.5:
        return np.array([along, -side])  # below the lower edge
    return np.array([rng.choice([-1, 1]) * side, along])
