"""One prepared frame: the content of a shard's record, to and from TensorFlow's Example format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinytracker.data import surroundings
from tinytracker.data.example_bytes import example_bytes
from tinytracker.data.surroundings import Surroundings


@dataclass(frozen=True)
class StoredFrame:
    """One record. Boxes are (x, y, w, h). It holds what any preset needs, so changing preset needs no new `prepare`.

    Attributes:
        image: the face box and a margin around it, encoded as JPEG or PNG; black outside the frame.
        face_in_crop: the face box in px of `image`; float, since the image may have been shrunk.
        left_eye_in_crop: the subject's left eye in px of `image`. right_eye_in_crop: the right eye.
        face: the face box in px of the frame.
        frame_size: width and height of the frame in px.
        gaze: x, y in cm from the camera.
        screen_size: width and height of the screen in points.
        dot_time: seconds since the dot appeared.
        orientation: 1 to 4. dot_num: number of the dot. frame: number of the frame in the recording.
        subject: name of the subject. device: name of the device. family: "phone" or "tablet".
        surroundings: the whole frame and the place of the strip in it, with `prepare --aim`; else None.
    """

    image: bytes
    face_in_crop: tuple[float, float, float, float]
    left_eye_in_crop: tuple[float, float, float, float]
    right_eye_in_crop: tuple[float, float, float, float]
    face: tuple[float, float, float, float]
    frame_size: tuple[float, float]
    gaze: tuple[float, float]
    screen_size: tuple[float, float]
    dot_time: float
    orientation: int
    dot_num: int
    frame: int
    subject: str
    device: str
    family: str
    surroundings: Surroundings | None = None


FLOAT_FIELDS = {
    "face_in_crop": 4,
    "left_eye_in_crop": 4,
    "right_eye_in_crop": 4,
    "face": 4,
    "frame_size": 2,
    "gaze": 2,
    "screen_size": 2,
    "dot_time": 0,
}
"""Float32 fields of a record and their length; 0 means a scalar."""

INT_FIELDS = ("orientation", "dot_num", "frame")
TEXT_FIELDS = ("subject", "device", "family")


def serialize(stored: StoredFrame) -> bytes:
    """Serialize the frame as a `tf.train.Example`; equal frames give equal bytes."""
    values = dict(vars(stored))
    more: Surroundings | None = values.pop("surroundings")
    if more is not None:
        values |= vars(more)
    for name, value in values.items():
        if isinstance(value, float):
            values[name] = (value,)
        elif isinstance(value, str):
            values[name] = value.encode()
    return example_bytes(values)


def parse(serialized: Any, aim: bool = False) -> dict[str, Any]:
    """Parse one serialized example inside a `tf.data` graph; the image stays encoded.

    Args:
        serialized: scalar string tensor.
        aim: whether the record has surroundings; see `PreparedIndex.has_surroundings`.

    Returns:
        A dict with the fields of `StoredFrame`: `image` and texts as scalar strings, floats as float32 of
        the field's length, integers as scalar int64; with `aim` also the fields of `Surroundings`, whose images
        stay encoded.
    """
    import tensorflow as tf

    features = {
        name: tf.io.FixedLenFeature((n,) if n else (), tf.float32) for name, n in FLOAT_FIELDS.items()
    }
    features |= {name: tf.io.FixedLenFeature((), tf.int64) for name in INT_FIELDS}
    features |= {name: tf.io.FixedLenFeature((), tf.string) for name in ("image", *TEXT_FIELDS)}
    if aim:
        features |= surroundings.features(tf)
    parsed: dict[str, Any] = tf.io.parse_single_example(serialized, features)
    return parsed
