"""The same person over time: a sitting whose frames follow one another 30 or 60 times per second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.synth.dots import Dots
from tinytracker.synth.eye_movements import GazeTrack, sample_blinks, sample_gaze
from tinytracker.synth.habits import keep_in_view
from tinytracker.synth.head_movements import MOVEMENTS, HeadTrack, sample_head
from tinytracker.synth.scene import Camera, HeadPose, rotation
from tinytracker.synth.sitting import Frame, Sitting

SEQUENCE_FILE = "sequence.json"
"""Beside the other JSON files of a subject: what no recorded data set has, and its frame rate."""

RATES = (30, 60)
MIXED = "mixed"
"""Each subject moves in one of the ways of `MOVEMENTS`, in turn."""

HEAD_FOLLOWS, HEAD_LAG_S = 0.25, 0.25
"""The head turns a part of the way to what the eyes look at, and this much later."""
EXPOSED_S = 0.010
"""Exposure time: a head that moves is blurred along its way."""
EYES_LOST_ABOVE = 0.5
"""A detector does not find eyes that are closed farther than this."""


@dataclass(frozen=True)
class Course:
    """What happens when in a sequence.

    Attributes:
        rate: frames per second. movement: name of `MOVEMENTS`.
        times: (n,) s since the first frame. gaze: fixations and saccades.
    """

    rate: int
    movement: str
    times: Floats
    gaze: GazeTrack

    def as_json(self) -> dict[str, Any]:
        """Return the content of sequence.json: rate, movement, and per frame the time and whether a saccade flies."""
        return {
            "Rate": self.rate,
            "Movement": self.movement,
            "Time": self.times.round(6).tolist(),
            "Saccade": self.gaze.flying.astype(int).tolist(),
        }


def movement_of(movement: str, index: int) -> str:
    """Return how subject `index` moves."""
    return list(MOVEMENTS)[index % len(MOVEMENTS)] if movement == MIXED else movement


def over_time(sitting: Sitting, rate: int, movement: str, rng: np.random.Generator) -> tuple[Sitting, Course]:
    """Return a sitting of the same person, device and light whose frames are a sequence.

    Args:
        sitting: from `plan_sitting`; its first frame says how device and head are held.
        rate: frames per second.
        movement: a name of `MOVEMENTS`.
        rng: random generator.
    """
    first, n = sitting.frames[0], len(sitting.frames)
    held = int(sitting.dots.orientation[0])
    times = np.arange(n) / rate
    screen = np.array(sitting.device.screen_rectangle_cm(held))
    rest = keep_in_view(first.pose.position * [1, 1, rng.uniform(1.0, 1.25)], first.camera)
    gaze = sample_gaze(rng, times, screen, float(rest[2]))
    head = sample_head(rng, times, movement, rest, first.camera)
    blinks = sample_blinks(rng, times)
    poses = follow_gaze(head, gaze.gaze, screen, first.pose.torso, rate)
    frames = _frames(sitting, poses, gaze, blinks, rate)
    course = Course(rate, movement, times, gaze)
    return replace(sitting, frames=frames, dots=_dots(sitting, gaze, held)), course


def follow_gaze(head: HeadTrack, gaze: Floats, screen: Floats, torso: Floats, rate: int) -> list[HeadPose]:
    """Turn the head to the gaze, partly and late, and by its own movement.

    Args:
        head: its own movement, n instants.
        gaze: (n, 2) cm.
        screen: (4,) x0, y0, x1, y1, cm.
        torso: (3, 3), of every pose.
        rate: instants per second.
    """
    centre = (screen[:2] + screen[2:]) / 2
    share = 1 - np.exp(-1 / (rate * HEAD_LAG_S))
    followed, poses = gaze[0].copy(), []
    for position, turn, now in zip(head.position, head.turn, gaze, strict=True):
        followed += (now - followed) * share
        toward = np.array([*(centre + HEAD_FOLLOWS * (followed - centre)), 0.0]) - position
        yaw = 0.8 * np.arctan2(toward[0], -toward[2]) + turn[0]
        pitch = 0.8 * np.arctan2(toward[1], -toward[2]) + turn[1]
        poses.append(HeadPose(position, rotation(float(pitch), float(yaw), float(turn[2])), torso))
    return poses


def _frames(
    sitting: Sitting, poses: list[HeadPose], gaze: GazeTrack, blinks: Floats, rate: int
) -> tuple[Frame, ...]:
    first = sitting.frames[0]
    places = first.camera.project(np.stack([pose.position for pose in poses]))
    moved = np.gradient(places, axis=0) if len(poses) > 1 else np.zeros_like(places)
    blur = moved * min(EXPOSED_S * rate, 1.0)
    closed = np.maximum(blinks, sitting.identity.lid_rest)
    return tuple(
        replace(
            first,
            dot_cm=gaze.gaze[i],
            pose=pose,
            closed=(float(closed[i]), float(closed[i])),
            exposure=replace(first.exposure, motion=(float(blur[i, 0]), float(blur[i, 1]))),
            lost=_is_outside(places[i], first.camera),
            eyes_lost=bool(closed[i] > EYES_LOST_ABOVE),
        )
        for i, pose in enumerate(poses)
    )


def _is_outside(place: Floats, camera: Camera) -> bool:
    return not (0 <= place[0] < camera.width and 0 <= place[1] < camera.height)


def _dots(sitting: Sitting, gaze: GazeTrack, held: int) -> Dots:
    """Describe the places that are looked at as dots: during a saccade, the point that the eyes fly over."""
    n = len(gaze.gaze)
    dots = sitting.dots
    width, height = int(dots.screen_w[0]), int(dots.screen_h[0])
    points = sitting.device.to_screen_points(gaze.gaze, width, height, held)
    return Dots(
        number=gaze.target,
        time=gaze.since,
        x_pts=points[:, 0],
        y_pts=points[:, 1],
        screen_w=np.full(n, width),
        screen_h=np.full(n, height),
        orientation=np.full(n, held),
    )
