"""The case that "big and little" comes from: activities of people with a phone (UCI-HAR), as a check of the machinery.

Shen, Howard and Nunez-Yanez (JLPEA 2022, 12(2):28) run a large network once, and then a smaller one, or a distance,
that says whether the activity is still the same. The data are not part of this package: download "UCI HAR Dataset"
from the UCI repository and pass its folder. What is published, and what can be computed without training, is here:
the three structures and their multiplications, the share of windows in which the activity really changes, and the
strategy by distance (1BDD).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.errors import InputFileError
from tinytracker.files import StrPath
from tinytracker.words import counted

SENSORS = ("body_acc", "body_gyro", "total_acc")
AXES = "xyz"
WINDOW = 128
"""Samples of a window: 2.56 s at 50 Hz, half of them shared with the next window."""
_HINT = "Pass the unpacked folder `UCI HAR Dataset`."


@dataclass(frozen=True)
class Structure:
    """Branches of convolutions over time (kernel 3, each followed by a pool of 2), then one dense layer.

    Attributes:
        length, channels: of a branch's input. filters: of its convolutions. branches: number of equal ones.
        classes: outputs.
    """

    length: int
    channels: int
    filters: tuple[int, ...]
    branches: int
    classes: int

    @property
    def macs(self) -> int:
        """Multiplications of one inference.

        Example:
            >>> BIG.macs, LITTLE.macs, DUAL.macs
            (161856, 8512, 20928)
        """
        length, channels, total = self.length, self.channels, 0
        for filters in self.filters:
            total += length * 3 * channels * filters
            length, channels = length // 2, filters
        return self.branches * (total + length * channels * self.classes)


BIG = Structure(128, 3, (4, 8, 16, 32, 8), branches=3, classes=6)
LITTLE = Structure(128, 3, (4, 4, 2), branches=1, classes=2)
"""One for each activity: still this one, or another?"""
DUAL = Structure(384, 2, (4, 4, 2), branches=1, classes=2)
"""Two windows beside each other: the same activity?"""


@dataclass(frozen=True)
class Windows:
    """One split of the data.

    Attributes:
        signals: (n, 128, 9): body acceleration, turning, total acceleration; x, y, z each.
        labels: (n,) activity, 1 to 6. subjects: (n,) person.
    """

    signals: Floats
    labels: NDArray[np.int64]
    subjects: NDArray[np.int64]

    @property
    def changes(self) -> NDArray[np.bool_]:
        """Whether a window's activity differs from that of the window before; True for the first one, (n,)."""
        return np.concatenate([[True], self.labels[1:] != self.labels[:-1]])

    @property
    def distances(self) -> Floats:
        """L1 distance of each window from the one before; infinite for the first one, (n,)."""
        return np.concatenate([[np.inf], np.abs(np.diff(self.signals, axis=0)).sum((1, 2))])


def read_windows(folder: StrPath, split: str = "test") -> Windows:
    """Read a split of UCI-HAR.

    Args:
        folder: "UCI HAR Dataset".
        split: "train" or "test".

    Raises:
        InputFileError: a file is missing, is not a table of numbers, or has another number of rows or columns.
    """
    base = Path(folder) / split
    labels = _table(base / f"y_{split}.txt", 1)[:, 0].astype(np.int64)
    subjects = _table(base / f"subject_{split}.txt", 1)[:, 0].astype(np.int64)
    signals = [
        _table(base / "Inertial Signals" / f"{sensor}_{axis}_{split}.txt", WINDOW)
        for sensor in SENSORS
        for axis in AXES
    ]
    for rows in (subjects, *signals):
        if len(rows) != len(labels):
            raise InputFileError(base, f"tables of {len(labels)} and {counted(len(rows), 'window')}", _HINT)
    return Windows(np.stack(signals, -1), labels, subjects)


def big_rate(starts: NDArray[np.bool_]) -> float:
    """Return the share of windows on which Big runs."""
    return float(np.mean(starts))


def macs_per_window(starts: NDArray[np.bool_], gate: Structure | None) -> float:
    """Return multiplications per window: the gate's on every window, Big's where it starts."""
    return (0 if gate is None else gate.macs) + big_rate(starts) * BIG.macs


def reused(answers: NDArray[np.int64], starts: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return what is shown when Big's answers (n,) are kept from one start to the next; the first is a start."""
    last = np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0))
    kept: NDArray[np.int64] = answers[last]
    return kept


def _table(path: Path, columns: int) -> Floats:
    try:
        rows = np.loadtxt(path, dtype=np.float64, ndmin=2)
    except (OSError, ValueError) as error:
        raise InputFileError(path, f"not a table of numbers ({error})", _HINT) from error
    if rows.shape[1] != columns:
        raise InputFileError(path, f"rows of {rows.shape[1]} numbers instead of {columns}", _HINT)
    return rows
