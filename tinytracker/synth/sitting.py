"""The plan of a subject's sitting, frame by frame: device, dots, grip, gaze, blinks, camera settings.

Everything random about a subject except pixel noise is drawn here; rendering only follows the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.data.devices import DEVICES, Device, find_device
from tinytracker.synth.dots import Dots, sample_dots
from tinytracker.synth.habits import (
    Grip,
    Habits,
    drift_walk,
    pose_head,
    sample_closed,
    sample_grip,
    sample_habits,
    sample_outside,
)
from tinytracker.synth.identity import Identity
from tinytracker.synth.light import Light, sample_light
from tinytracker.synth.looks import sample_hand, with_looks
from tinytracker.synth.people import sample_identity
from tinytracker.synth.scene import Camera, HeadPose

Generator = np.random.Generator

STREAMS = (
    "identity", "sitting", "frames", "boxes", "motion", "background", "hair", "texture", "noise", "framing",
    "sequence", "looks",
)  # fmt: skip
"""Independent random generators of a subject: an additional draw from one does not affect the others."""

OUTSIDE_SHARE = 0.012
MISSED_SHARE = 0.01
DEVICE_WEIGHT = {"phone": 1.0, "tablet": 0.28}
"""Share of subjects with a phone: most of GazeCapture's subjects used one."""


@dataclass(frozen=True)
class Exposure:
    """Camera settings of one frame: linear gain, blur (sigma, px), motion (px), JPEG quality."""

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
        focal_factor: focal length divided by that of the device's camera; not 1 only in varied framing.
        hand: the subject's hand rests at the face.
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
    focal_factor: float = 1.0
    hand: bool = False


@dataclass(frozen=True)
class Sensor:
    """A camera: shot and read noise, white balance (3,), unsharp mask, vignetting, contrast of its tone curve."""

    shot: float
    read: float
    balance: Floats
    sharpening: float
    vignette: float
    contrast: float


@dataclass(frozen=True)
class Sitting:
    """One subject in front of one device."""

    identity: Identity
    device: Device
    dots: Dots
    light: Light
    sensor: Sensor
    frames: tuple[Frame, ...]


def subject_streams(seed: int, index: int) -> dict[str, Generator]:
    """Return the generators of subject `index`: a pure function of (seed, index)."""
    return {
        name: np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index, k)))
        for k, name in enumerate(STREAMS)
    }


def _choose_device(rng: Generator, names: Sequence[str] | None) -> Device:
    pool = [find_device(name) for name in names] if names else list(DEVICES.values())
    weights = np.array([1.0 if names else DEVICE_WEIGHT[d.family] for d in pool])
    return pool[rng.choice(len(pool), p=weights / weights.sum())]


def plan_sitting(
    streams: dict[str, Generator],
    frames: int,
    devices: Sequence[str] | None,
    size: tuple[int, int],
    difficulty: float,
) -> Sitting:
    """Plan a subject's sitting.

    Args:
        streams: from `subject_streams`.
        frames: number of frames.
        devices: names from the device table to choose from; None for all, phones more often than tablets.
        size: (width, height) of a portrait frame in px; landscape-held frames are the other way round.
        difficulty: factor on the spread of head pose and position, on motion, noise and lost frames; 1 is
            realistic.
    """
    identity = with_looks(sample_identity(streams["identity"]), streams["looks"])
    rng = streams["sitting"]
    device = _choose_device(rng, devices)
    light = sample_light(rng)
    habits = sample_habits(rng, device, difficulty)
    # Front cameras of these devices see 54° to 62° along the longer side (640 px at the default size).
    focal = float(rng.uniform(535, 630)) * max(size) / 640
    dark = 3.0 if light.kind == "screen" else 1.6 if light.kind == "lamp" else 1.0
    sensor = _sensor(rng, dark, difficulty, streams["looks"])
    dots = sample_dots(device, frames, rng)
    cm = device.to_camera_cm(dots.x_pts, dots.y_pts, dots.screen_w, dots.screen_h, dots.orientation)
    rng = streams["frames"]
    slow = drift_walk(rng, int(dots.number[-1]) + 1 if frames else 1, 0.85)
    quick = drift_walk(rng, max(frames, 1), 0.6)
    short, long = min(size), max(size)
    hand = sample_hand(identity, streams["looks"], int(dots.number[-1]) + 1 if frames else 1)
    plan = []
    grips: dict[int, Grip] = {}
    screens: dict[int, Floats] = {}
    for i in range(frames):
        landscape = dots.orientation[i] >= 3
        camera = Camera(long if landscape else short, short if landscape else long, focal)
        held = int(dots.orientation[i])
        if held not in grips:
            grips[held] = sample_grip(rng, camera, difficulty)
            screens[held] = np.array(device.screen_rectangle_cm(held))
        outside = sample_outside(rng) if rng.random() < OUTSIDE_SHARE * difficulty else None
        pose = pose_head(
            habits, grips[held], camera, screens[held], cm[i], slow[dots.number[i]] + 0.25 * quick[i], outside
        )
        closed = sample_closed(rng, identity.lid_rest)
        exposure = _exposure(rng, habits, max(size), difficulty, is_dark=dark > 1)
        units = _expression(rng)
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
                hand=bool(hand[dots.number[i]]),
            )
        )
    return Sitting(identity, device, dots, light, sensor, tuple(plan))


def _sensor(rng: Generator, dark: float, difficulty: float, looks: Generator) -> Sensor:
    """Draw a camera; both factors make it noisier. `looks` draws what the manufacturer's processing adds."""
    return Sensor(
        shot=float(rng.uniform(0.00006, 0.00045)) * dark * difficulty,
        read=float(rng.uniform(0.0005, 0.002)) * dark * difficulty,
        balance=rng.normal(1, 0.025, 3),
        sharpening=float(rng.uniform(0, 0.9)),
        vignette=float(rng.uniform(0, 0.25)),
        contrast=float(np.clip(looks.normal(0.25, 0.25), -0.25, 0.8)),
    )


def _exposure(
    rng: Generator, habits: Habits, longer_side: int, difficulty: float, *, is_dark: bool
) -> Exposure:
    """Draw one frame's exposure; blur grows with the image's longer side, px, and motion blur in the dark."""
    shake = rng.normal(0, 0.5 * difficulty * (1.6 if is_dark else 1.0), 2)
    return Exposure(
        gain=habits.gain * float(np.exp(rng.normal(0, 0.04))),
        blur=habits.blur * longer_side / 640 + abs(float(rng.normal(0, 0.08))),
        motion=(float(shake[0]), float(shake[1])),
        quality=habits.quality,
    )


def _expression(rng: Generator) -> dict[str, float]:
    """Draw the weights of face units that are unrelated to the gaze."""
    return {
        "mouthSmileLeft": max(0.0, rng.normal(0, 0.08)),
        "jawOpen": max(0.0, rng.normal(-0.04, 0.05)),
        "browInnerUp": max(0.0, rng.normal(0, 0.06)),
    }
