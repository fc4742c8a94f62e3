"""What a prepared record keeps of the whole frame, so that a network can be trained on misplaced crops.

`prepare --aim` adds to each record the frame itself (at most 640 px long) with the place of the strip in it. Everything
else is cut from that at training time: misplaced strips at the network's resolution, crops several strips wide, crops
without eyes, and the small view of the whole frame for a finder (`tf.io.decode_jpeg(ratio=2)` decodes it at half the
size in half the time).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytracker.data.eye_marks import EYES_FILE, ROOMS_FOLDER, EyeMarks, marks_from_boxes, read_eye_marks
from tinytracker.data.gazecapture import Recording
from tinytracker.data.images import Frame, Pixels, encode
from tinytracker.data.reasons import Reason
from tinytracker.data.source import Subject
from tinytracker.errors import SubjectError

LONGEST_PX = 640
"""Longer side of a stored frame, unless a caller wants another; larger frames are averaged down."""


@dataclass(frozen=True)
class Surroundings:
    """The fields that `prepare --aim` adds to a record.

    Attributes:
        whole: the frame, encoded as JPEG; the original bytes if the frame is not longer than it may be.
        room: a picture of the same room without a person, encoded likewise; empty in most records.
        strip: x, y of the centre and width of the strip with both eyes, px of the frame (not of `whole`).
        roll: angle of the line through both eyes, rad; positive when the eye on the right of the picture is lower.
        focal: focal length relative to that of a phone's front camera: a factor on the cm per unit of an output.
        closed: how far the eye that is closed more is shut, 0 to 1; 0 where unknown.
        occluded: 1 where a finger covers an eye; 0 where unknown.
        exact: 1 if the strip comes from exact marks, 0 if from a detector's boxes.
    """

    whole: bytes
    room: bytes
    strip: tuple[float, float, float]
    roll: float
    focal: float
    closed: float
    occluded: float
    exact: float


FLOAT_FIELDS = {"strip": 3, "roll": 0, "focal": 0, "closed": 0, "occluded": 0, "exact": 0}
"""Float32 fields of `Surroundings` and their length; 0 means a scalar."""

IMAGE_FIELDS = ("whole", "room")


class SubjectSurroundings:
    """Makes the surroundings of one subject's frames."""

    def __init__(self, subject: Subject, recording: Recording, longest_px: int = LONGEST_PX) -> None:
        """Raises `SubjectError` when eyes.json is damaged; frames longer than `longest_px` are averaged down."""
        self._longest = longest_px
        content = subject.documents([EYES_FILE]).get(EYES_FILE)
        try:
            self._marks: EyeMarks = (
                marks_from_boxes(recording) if content is None else read_eye_marks(content, len(recording))
            )
        except (ValueError, RecursionError, TypeError) as error:
            raise SubjectError(subject.path, Reason.BAD_JSON, f"{EYES_FILE}: {error}") from error
        self._strips, self._roll = self._marks.strips, self._marks.roll
        self._rooms = subject.pictures(ROOMS_FOLDER)

    def of_frame(self, i: int, frame: Frame) -> Surroundings:
        """Return the surroundings of frame i.

        Every room is stored once, with the first frames.
        """
        room = b""
        if i < len(self._rooms):
            picture = Frame(self._rooms[i])
            picture.pixels  # noqa: B018 - a damaged room is found here, not in training
            room = _stored(picture, self._longest)
        x, y, width = (float(v) for v in self._strips[i])
        return Surroundings(
            _stored(frame, self._longest), room, (x, y, width), float(self._roll[i]),
            float(self._marks.focal[i]), float(self._marks.closed[i]), float(self._marks.occluded[i]),
            float(self._marks.exact),
        )  # fmt: skip


def _stored(frame: Frame, longest_px: int) -> bytes:
    """Return the bytes to store for an image: its own if they are a JPEG of at most this length."""
    from PIL import Image

    longer = max(frame.height, frame.width)
    if longer <= longest_px:
        return frame.content if frame.content[:2] == b"\xff\xd8" else encode(frame.pixels, "jpeg")
    size = [max(1, int(np.floor(v * longest_px / longer + 0.5))) for v in (frame.width, frame.height)]
    shrunk = Image.fromarray(frame.pixels).resize((size[0], size[1]), Image.Resampling.BOX)
    return encode(np.asarray(shrunk), "jpeg")


def decode_whole(content: bytes) -> Pixels:
    """Decode a stored frame or room in numpy: uint8 (h, w, 3)."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def features(of: Any) -> dict[str, Any]:
    """Return the TensorFlow features of the fields, for `tf.io.parse_single_example`; `of` is the module tf."""
    found = {name: of.io.FixedLenFeature((n,) if n else (), of.float32) for name, n in FLOAT_FIELDS.items()}
    return found | {name: of.io.FixedLenFeature((), of.string) for name in IMAGE_FIELDS}
