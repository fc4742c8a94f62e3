"""A GazeCapture subject in memory, and a writer for the on-disk layout of the real data set.

One recording is one folder `NNNNN/`: `frames/NNNNN.jpg` and nine JSON files of parallel arrays whose index
is the frame number. Source: the GazeCapture release (Krafka et al., "Eye Tracking for Everyone", CVPR 2016)
and its README; docs/data.md describes every file.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.errors import OutputError
from tinytracker.files import StrPath, json_bytes, make_folder, read_json, writing
from tinytracker.words import counted

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SPLITS = ("train", "val", "test")
"""Valid values of Dataset in `info.json`. The split is by subject, never by frame."""

BOX_FILES = {
    "face": "appleFace.json",
    "left_eye": "appleLeftEye.json",
    "right_eye": "appleRightEye.json",
    "face_grid": "faceGrid.json",
}
"""The field of `Recording` that each box file fills."""

DOT_KEYS = {
    "DotNum": "dot_num",
    "XPts": "x_pts",
    "YPts": "y_pts",
    "XCam": "x_cam",
    "YCam": "y_cam",
    "Time": "dot_time",
}
"""The keys of `dotInfo.json` and the fields of `Recording` that they fill."""

SCREEN_KEYS = {"H": "screen_h", "W": "screen_w", "Orientation": "orientation"}
"""The keys of `screen.json` and the fields of `Recording` that they fill."""

SYNTHETIC_MARK = "synth.json"
"""File that marks a synthetic data set and holds the parameters of its generator."""

PEOPLE = "people"
"""Key of that file with the attributes of each subject, by name."""

SUBJECT_NAME = re.compile(r"\d{5}")
FRAME_NAME = re.compile(r"\d{5}\.jpg")


def is_synthetic(src: StrPath) -> bool:
    """Return whether a data set, or the data set of one subject, is synthetic: it shows no real people."""
    src = Path(src)
    folder = src.parent if SUBJECT_NAME.match(src.name) else src
    return (folder / SYNTHETIC_MARK).is_file()


def people_of(src: StrPath) -> dict[str, dict[str, Any]]:
    """Return the attributes of a data set's subjects by name, as far as they are known: of synthetic ones.

    Raises:
        InputFileError: `synth.json` is damaged.
    """
    src = Path(src)
    folder = src.parent if SUBJECT_NAME.match(src.name) else src
    path = folder / SYNTHETIC_MARK
    if not path.is_file():
        return {}
    document = read_json(path, "Draw the data set again with: tinytracker synth")
    people = document.get(PEOPLE, {}) if isinstance(document, dict) else {}
    return {str(name): dict(found) for name, found in people.items()}


@dataclass(frozen=True)
class Boxes:
    """One box per frame; where `valid` is False nothing was detected and the numbers are meaningless.

    Attributes:
        x: left edge, float64 (n,). y: top edge. w: width. h: height.
        valid: whether the detector found the face or eye, bool (n,).
    """

    x: Floats
    y: Floats
    w: Floats
    h: Floats
    valid: Bools

    def __len__(self) -> int:
        return len(self.x)

    def corners(self) -> Floats:
        """Return x, y, w, h as float64 (n, 4)."""
        return np.stack([self.x, self.y, self.w, self.h], axis=-1)


@dataclass(frozen=True)
class Recording:
    """Everything GazeCapture stores about one subject, except the pixels. All arrays have length n.

    Attributes:
        name: name of the folder, five digits.
        dataset: "train", "val" or "test".
        device_name: as in the device table.
        frame_names: file names inside `frames/`.
        face: px in the frame, origin top-left; may extend beyond the frame.
        left_eye: the subject's left eye (right in the image), px relative to the top-left of the face box.
        right_eye: the subject's right eye, also relative to the face box.
        face_grid: cells of a 25 × 25 grid over the frame, counted from 1.
        dot_num: number of the dot looked at, from 0, int64.
        x_pts: position of the dot on the screen, points from the left. y_pts: points from the top.
        x_cam: position of the dot in cm from the camera, to the right. y_cam: up.
        dot_time: seconds since the dot appeared.
        screen_w: width of the active area in points in the current orientation; int64, or float64 where a recording
            holds half points. screen_h: its height.
        orientation: 1 to 4, see `tinytracker.data.devices.Orientation`, int64.
        motion: 60 Hz motion samples, unmodified; they are not per frame.
        rejected: frames whose entries in the JSON files cannot be used: index and reason.
        corrections: what was corrected while reading, in words.
    """

    name: str
    dataset: str
    device_name: str
    frame_names: tuple[str, ...]
    face: Boxes
    left_eye: Boxes
    right_eye: Boxes
    face_grid: Boxes
    dot_num: Ints
    x_pts: Floats
    y_pts: Floats
    x_cam: Floats
    y_cam: Floats
    dot_time: Floats
    screen_w: Ints | Floats
    screen_h: Ints | Floats
    orientation: Ints
    motion: tuple[dict[str, Any], ...] = ()
    rejected: tuple[tuple[int, str], ...] = ()
    corrections: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame_names)

    @property
    def usable(self) -> Bools:
        """Frames in which the face and both eyes were found, bool (n,)."""
        return self.face.valid & self.left_eye.valid & self.right_eye.valid


def write_recording(
    root: StrPath,
    recording: Recording,
    jpegs: Iterable[bytes],
    extra: Iterable[tuple[str, bytes]] = (),
) -> Path:
    """Write one subject in the layout of the real data set, completely or not at all.

    The folder is filled under a hidden name and renamed when complete, so an interrupted run never leaves
    half a subject that looks complete; the next run removes what a killed run left behind.

    Args:
        root: the folder of subjects; created when missing.
        recording: the arrays; `recording.name` names the folder.
        jpegs: the encoded frames in the order of `recording.frame_names`; may be a generator.
        extra: (path inside the subject's folder, content) of files that GazeCapture does not have.

    Returns:
        The subject's folder.

    Raises:
        OutputError: the subject exists already, the disk is full, or permission is missing.
        ValueError: the recording is invalid (a bug in the caller): lengths differ, a bad name, NaN.
    """
    root = Path(root)
    documents = {name: json_bytes(value) for name, value in _documents(recording).items()}
    target = root / recording.name
    if target.exists():
        raise OutputError(target, "the subject exists already", "Remove it or write to another folder.")
    make_folder(root)
    partial = root / f".{recording.name}.partial"
    try:
        with writing(target):
            shutil.rmtree(partial, ignore_errors=True)
            (partial / "frames").mkdir(parents=True)
        for name, jpeg in zip(recording.frame_names, jpegs, strict=True):
            with writing(target):
                (partial / "frames" / name).write_bytes(jpeg)
        for name, content in extra:
            with writing(target):
                (partial / name).parent.mkdir(exist_ok=True)
                (partial / name).write_bytes(content)
        with writing(target):
            for name, content in documents.items():
                (partial / name).write_bytes(content)
            partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def check_consistent(recording: Recording) -> None:
    """Raise `ValueError` when the recording contradicts itself: lengths differ, or a bad name."""
    n = len(recording)
    lengths = {key: len(getattr(recording, field)) for key, field in (DOT_KEYS | SCREEN_KEYS).items()}
    for field in BOX_FILES:
        boxes: Boxes = getattr(recording, field)
        lengths |= {f"{field}.{key}": len(getattr(boxes, key)) for key in ("x", "y", "w", "h", "valid")}
    wrong = {key: length for key, length in lengths.items() if length != n}
    if wrong:
        raise ValueError(f"{recording.name}: {counted(n, 'frame')}, but {wrong}")
    if not SUBJECT_NAME.fullmatch(recording.name):
        raise ValueError(f"the subject's name must be five digits, not {recording.name!r}")
    if recording.dataset not in SPLITS:
        raise ValueError(f"{recording.name}: the data set must be one of {SPLITS}, not {recording.dataset!r}")
    if len(set(recording.frame_names)) != n or not all(map(FRAME_NAME.fullmatch, recording.frame_names)):
        raise ValueError(f"{recording.name}: frame names must be unique and look like 00000.jpg")


def _documents(recording: Recording) -> dict[str, Any]:
    """Return the content of the nine JSON files."""
    check_consistent(recording)
    documents: dict[str, Any] = {
        "dotInfo.json": {key: getattr(recording, field).tolist() for key, field in DOT_KEYS.items()},
        "frames.json": list(recording.frame_names),
        "info.json": {
            "TotalFrames": len(recording),
            "NumFaceDetections": int(recording.face.valid.sum()),
            "NumEyeDetections": int((recording.left_eye.valid & recording.right_eye.valid).sum()),
            "Dataset": recording.dataset,
            "DeviceName": recording.device_name,
        },
        "motion.json": list(recording.motion),
        "screen.json": {key: getattr(recording, field).tolist() for key, field in SCREEN_KEYS.items()},
    }
    for field, file in BOX_FILES.items():
        boxes: Boxes = getattr(recording, field)
        as_written = np.int64 if field == "face_grid" else np.float64
        documents[file] = {
            "X": boxes.x.astype(as_written).tolist(),
            "Y": boxes.y.astype(as_written).tolist(),
            "W": boxes.w.astype(as_written).tolist(),
            "H": boxes.h.astype(as_written).tolist(),
            "IsValid": boxes.valid.astype(int).tolist(),
        }
    return documents
