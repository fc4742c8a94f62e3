"""One synthetic subject, arrays and frames: a pure function of the parameters and its index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytracker.data.eye_marks import EYES_FILE, ROOMS_FOLDER
from tinytracker.data.gazecapture import Recording, write_recording
from tinytracker.data.parts import Part
from tinytracker.files import json_bytes
from tinytracker.locks import locked

if TYPE_CHECKING:
    from tinytracker.synth.sequence import Course
    from tinytracker.synth.sitting import Sitting

GENERATOR_VERSION = 2
"""Incremented whenever the same seed gives different images or labels."""

FRAMES_PER_ROOM = 5
"""With `Parameters.aim`, a subject has one picture of the room for every so many frames."""

_PATTERN = (
    *("train", "test", "val", *("train",) * 7),
    *("test", *("train",) * 6, "val", "train", "train", "test", *("train",) * 4),
)
"""Of 25 consecutive subjects, 20 are for training, 2 for validation, 3 for testing; the first three: one of each."""


@dataclass(frozen=True)
class Parameters:
    """The parameters of a data set; subjects with equal parameters belong together.

    Attributes:
        frames: frames per subject. seed: random seed. devices: names to choose from, () for all.
        size: (width, height) of a portrait frame in px. difficulty: see `plan_sitting`.
        aim: varied framing (`tinytracker.synth.framing`), and pictures of the room without the subject.
        sequences: frames per second of sequences (`tinytracker.synth.sequence`); 0 for frames of separate dots.
        movement: of the heads in sequences.
    """

    frames: int
    seed: int
    devices: tuple[str, ...]
    size: tuple[int, int]
    difficulty: float
    aim: bool = False
    sequences: int = 0
    movement: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the parameters as a JSON object, with the generator's version."""
        document = {"generator_version": GENERATOR_VERSION} | asdict(self)
        # Data sets of releases without these parameters can be resumed.
        added = ("aim", "sequences", "movement")
        return {name: value for name, value in document.items() if value or name not in added}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Parameters:
        """Build parameters from a JSON object; the inverse of `as_json`, ignoring the version."""
        return cls(
            frames=int(document["frames"]),
            seed=int(document["seed"]),
            devices=tuple(document["devices"]),
            size=(int(document["size"][0]), int(document["size"][1])),
            difficulty=float(document["difficulty"]),
            aim=bool(document.get("aim", False)),
            sequences=int(document.get("sequences", 0)),
            movement=str(document.get("movement", "")),
        )


def split_of(index: int) -> str:
    """Return the split of subject `index`: about 80 % train, 8 % val, 12 % test, independent of the seed."""
    return _PATTERN[index % len(_PATTERN)]


def describe(sitting: Sitting, index: int, streams: dict[str, np.random.Generator]) -> Recording:
    """Return everything about a subject except the pixels."""
    from tinytracker.synth.boxes import detect
    from tinytracker.synth.motion import motion_track

    boxes = detect(sitting.identity, sitting.frames, streams["boxes"])
    dots = sitting.dots
    gaze = np.array([f.dot_cm for f in sitting.frames]).reshape(-1, 2)
    return Recording(
        name=subject_name(index),
        dataset=split_of(index),
        device_name=sitting.device.name,
        frame_names=tuple(f"{i:05d}.jpg" for i in range(len(sitting.frames))),
        face=boxes["face"],
        left_eye=boxes["left_eye"],
        right_eye=boxes["right_eye"],
        face_grid=boxes["face_grid"],
        dot_num=dots.number,
        x_pts=dots.x_pts,
        y_pts=dots.y_pts,
        x_cam=gaze[:, 0],
        y_cam=gaze[:, 1],
        dot_time=dots.time,
        screen_w=dots.screen_w,
        screen_h=dots.screen_h,
        orientation=dots.orientation,
        motion=motion_track(sitting, streams["motion"]),
    )


def subject_name(index: int) -> str:
    """Return the folder's name of subject `index`."""
    return f"{index:05d}"


def wanted_subjects(subjects: int, first: int, part: str | None) -> list[int]:
    """Return the numbers of the subjects to draw: `subjects` from `first` on, or those of them in a part such as "2/8".

    `tinytracker.data.prepare` takes the same ones for that part.

    Raises:
        UsageError: `part` is not a part.
    """
    wanted = range(first, first + subjects)
    if part is None:
        return list(wanted)
    own = Part.parse(part)
    return [i for i in wanted if own.holds(subject_name(i))]


def make_subject(out: Path, parameters: Parameters, index: int) -> tuple[str, dict[str, Any]]:
    """Draw subject `index` and write it under `out`, completely or not at all; a finished one is kept.

    Returns:
        Its name, and its attributes (`tinytracker.synth.attributes`).

    Raises:
        OutputError: another process draws the same subject, the disk is full, or permission is missing.
    """
    from tinytracker.synth.attributes import attributes_of
    from tinytracker.synth.sitting import subject_streams

    name = subject_name(index)
    with locked(out, f"synth, subject {name}", f".{name}.lock"):
        streams = subject_streams(parameters.seed, index)
        sitting, course = _plan(parameters, index, streams)
        if not (out / name).is_dir():
            _draw(out, parameters, index, streams, sitting, course)
    return name, attributes_of(sitting)


def _plan(
    parameters: Parameters, index: int, streams: dict[str, np.random.Generator]
) -> tuple[Sitting, Course | None]:
    """Plan the sitting of a subject, and the course of a sequence."""
    from tinytracker.synth.framing import vary
    from tinytracker.synth.sequence import movement_of, over_time
    from tinytracker.synth.sitting import plan_sitting

    sitting = plan_sitting(
        streams, parameters.frames, parameters.devices or None, parameters.size, parameters.difficulty
    )
    if parameters.aim:
        sitting = vary(sitting, streams["framing"])
    course = None
    if parameters.sequences:
        movement = movement_of(parameters.movement, index)
        sitting, course = over_time(sitting, parameters.sequences, movement, streams["sequence"])
    return sitting, course


def _draw(
    out: Path,
    parameters: Parameters,
    index: int,
    streams: dict[str, np.random.Generator],
    sitting: Sitting,
    course: Course | None,
) -> None:
    from tinytracker.synth.eye_marks import mark_eyes
    from tinytracker.synth.render import Renderer, encode_jpeg
    from tinytracker.synth.sequence import SEQUENCE_FILE

    recording = describe(sitting, index, streams)
    renderer = Renderer(sitting, streams)

    def jpegs() -> Iterator[bytes]:
        for number, frame in enumerate(sitting.frames):
            yield encode_jpeg(renderer.render(number), frame.exposure.quality)

    def rooms() -> Iterator[tuple[str, bytes]]:
        count = -(-parameters.frames // FRAMES_PER_ROOM) if parameters.aim else 0
        for number in range(count):
            picture, quality = renderer.render_room(streams["framing"])
            yield f"{ROOMS_FOLDER}/{number:05d}.jpg", encode_jpeg(picture, quality)

    def extra() -> Iterator[tuple[str, bytes]]:
        yield EYES_FILE, json_bytes(mark_eyes(sitting).as_json())
        if course is not None:
            yield SEQUENCE_FILE, json_bytes(course.as_json())
        yield from rooms()

    write_recording(out, recording, jpegs(), extra())
