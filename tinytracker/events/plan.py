"""The plan of a person's clips: what is looked at, how the head moves, and which instants are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinytracker.arrays import Floats, Floats32
from tinytracker.data.eye_marks import STRIP_PER_EYE_DISTANCE
from tinytracker.events.course import SCRIPTS, Course, sample_course
from tinytracker.synth.boxes import face_marks
from tinytracker.synth.dots import Dots
from tinytracker.synth.habits import keep_in_view
from tinytracker.synth.head_movements import sample_head
from tinytracker.synth.scene import HeadPose, aim_eyes
from tinytracker.synth.sequence import follow_gaze
from tinytracker.synth.sitting import Frame, Sitting, plan_sitting

STRIP_ASPECT = 2.0
"""Width of a clip's strip divided by its height: a grid of 64 × 32 has square cells."""
MOVEMENT = "calm"
"""Of the head. The sensor rests on something: the tremor of a hand makes more events than the eyes do."""
LID_CM = 1.1
"""How far the upper lid moves in a blink."""
DRAWN_PX, PICTURE_PX = 0.1, 0.5
"""The eyes are drawn again when something there has moved this far; the rest, when the head has."""
PICTURE_S = 0.1
"""And at least this often."""
CANDIDATES = 4
"""Places and poses planned per clip, of which one that a camera sees well is taken."""


@dataclass(frozen=True)
class ClipPlan:
    """One clip.

    Attributes:
        first: number of its first frame in the sitting. course: of the eyes, n instants.
        degrees: (n, 2) direction of the gaze. eyes: (n, 4) px. strip: x, y, w, h px; see `Clip`.
        drawn: instants at which the eyes are drawn. pictures: and the whole picture; both with first and last.
    """

    first: int
    course: Course
    degrees: Floats32
    eyes: Floats32
    strip: tuple[int, int, int, int]
    drawn: tuple[int, ...]
    pictures: tuple[int, ...]


def plan_clips(
    streams: dict[str, np.random.Generator],
    clips: int,
    seconds: float,
    rate: int,
    devices: Sequence[str] | None,
    size: tuple[int, int],
    gaze: str = "natural",
) -> tuple[Sitting, tuple[ClipPlan, ...]]:
    """Plan a person's clips.

    Args:
        streams: from `tinytracker.synth.sitting.subject_streams`.
        clips: number of them; each has a place, a pose and an orientation of its own.
        seconds: length of each.
        rate: instants per second.
        devices: names of the device table to choose from; None for all.
        size: (width, height) of the sensor held upright, px.
        gaze: what the eyes are busy with, a name in `tinytracker.events.course.SCRIPTS`.

    Returns:
        A sitting whose frames are the instants of all clips, one clip after the other, and the plans.
    """
    sitting = plan_sitting(streams, CANDIDATES * clips, devices, size, 1.0)
    rng = streams["sequence"]
    seen = [i for i, frame in enumerate(sitting.frames) if not frame.lost] or [0]
    chosen = [seen[k * len(seen) // clips] for k in range(clips)]
    frames: list[Frame] = []
    held: list[int] = []
    plans = []
    times = np.arange(max(round(seconds * rate), 2)) / rate
    for number in chosen:
        orientation = int(sitting.dots.orientation[number])
        screen = np.array(sitting.device.screen_rectangle_cm(orientation))
        base = replace(sitting.frames[number], finger=None)
        rest = keep_in_view(base.pose.position.copy(), base.camera)
        course = sample_course(rng, times, screen, float(rest[2]), SCRIPTS[gaze])
        head = sample_head(rng, times, MOVEMENT, rest, base.camera, in_hand=False)
        poses = follow_gaze(head, course.gaze, screen, base.pose.torso, rate)
        moving = _frames(sitting, base, course, poses)
        plans.append(_plan(sitting, moving, course, len(frames), rate))
        frames += moving
        held += [orientation] * len(moving)
    dots = _dots(sitting.dots, held)
    return replace(sitting, frames=tuple(frames), dots=dots), tuple(plans)


def _frames(sitting: Sitting, base: Frame, course: Course, poses: list[HeadPose]) -> list[Frame]:
    closed = np.maximum(course.blink, sitting.identity.lid_rest)
    return [
        replace(
            base, dot_cm=course.gaze[i], pose=pose, closed=(float(closed[i]), float(closed[i])), eyes_lost=False
        )
        for i, pose in enumerate(poses)
    ]  # fmt: skip


def _dots(dots: Dots, held: list[int]) -> Dots:
    """Return dots of which only the orientation has a meaning: a clip's label is in centimetres."""
    n = len(held)
    zeros, nothing = np.zeros(n, np.int64), np.zeros(n)
    width, height = np.full(n, dots.screen_w[0]), np.full(n, dots.screen_h[0])
    return Dots(zeros, nothing, nothing, nothing, width, height, np.array(held))


def _plan(sitting: Sitting, frames: list[Frame], course: Course, first: int, rate: int) -> ClipPlan:
    identity, camera = sitting.identity, frames[0].camera
    marks = [face_marks(identity, camera, f.pose) for f in frames]
    eyes = np.array([[*m.left_eye, *m.right_eye] for m in marks])
    aimed = [aim_eyes(identity, f.pose, f.dot_cm) for f in frames]
    centres = np.array([[e.centre for e in both.values()] for both in aimed])
    optical = np.array([[e.optical for e in both.values()] for both in aimed])
    scale = camera.focal / centres[:, :, 2].mean(1)
    iris = identity.globe.iris_depth * scale[:, None] * optical[..., :2].reshape(len(frames), -1)
    lids = LID_CM * scale * np.maximum(course.blink, identity.lid_rest)
    drawn = instants(np.column_stack([eyes, iris, lids]), DRAWN_PX, len(frames))
    pictures = instants(eyes, PICTURE_PX, max(round(PICTURE_S * rate), 1))
    toward = np.column_stack([course.gaze, np.zeros(len(frames))]) - centres.mean(1)
    yaw = np.arctan2(toward[:, 0], -toward[:, 2])
    pitch = np.arctan2(toward[:, 1], np.hypot(toward[:, 0], toward[:, 2]))
    degrees = np.degrees(np.column_stack([yaw, pitch])).astype(np.float32)
    strip = strip_around(eyes[0], camera.width, camera.height)
    return ClipPlan(first, course, degrees, eyes.astype(np.float32), strip, drawn, pictures)


def strip_around(eyes: Floats, width: int, height: int) -> tuple[int, int, int, int]:
    """Return x, y, w, h of the strip around two eyes (4,) px, inside a sensor of width and height px."""
    w = STRIP_PER_EYE_DISTANCE * float(np.hypot(eyes[2] - eyes[0], eyes[3] - eyes[1]))
    w = min(max(round(w / 2) * 2, 2), width)
    h = min(max(round(w / STRIP_ASPECT), 1), height)
    x, y = round((eyes[0] + eyes[2] - w) / 2), round((eyes[1] + eyes[3] - h) / 2)
    return int(np.clip(x, 0, width - w)), int(np.clip(y, 0, height - h)), int(w), int(h)


def instants(places: Floats, step: float, longest: int) -> tuple[int, ...]:
    """Return at which of n instants to draw: the first, the last, and whenever a place has moved.

    Args:
        places: (n, k) px.
        step: movement since the last drawn instant that needs a new one, px.
        longest: most instants between two drawn ones.
    """
    chosen = [0]
    for i in range(1, len(places)):
        last = chosen[-1]
        starts = np.abs(places[i] - places[i - 1]).max() > step / 2
        moved = starts or np.abs(places[i] - places[last]).max() > step
        if not moved and i - last < longest and i < len(places) - 1:
            continue
        if starts and i - last > 1:
            chosen.append(i - 1)  # what starts suddenly after a rest is not spread over that rest
        chosen.append(i)
    return tuple(chosen)
