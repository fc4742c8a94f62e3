"""Compares a prepared folder with what the data set's authors' prepareDataset.py wrote from the same source.

Conventions of that script (CSAILVision/GazeCapture, pytorch/prepareDataset.py), within which crops are compared: boxes
are truncated to integers, and the face box then starts one pixel further left and up and is one pixel larger; both of
its files and ours are JPEG of quality 95.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats, Pixels
from tinytracker.data.crops import grow, round_half_up
from tinytracker.data.examples import parse
from tinytracker.data.gazecapture import SPLITS
from tinytracker.data.images import SkipFrameError, decode
from tinytracker.data.index import PreparedIndex
from tinytracker.data.pipeline import serialized_records
from tinytracker.data.tensorflow_errors import names_damaged_shards
from tinytracker.errors import InputFileError
from tinytracker.progress import bar
from tinytracker.words import counted

METADATA = "metadata.mat"
LABEL_LIMIT_CM = 1e-4
"""Both store the same numbers; ours as float32, which are exact to 2e-6 cm at 30 cm."""

CROPS = 200
"""Crops that are compared, spread over all frames; each is decoded twice."""

_COLUMNS = ("labelRecNum", "frameIndex", "labelDotXCam", "labelDotYCam")
_SHIFTS = [(dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


@dataclass(frozen=True)
class Agreement:
    """How far two preparations of one data set agree.

    Attributes:
        both: frames that both have. only_here: frames that only this one has. only_there: frames that only theirs has.
        largest_label_cm: largest distance between the labels of a frame.
        other_split: frames that are in another split there; their script puts frames that its reference does not
            know into val.
        crops: face crops compared. crop_difference: median over them of the mean absolute difference, grey levels.
        shifted: crops that agree better when shifted by a pixel.
    """

    both: int
    only_here: int
    only_there: int
    largest_label_cm: float
    other_split: int
    crops: int
    crop_difference: float
    shifted: int

    @property
    def agrees(self) -> bool:
        """Whether frames, labels and crops are the same."""
        labels = self.largest_label_cm <= LABEL_LIMIT_CM
        return labels and not (self.only_here or self.only_there or 2 * self.shifted > self.crops)

    def as_json(self) -> dict[str, Any]:
        """Return the numbers as a JSON object."""
        return asdict(self) | {"agrees": self.agrees}

    def sentence(self) -> str:
        """Return the numbers in words."""
        crops = (
            f"{self.crops:,} face crops differ by {self.crop_difference:.1f} grey levels in the median, and "
            f"{self.shifted:,} of them agree better when shifted by a pixel"
            if self.crops
            else "no face crop was found to compare"
        )
        return (
            f"Against prepareDataset.py: {counted(self.both, 'frame')} in both, {self.only_here:,} only here, "
            f"{self.only_there:,} only there; labels differ by at most {self.largest_label_cm:.1e} cm; "
            f"in another split: {counted(self.other_split, 'frame')}; {crops}."
        )


def require_metadata(theirs: Path) -> None:
    """Read the metadata of a folder that prepareDataset.py wrote, so that a wrong folder is refused before the work.

    Raises:
        InputFileError: the folder has no readable metadata.mat.
    """
    _metadata(theirs)


@names_damaged_shards
def check_against(index: PreparedIndex, theirs: Path) -> Agreement:
    """Compare prepared data with the folder that prepareDataset.py wrote.

    Raises:
        InputFileError: the folder has no readable metadata.mat.
    """
    labels, splits = _metadata(theirs)
    only_there = set(labels)
    both = only_here = other_split = shifted = 0
    worst = 0.0
    differences: list[float] = []
    every = max(1, index.frames // CROPS)
    with bar("Comparing", index.frames, "frames") as advance:
        for number, (split, record) in enumerate(_records(index)):
            advance(1)
            key = (int(record["subject"]), int(record["frame"]))
            if key not in labels:
                only_here += 1
                continue
            both += 1
            only_there.discard(key)
            worst = max(worst, float(np.hypot(*(labels[key] - record["gaze"]))))
            other_split += splits.get(key, split) != split
            if number % every == 0:
                found = _compare_crop(record, theirs)
                if found is not None:
                    differences.append(found[0])
                    shifted += found[1] != (0, 0)
    median = float(np.median(differences)) if differences else 0.0
    return Agreement(
        both, only_here, len(only_there), worst, other_split, len(differences), round(median, 3), shifted
    )


def _metadata(folder: Path) -> tuple[dict[tuple[int, int], Floats], dict[tuple[int, int], str]]:
    """Return gaze (2,) in cm and split of each frame in their metadata.mat, by subject and frame number."""
    from scipy.io import loadmat

    path = folder / METADATA
    if not path.is_file():
        raise InputFileError(
            folder, f"there is no {METADATA}", "Give the --output_path that prepareDataset.py filled."
        )
    try:
        content = loadmat(path)
        person, frame, x, y = (np.ravel(content[name]) for name in _COLUMNS)
        keys = list(zip(person.astype(int).tolist(), frame.astype(int).tolist(), strict=True))
        gaze: NDArray[np.float64] = np.stack([x, y], -1).astype(np.float64)
        names = np.full(len(keys), "", dtype=object)
        for split in SPLITS:
            names[np.ravel(content[f"label{split.capitalize()}"]).astype(bool)] = split
    except Exception as error:  # a damaged file raises many types
        raise InputFileError(path, f"not what prepareDataset.py writes ({error!r})") from error
    return dict(zip(keys, gaze, strict=True)), {
        key: str(name) for key, name in zip(keys, names, strict=True) if name
    }


def _records(index: PreparedIndex) -> Iterator[tuple[str, dict[str, Any]]]:
    for split in SPLITS:
        if index.splits[split].frames:
            for record in serialized_records(index, split).map(parse).as_numpy_iterator():
                yield split, record


def _compare_crop(record: dict[str, Any], theirs: Path) -> tuple[float, tuple[int, int]] | None:
    """Return the mean absolute difference of one face crop, and the shift in px at which it is smallest.

    None when their file is missing, or when ours is stored smaller than it was recorded.
    """
    name = f"{int(record['subject']):05d}"
    path = theirs / name / "appleFace" / f"{int(record['frame']):05d}.jpg"
    if not path.is_file():
        return None
    x, y, w, h = (float(v) for v in record["face"])
    stored = round_half_up(grow(np.array([x, y, w, h])))
    try:
        ours, their_crop = decode(record["image"]), decode(path.read_bytes())
    except SkipFrameError:
        return None
    if ours.shape[:2] != (int(stored[3]), int(stored[2])):
        return None
    left, top = int(x) - 1 - int(stored[0]), int(y) - 1 - int(stored[1])
    found = {shift: _difference(ours, their_crop, left + shift[0], top + shift[1]) for shift in _SHIFTS}
    best = min(_SHIFTS, key=lambda shift: found[shift])
    return found[0, 0], best


def _difference(ours: Pixels, theirs: Pixels, left: int, top: int) -> float:
    """Return the mean absolute difference of their crop from ours, in which it starts at (left, top)."""
    height, width = theirs.shape[:2]
    left0, top0 = max(left, 0), max(top, 0)
    right, bottom = min(left + width, ours.shape[1]), min(top + height, ours.shape[0])
    if right <= left0 or bottom <= top0:
        return float("inf")
    a = ours[top0:bottom, left0:right].astype(np.int16)
    b = theirs[top0 - top : bottom - top, left0 - left : right - left].astype(np.int16)
    return float(np.abs(a - b).mean())
