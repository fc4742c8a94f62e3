"""Reads a GazeCapture subject, and rejects it with a reason when its files are damaged or contradict each other."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.data.devices import find_device
from tinytracker.data.gazecapture import (
    BOX_FILES,
    DOT_KEYS,
    FRAME_NAME,
    SCREEN_KEYS,
    SPLITS,
    Bools,
    Boxes,
    Ints,
    Recording,
)
from tinytracker.data.reasons import Reason
from tinytracker.data.source import Subject, as_subject
from tinytracker.errors import SubjectError, UnknownNameError
from tinytracker.files import StrPath

_NEEDED = (*BOX_FILES.values(), "dotInfo.json", "frames.json", "info.json", "screen.json")


def read_recording(source: Subject | StrPath, *, strict: bool = True, motion: bool = True) -> Recording:
    """Read one subject.

    Args:
        source: a subject, its folder, or its `NNNNN.tar.gz`.
        strict: reject the subject when a usable frame holds NaN or infinity; otherwise keep them, and
            `finite_frames` tells which frames have none.
        motion: also read motion.json, which is large and not used in training.

    Raises:
        SubjectError: the subject is damaged; `reason` says how (a missing file, bad JSON, arrays of
            different lengths, an unknown device or split, NaN, a damaged archive).
        InputFileError: `source` is not a subject.
    """
    subject = source if isinstance(source, Subject) else as_subject(source)
    documents = _Documents(subject, (*_NEEDED, "motion.json") if motion else _NEEDED)
    recording = Recording(
        name=subject.name,
        dataset=documents.split(),
        device_name=documents.device(),
        frame_names=documents.frame_names(),
        face=documents.boxes("appleFace.json"),
        left_eye=documents.boxes("appleLeftEye.json"),
        right_eye=documents.boxes("appleRightEye.json"),
        face_grid=documents.boxes("faceGrid.json"),
        dot_num=documents.integers("dotInfo.json", "DotNum"),
        x_pts=documents.numbers("dotInfo.json", "XPts"),
        y_pts=documents.numbers("dotInfo.json", "YPts"),
        x_cam=documents.numbers("dotInfo.json", "XCam"),
        y_cam=documents.numbers("dotInfo.json", "YCam"),
        dot_time=documents.numbers("dotInfo.json", "Time"),
        screen_w=documents.integers("screen.json", "W"),
        screen_h=documents.integers("screen.json", "H"),
        orientation=documents.integers("screen.json", "Orientation"),
        motion=documents.motion() if motion else (),
    )
    documents.check_lengths(recording)
    if strict:
        bad = np.flatnonzero(recording.usable & ~finite_frames(recording))
        if len(bad):
            problem = f"{len(bad)} frames hold NaN or infinity; the first is {recording.frame_names[bad[0]]}"
            raise SubjectError(subject.path, Reason.NOT_FINITE, problem)
    return recording


def finite_frames(recording: Recording) -> Bools:
    """Return the frames whose labels and detected boxes are all finite, bool (n,)."""
    labels = [getattr(recording, field) for field in DOT_KEYS.values()]
    finite: Bools = np.isfinite(np.stack(labels, axis=-1)).all(axis=-1)
    for boxes in (recording.face, recording.left_eye, recording.right_eye):
        finite &= ~boxes.valid | np.isfinite(boxes.corners()).all(axis=-1)
    return finite


class _Documents:
    """The JSON files of one subject, with typed access whose errors say what is wrong and where."""

    def __init__(self, subject: Subject, names: tuple[str, ...]) -> None:
        self._subject = subject
        self._values: dict[str, Any] = {}
        contents = subject.documents(names)
        for name in names:
            if name not in contents:
                self._fail(Reason.MISSING_FILE, name, "the file is missing or cannot be read")
            try:
                self._values[name] = json.loads(contents[name])
            except (ValueError, RecursionError) as error:
                self._fail(Reason.BAD_JSON, name, f"not JSON ({error})")

    def _fail(self, reason: Reason, file: str, problem: str) -> NoReturn:
        raise SubjectError(self._subject.path, reason, f"{file}: {problem}")

    def _get(self, file: str, key: str) -> Any:
        value = self._values[file]
        if not isinstance(value, dict) or key not in value:
            self._fail(Reason.BAD_JSON, file, f"no key {key!r}")
        return value[key]

    def split(self) -> str:
        value = self._get("info.json", "Dataset")
        if value not in SPLITS:
            self._fail(Reason.BAD_SPLIT, "info.json", f"Dataset is {value!r}, not one of {', '.join(SPLITS)}")
        return str(value)

    def device(self) -> str:
        value = self._get("info.json", "DeviceName")
        try:
            return find_device(str(value)).name
        except UnknownNameError as error:
            self._fail(Reason.UNKNOWN_DEVICE, "info.json", error.message.rstrip("."))

    def frame_names(self) -> tuple[str, ...]:
        value = self._values["frames.json"]
        if not isinstance(value, list):
            self._fail(Reason.BAD_JSON, "frames.json", "not a list of file names")
        for name in value:
            if not isinstance(name, str) or not FRAME_NAME.fullmatch(name):
                self._fail(Reason.BAD_JSON, "frames.json", f"{name!r} is not a frame name such as 00000.jpg")
        if len(set(value)) != len(value):
            self._fail(Reason.BAD_JSON, "frames.json", "a frame is listed twice")
        return tuple(value)

    def boxes(self, file: str) -> Boxes:
        valid = self.integers(file, "IsValid")
        if not np.isin(valid, (0, 1)).all():
            self._fail(Reason.BAD_JSON, file, "IsValid holds something other than 0 and 1")
        x, y, w, h = (self.numbers(file, key) for key in "XYWH")
        lengths = {len(column) for column in (x, y, w, h, valid)}
        if len(lengths) > 1:
            self._fail(Reason.LENGTH, file, f"its arrays have {sorted(lengths)} entries")
        return Boxes(x, y, w, h, valid.astype(bool))

    def numbers(self, file: str, key: str) -> Floats:
        """Return one array as float64; null becomes NaN."""
        value = self._get(file, key)
        if not isinstance(value, list):
            self._fail(Reason.BAD_JSON, file, f"{key} is not an array")
        for item in value:
            if item is not None and not isinstance(item, (int, float)):
                self._fail(Reason.BAD_JSON, file, f"{key} holds {str(item)[:40]!r}, which is not a number")
        try:
            return np.array([math.nan if item is None else item for item in value], np.float64)
        except OverflowError:
            self._fail(Reason.NOT_FINITE, file, f"{key} holds a number that is too large")

    def integers(self, file: str, key: str) -> Ints:
        """Return one array as int64."""
        array = self.numbers(file, key)
        if not np.isfinite(array).all():
            self._fail(Reason.NOT_FINITE, file, f"{key} holds NaN, infinity or null")
        if (array != np.round(array)).any() or (np.abs(array) > 2**31).any():
            self._fail(Reason.BAD_JSON, file, f"{key} holds a number that is not a small integer")
        return array.astype(np.int64)

    def motion(self) -> tuple[dict[str, Any], ...]:
        value = self._values["motion.json"]
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._fail(Reason.BAD_JSON, "motion.json", "not a list of samples")
        return tuple(value)

    def check_lengths(self, recording: Recording) -> None:
        n = len(recording)
        lengths = {"dotInfo.json: " + key: len(getattr(recording, field)) for key, field in DOT_KEYS.items()}
        lengths |= {
            "screen.json: " + key: len(getattr(recording, field)) for key, field in SCREEN_KEYS.items()
        }
        lengths |= {file: len(getattr(recording, field)) for field, file in BOX_FILES.items()}
        for where, length in lengths.items():
            if length != n:
                self._fail(Reason.LENGTH, where, f"{length} entries, but frames.json lists {n} frames")
