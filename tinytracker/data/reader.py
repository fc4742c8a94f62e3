"""Reads a GazeCapture subject, and rejects it with a reason when its files are damaged or contradict each other."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
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
from tinytracker.data.source import Subject
from tinytracker.data.survey import as_subject
from tinytracker.errors import SubjectError, UnknownNameError
from tinytracker.files import StrPath
from tinytracker.words import counted

_NEEDED = (*BOX_FILES.values(), "dotInfo.json", "frames.json", "info.json", "screen.json")
_GRID = BOX_FILES["face_grid"]
_FOLDER = "frames/"


def read_recording(source: Subject | StrPath, *, strict: bool = True, motion: bool = True) -> Recording:
    """Read one subject.

    Args:
        source: a subject, its folder, or its archive.
        strict: reject the subject when anything in it is damaged. Otherwise take what can be taken safely, frame by
            frame: `rejected` and `finite_frames` tell which frames cannot be used, `corrections` what was corrected.
        motion: also read motion.json, which is large and not used in training.

    Raises:
        SubjectError: the subject is damaged; `reason` says how (a missing file, bad JSON, arrays of
            different lengths, an unknown device or split, NaN, exchanged eyes, a damaged archive).
        InputFileError: `source` is not a subject.
    """
    subject = source if isinstance(source, Subject) else as_subject(source)
    documents = _Documents(subject, (*_NEEDED, "motion.json") if motion else _NEEDED, strict)
    names = documents.frame_names()
    documents.cut_to(names)
    face, left_eye, right_eye = (documents.boxes(BOX_FILES[n]) for n in ("face", "left_eye", "right_eye"))
    recording = Recording(
        name=subject.name,
        dataset=documents.split(),
        device_name=documents.device(),
        frame_names=names,
        face=face,
        left_eye=left_eye,
        right_eye=right_eye,
        face_grid=documents.face_grid(face, left_eye, right_eye),
        dot_num=documents.integers("dotInfo.json", "DotNum"),
        x_pts=documents.numbers("dotInfo.json", "XPts"),
        y_pts=documents.numbers("dotInfo.json", "YPts"),
        x_cam=documents.numbers("dotInfo.json", "XCam"),
        y_cam=documents.numbers("dotInfo.json", "YCam"),
        dot_time=documents.numbers("dotInfo.json", "Time"),
        screen_w=documents.points("W"),
        screen_h=documents.points("H"),
        orientation=documents.integers("screen.json", "Orientation"),
        motion=documents.motion() if motion else (),
    )
    documents.check_lengths(recording)
    documents.check_eyes(recording)
    if strict:
        bad = np.flatnonzero(recording.usable & ~finite_frames(recording))
        if len(bad):
            problem = f"NaN or infinity in {counted(len(bad), 'frame')}; the first is {recording.frame_names[bad[0]]}"
            raise SubjectError(subject.path, Reason.NOT_FINITE, problem)
    return replace(
        recording,
        rejected=tuple(sorted(documents.rejected.items())),
        corrections=tuple(documents.corrections),
    )


def finite_frames(recording: Recording) -> Bools:
    """Return the frames whose labels and detected boxes are all finite, bool (n,)."""
    labels = [getattr(recording, field) for field in DOT_KEYS.values()]
    finite: Bools = np.isfinite(np.stack(labels, axis=-1)).all(axis=-1)
    for boxes in (recording.face, recording.left_eye, recording.right_eye):
        finite &= ~boxes.valid | np.isfinite(boxes.corners()).all(axis=-1)
    return finite


def exchanged_eyes(recording: Recording) -> Bools:
    """Return the usable frames in which the subject's left eye is on the left of the picture, bool (n,).

    The pictures are not mirrored, so it belongs on the right.
    """
    left, right = (eye.x + eye.w / 2 for eye in (recording.left_eye, recording.right_eye))
    with np.errstate(invalid="ignore"):
        wrong: Bools = recording.usable & (left < right)
    return wrong


class _Documents:
    """The JSON files of one subject, with typed access whose errors say what is wrong and where.

    Attributes:
        rejected: frames that cannot be used, by index, with the reason; filled only when not strict.
        corrections: what was corrected, in words.
    """

    def __init__(self, subject: Subject, names: tuple[str, ...], strict: bool) -> None:
        self._subject = subject
        self._strict = strict
        self._values: dict[str, Any] = {}
        self.rejected: dict[int, str] = {}
        self.corrections: list[str] = []
        contents = subject.documents(names)
        for name in names:
            problem = self._read(name, contents.get(name))
            if problem is None:
                continue
            if name == _GRID and not strict:
                self._correct(f"{_GRID} is missing or damaged and not needed")
            else:
                self._fail(problem[0], name, problem[1])

    def _read(self, name: str, content: bytes | None) -> tuple[Reason, str] | None:
        """Parse one file; returns what is wrong with it."""
        if content is None:
            return Reason.MISSING_FILE, "the file is missing or cannot be read"
        try:
            self._values[name] = json.loads(content)
        except (ValueError, RecursionError) as error:
            return Reason.BAD_JSON, f"not JSON ({error})"
        return None

    def _fail(self, reason: Reason, file: str, problem: str) -> NoReturn:
        raise SubjectError(self._subject.path, reason, f"{file}: {problem}")

    def _correct(self, what: str) -> None:
        if what not in self.corrections:
            self.corrections.append(what)

    def _reject(self, frames: Iterable[int], reason: Reason) -> None:
        for i in frames:
            self.rejected.setdefault(int(i), reason.value)

    def _get(self, file: str, key: str) -> Any:
        value = self._values[file]
        if not isinstance(value, dict) or key not in value:
            self._fail(Reason.BAD_JSON, file, f"no key {key!r}")
        return value[key]

    def split(self) -> str:
        value = self._get("info.json", "Dataset")
        if not self._strict and isinstance(value, str) and value not in SPLITS:
            plain = value.strip().lower()
            if plain in SPLITS:
                self._correct(f"info.json: Dataset is {value!r}, read as {plain!r}")
                value = plain
        if value not in SPLITS:
            self._fail(Reason.BAD_SPLIT, "info.json", f"Dataset is {value!r}, not one of {', '.join(SPLITS)}")
        return str(value)

    def device(self) -> str:
        value = self._get("info.json", "DeviceName")
        try:
            return find_device(str(value)).name
        except UnknownNameError as error:
            problem = f"{error.message.rstrip('.')}; describe it with: tinytracker devices add"
            self._fail(Reason.UNKNOWN_DEVICE, "info.json", problem)

    def frame_names(self) -> tuple[str, ...]:
        value = self._values["frames.json"]
        if not isinstance(value, list):
            self._fail(Reason.BAD_JSON, "frames.json", "not a list of file names")
        if not self._strict and any(isinstance(name, str) and name.startswith(_FOLDER) for name in value):
            self._correct("frames.json: names with their folder")
            value = [name.removeprefix(_FOLDER) if isinstance(name, str) else name for name in value]
        for name in value:
            if not isinstance(name, str) or not FRAME_NAME.fullmatch(name):
                self._fail(Reason.BAD_JSON, "frames.json", f"{name!r} is not a frame name such as 00000.jpg")
        twice = {name for name, count in Counter(value).items() if count > 1}
        if twice and self._strict:
            self._fail(Reason.BAD_JSON, "frames.json", "a frame is listed twice")
        # Which of its entries describes the frame cannot be known.
        self._reject([i for i, name in enumerate(value) if name in twice], Reason.LISTED_TWICE)
        return tuple(value)

    def cut_to(self, names: tuple[str, ...]) -> None:
        """Cut one surplus entry off the arrays of a file; safe only when the entries are those of frames 0 to n - 1."""
        if self._strict or names != tuple(f"{i:05d}.jpg" for i in range(len(names))):
            return
        for file, value in self._values.items():
            arrays = value.values() if isinstance(value, dict) and file != "info.json" else ()
            lists = [array for array in arrays if isinstance(array, list)]
            if lists and {len(array) for array in lists} == {len(names) + 1}:
                self._values[file] = {k: v[:-1] if isinstance(v, list) else v for k, v in value.items()}
                self._correct(f"{file}: one entry more than frames")

    def boxes(self, file: str) -> Boxes:
        valid = self.numbers(file, "IsValid")
        if self._strict:
            valid = self.integers(file, "IsValid").astype(np.float64)
            if not np.isin(valid, (0, 1)).all():
                self._fail(Reason.BAD_JSON, file, "IsValid holds something other than 0 and 1")
        x, y, w, h = (self.numbers(file, key) for key in "XYWH")
        lengths = {len(column) for column in (x, y, w, h, valid)}
        if len(lengths) > 1:
            self._fail(Reason.LENGTH, file, f"its arrays have {sorted(lengths)} entries")
        return Boxes(x, y, w, h, valid == 1)

    def face_grid(self, *found: Boxes) -> Boxes:
        """Return the face grid; when it cannot be used, NaN that is valid where face and eyes are."""
        if self._strict:
            return self.boxes(_GRID)
        n = len(found[0])
        try:
            grid = self.boxes(_GRID) if _GRID in self._values else None
        except SubjectError:
            grid = None
        if grid is not None and len(grid) == n:
            return grid
        self._correct(f"{_GRID} is missing or damaged and not needed")
        if len({len(boxes) for boxes in found}) > 1:
            valid = found[0].valid
        else:
            valid = np.logical_and.reduce([boxes.valid for boxes in found])
        nothing = np.full(n, np.nan)
        return Boxes(nothing, nothing, nothing, nothing, valid)

    def numbers(self, file: str, key: str) -> Floats:
        """Return one array as float64; null becomes NaN, and so does, when not strict, whatever is not a number."""
        value = self._get(file, key)
        if not isinstance(value, list):
            self._fail(Reason.BAD_JSON, file, f"{key} is not an array")
        items = [math.nan if item is None else item for item in value]
        for i, item in enumerate(items):
            if isinstance(item, (int, float)):
                continue
            if self._strict:
                self._fail(Reason.BAD_JSON, file, f"{key} holds {str(item)[:40]!r}, which is not a number")
            items[i] = self._as_number(file, item)
        try:
            return np.array(items, np.float64)
        except OverflowError:
            self._fail(Reason.NOT_FINITE, file, f"{key} holds a number that is too large")

    def _as_number(self, file: str, item: Any) -> float:
        try:
            number = float(item) if isinstance(item, str) else math.nan
        except ValueError:
            return math.nan
        self._correct(f"{file}: numbers written as text")
        return number

    def integers(self, file: str, key: str) -> Ints:
        """Return one array as int64; when not strict, -1 in a frame that is rejected for holding something else."""
        array = self.numbers(file, key)
        finite = np.isfinite(array)
        whole = finite & (array == np.round(array)) & (np.abs(array) <= 2**31)
        if self._strict and not finite.all():
            self._fail(Reason.NOT_FINITE, file, f"{key} holds NaN, infinity or null")
        if self._strict and not whole.all():
            self._fail(Reason.BAD_JSON, file, f"{key} holds a number that is not a small integer")
        self._reject(np.flatnonzero(~whole), Reason.NOT_FINITE)
        return np.where(whole, array, -1).astype(np.int64)

    def points(self, key: str) -> Ints | Floats:
        """Return an array of screen.json: int64, or, when not strict, float64 where some are fractions of a point."""
        array = self.numbers("screen.json", key)
        if self._strict or (np.isfinite(array).all() and (array == np.round(array)).all()):
            return self.integers("screen.json", key)
        return array

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
                self._fail(
                    Reason.LENGTH, where, f"{length} entries, but frames.json lists {counted(n, 'frame')}"
                )

    def check_eyes(self, recording: Recording) -> None:
        """Refuse a subject whose eyes are exchanged, and frames in which they are.

        Not corrected: mirrored pictures look the same, and would need another label.
        """
        wrong = exchanged_eyes(recording)
        count, usable = int(wrong.sum()), int(recording.usable.sum())
        if count and (self._strict or 2 * count > usable):
            self._fail(
                Reason.EYES_EXCHANGED,
                BOX_FILES["left_eye"],
                f"the left eye is on the left of the picture in {count} of {usable} frames; the files of the eyes are "
                "exchanged, or the pictures are mirrored",
            )
        self._reject(np.flatnonzero(wrong), Reason.EYES_EXCHANGED)
