"""A subject's session, frame by frame: device, dots, habits of holding and looking, blinks, camera settings.

Everything random about a subject except pixel noise is decided here; drawing a frame only follows the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.data.devices import DEVICES, Device
from tinytracker.synth.dots import Dots, sample_dots
from tinytracker.synth.identity import Identity
from tinytracker.synth.light import Light, sample_light
from tinytracker.synth.people import sample_identity
from tinytracker.synth.scene import Camera, HeadPose, rotation

Floats = NDArray[np.float64]
Generator = np.random.Generator

STREAMS = ("identity", "session", "frames", "boxes", "motion", "background", "hair", "texture", "noise")
"""Independent generators of a subject: a new draw in one does not change what the others draw."""

PHONE_CM, TABLET_CM = (33.0, 4.0), (42.0, 5.0)
"""Mean and deviation over sessions of the distance between face and device."""
NEAREST_CM, FARTHEST_CM = 20.0, 62.0
TORSO_CM = 38.0
"""How far below the eyes there is something to draw."""
CLOSED_SHARE = 0.02
OUTSIDE_SHARE = 0.012
MISSED_SHARE = 0.01
DEVICE_WEIGHT = {"phone": 1.0, "tablet": 0.28}
"""Most of GazeCapture's subjects used a phone."""


@dataclass(frozen=True)
class Exposure:
    """What the camera does to one frame: linear gain, blur (sigma, px), motion (px), JPEG quality."""

    gain: float
    blur: float
    motion: tuple[float, float]
    quality: int


@dataclass(frozen=True)
class Frame:
    """Plan of one frame.

    Attributes:
        camera: picture size and focal length; landscape-held frames are wider than high.
        dot_cm: (2,) gaze label.
        pose: of head and torso. closed: blink weight per side, 0 open to 1 closed. units: face units.
        lost: the detector finds no face. eyes_lost: it finds the face but not the eyes.
        finger: a fingertip over the lens, see `lens.draw_finger`, or None.
    """

    camera: Camera
    dot_cm: Floats
    pose: HeadPose
    closed: tuple[float, float]
    units: dict[str, float]
    exposure: Exposure
    lost: bool
    eyes_lost: bool
    finger: Floats | None


@dataclass(frozen=True)
class Sensor:
    """A camera: shot and read noise, white balance (3,), unsharp mask, loss of light in the corners."""

    shot: float
    read: float
    balance: Floats
    sharpening: float
    vignette: float


@dataclass(frozen=True)
class Session:
    """One subject in front of one device."""

    identity: Identity
    device: Device
    dots: Dots
    light: Light
    sensor: Sensor
    frames: tuple[Frame, ...]


def subject_streams(seed: int, index: int) -> dict[str, Generator]:
    """The generators of subject `index`: a pure function of (seed, index)."""
    return {
        name: np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index, k)))
        for k, name in enumerate(STREAMS)
    }


def _choose_device(rng: Generator, names: Sequence[str] | None) -> Device:
    pool = [DEVICES[name] for name in names] if names else list(DEVICES.values())
    weights = np.array([1.0 if names else DEVICE_WEIGHT[d.family] for d in pool])
    return pool[rng.choice(len(pool), p=weights / weights.sum())]


TILT_DEG = (5.0, 7.0)
"""Deviation of how a hand-held device is turned sideways and up, for each block of dots.

Every 5 degrees move the face by 3 cm, so where the face is in the picture says little about the gaze.
"""
FINGER_SHARE = 0.07
"""Share of blocks of dots in which a finger of the holding hand is in front of the lens."""


def _finger(rng: Generator, camera: Camera) -> Floats:
    """A fingertip that comes in over an edge or corner of the picture."""
    size = np.array([camera.width, camera.height])
    angle = rng.uniform(0, 2 * np.pi)
    outward = np.array([np.cos(angle), np.sin(angle)])
    radius = rng.uniform(0.12, 0.25) * size.min()
    tip = size / 2 + outward * (size / 2) * rng.uniform(1.0, 1.15)
    return np.array([*tip, radius, radius * rng.uniform(0.35, 0.6), 2.0 * size.max(), *outward])


@dataclass(frozen=True)
class _Habits:
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
class _Grip:
    """How the device is held during a block: tangents of its tilt (2,), a finger on the lens or None."""

    tilt: Floats
    finger: Floats | None


def _grip(rng: Generator, camera: Camera, difficulty: float) -> _Grip:
    tilt = np.tan(np.radians(np.clip(rng.standard_normal(2), -2.5, 2.5) * TILT_DEG)) * difficulty
    finger = _finger(rng, camera)
    return _Grip(tilt, finger if rng.random() < FINGER_SHARE * difficulty else None)


def _habits(rng: Generator, device: Device, difficulty: float) -> _Habits:
    mean, deviation = PHONE_CM if device.family == "phone" else TABLET_CM
    return _Habits(
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
        blur=float(rng.uniform(0.35, 0.95)),
        gain=float(np.exp(rng.normal(0, 0.13))),
        quality=int(rng.integers(80, 96)),
    )


def _drift(rng: Generator, steps: int, memory: float) -> Floats:
    """A stationary random walk of unit variance (steps, 6)."""
    noise = rng.standard_normal((steps, 6))
    walk = np.empty_like(noise)
    walk[0] = noise[0]
    for i in range(1, steps):
        walk[i] = memory * walk[i - 1] + np.sqrt(1 - memory**2) * noise[i]
    return walk


def _keep_in_view(position: Floats, camera: Camera) -> Floats:
    """Shift the face sideways so that it is in the picture, as a person who sees the preview would."""
    half = np.array([camera.width, camera.height]) / 2 / camera.focal * position[2]
    low, high = -half + [6.5, 8.5], half - [6.5, 6.5]
    high[1] = min(high[1], TORSO_CM - half[1])  # the mesh ends at the waist; its end must stay out of sight
    middle = (low + high) / 2
    position[:2] = np.clip(position[:2], np.minimum(low, middle), np.maximum(high, middle))
    return position


def _pose(
    habits: _Habits,
    grip: _Grip,
    camera: Camera,
    screen: Floats,
    dot: Floats,
    drift: Floats,
    outside: Floats | None,
) -> HeadPose:
    centre = np.array([(screen[0] + screen[2]) / 2, (screen[1] + screen[3]) / 2])
    r = habits.restlessness
    distance = np.clip(habits.distance + 1.4 * r * drift[2], NEAREST_CM, FARTHEST_CM)
    aside = habits.centring * centre + habits.offset + distance * grip.tilt + 0.7 * r * drift[:2]
    position = np.array([*aside, distance])
    position = _keep_in_view(position, camera)
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


def _closed(rng: Generator, rest: float) -> tuple[float, float]:
    if rng.random() < CLOSED_SHARE:
        shut = float(rng.uniform(0.55, 1.0))
        return shut, float(np.clip(shut + rng.normal(0, 0.03), 0, 1))
    both = rest + rng.normal(0, 0.05)
    return float(both + rng.normal(0, 0.015)), float(both + rng.normal(0, 0.015))


def _outside(rng: Generator) -> Floats:
    """Where, in half pictures from the middle, the face slips out of view."""
    along, side = rng.uniform(-0.6, 0.6), rng.uniform(0.95, 1.25)
    if rng.random() < 0.5:
        return np.array([along, -side])  # down, below the lower edge
    return np.array([rng.choice([-1, 1]) * side, along])


def plan_session(
    streams: dict[str, Generator],
    frames: int,
    devices: Sequence[str] | None,
    size: tuple[int, int],
    difficulty: float,
) -> Session:
    """Decide everything about a subject's session.

    Args:
        streams: from `subject_streams`.
        frames: number of frames.
        devices: names from the device table to choose from; None for all, phones more often than tablets.
        size: (width, height) of a portrait frame in px; landscape-held frames are the other way round.
        difficulty: factor on the spread of head pose and position, on motion, noise and lost frames; 1 is
            realistic.
    """
    identity = sample_identity(streams["identity"])
    rng = streams["session"]
    device = _choose_device(rng, devices)
    light = sample_light(rng)
    habits = _habits(rng, device, difficulty)
    # Front cameras of these devices see 54° to 62° along the longer side (640 px at the default size).
    focal = float(rng.uniform(535, 630)) * max(size) / 640
    dark = 3.0 if light.kind == "screen" else 1.6 if light.kind == "lamp" else 1.0
    sensor = Sensor(
        shot=float(rng.uniform(0.00008, 0.0006)) * dark * difficulty,
        read=float(rng.uniform(0.0005, 0.002)) * dark * difficulty,
        balance=rng.normal(1, 0.025, 3),
        sharpening=float(rng.uniform(0, 0.7)),
        vignette=float(rng.uniform(0, 0.25)),
    )
    dots = sample_dots(device, frames, rng)
    cm = device.to_camera_cm(dots.x_pts, dots.y_pts, dots.screen_w, dots.screen_h, dots.orientation)
    rng = streams["frames"]
    slow = _drift(rng, int(dots.number[-1]) + 1 if frames else 1, 0.85)
    quick = _drift(rng, max(frames, 1), 0.6)
    short, long = min(size), max(size)
    plan = []
    grips: dict[int, _Grip] = {}
    screens: dict[int, Floats] = {}
    for i in range(frames):
        landscape = dots.orientation[i] >= 3
        camera = Camera(long if landscape else short, short if landscape else long, focal)
        held = int(dots.orientation[i])
        if held not in grips:
            grips[held] = _grip(rng, camera, difficulty)
            screens[held] = np.array(device.screen_rectangle_cm(held))
        outside = _outside(rng) if rng.random() < OUTSIDE_SHARE * difficulty else None
        pose = _pose(
            habits, grips[held], camera, screens[held], cm[i], slow[dots.number[i]] + 0.25 * quick[i], outside
        )
        closed = _closed(rng, identity.lid_rest)
        shake = rng.normal(0, 0.5 * difficulty * (1.6 if dark > 1 else 1.0), 2)
        exposure = Exposure(
            gain=habits.gain * float(np.exp(rng.normal(0, 0.04))),
            blur=habits.blur * max(size) / 640 + abs(float(rng.normal(0, 0.08))),
            motion=(float(shake[0]), float(shake[1])),
            quality=habits.quality,
        )
        units = {
            "mouthSmileLeft": max(0.0, rng.normal(0, 0.08)),
            "jawOpen": max(0.0, rng.normal(-0.04, 0.05)),
        }
        units["browInnerUp"] = max(0.0, rng.normal(0, 0.06))
        missed = bool(rng.random() < MISSED_SHARE * difficulty)
        shut = max(closed) > 0.5 and bool(rng.random() < 0.7)
        plan.append(
            Frame(
                camera,
                cm[i],
                pose,
                closed,
                units,
                exposure,
                missed or outside is not None,
                shut,
                grips[held].finger,
            )
        )
    return Session(identity, device, dots, light, sensor, tuple(plan))
