"""Clips of events as streams of time steps, and windows of them. No TensorFlow.

A stream is one clip in bins of `BIN_US`: per bin one bit for each cell of the eye strip and polarity, set when at least
one event fell into it, as a chip that takes one spike for each input and step would see it. A window is `STEPS` bins.
Its events may end early: of a window of length m only the first m bins have happened yet, and its answer is the change
of the gaze from its beginning until then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import InputFileError, UsageError
from tinytracker.events import Clip, clips, count_events, read_clip
from tinytracker.hybrid.presets import BIN_US, POLARITIES, STEPS, STRIP
from tinytracker.kinds import wrong_kind
from tinytracker.progress import bar

SPLITS = ("train", "val", "test")

UNIT_STRIP = 0.5
"""Width of the eye strip, as a share of the sensor's width, at which one unit of an answer is a centimetre. Nearer eyes
are wider and turn more for the same centimetre."""

SHUT = 0.5
"""Of `gaze/blink`: with lids closed further than this, there is no gaze to compare with."""

MOVED_CM = 1.0
"""A window is one that moved when its gaze changes by at least this much."""

DIRECTION_CM = 2.0
"""Errors of direction are counted for changes of at least this much; below, noise turns them."""

_HINT = "Draw clips with: tinytracker synth-events CLIPS"


@dataclass(frozen=True, eq=False)
class Stream:
    """One clip in time steps.

    Attributes:
        name: of the file, relative to the folder. subject: who was recorded.
        bits: (bins, bytes) the bins, packed.
        gaze_cm: (bins + 1, 2) float32 gaze at the edges of the bins.
        shut: (bins + 1,) whether the eyes are closed there.
        unit_cm: cm of one unit of an answer.
        events: number of events inside the strip, clipped ones included.
    """

    name: str
    subject: str
    bits: NDArray[np.uint8]
    gaze_cm: NDArray[np.float32]
    shut: NDArray[np.bool_]
    unit_cm: float
    events: int

    @property
    def bins(self) -> int:
        """Number of bins."""
        return len(self.bits)

    def spikes(self, first: int, count: int) -> NDArray[np.uint8]:
        """Return bins as (count, h, w, 2) of 0 and 1."""
        cells = np.unpackbits(self.bits[first : first + count], axis=1, count=_CELLS)
        return cells.reshape(-1, *STRIP, POLARITIES)


_CELLS = STRIP[0] * STRIP[1] * POLARITIES


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of streams.

    Attributes:
        streams: that they are cut from.
        clip: (n,) index of the stream. start: (n,) first bin. length: (n,) bins that have happened, 1 to `STEPS`.
    """

    streams: Sequence[Stream]
    clip: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.clip)

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Windows:
        """Return some of the windows."""
        return Windows(self.streams, self.clip[chosen], self.start[chosen], self.length[chosen])

    def events(self) -> NDArray[np.uint8]:
        """Return (n, STEPS, h, w, 2) of 0 and 1; bins that have not happened yet are empty."""
        found = np.zeros((len(self), STEPS, *STRIP, POLARITIES), np.uint8)
        for row, clip, start, length in zip(found, self.clip, self.start, self.length, strict=True):
            row[:length] = self.streams[clip].spikes(int(start), int(length))
        return found

    def change_cm(self) -> NDArray[np.float64]:
        """Return (n, 2) by how much the gaze changes."""
        pairs = zip(self.clip, self.start, self.start + self.length, strict=True)
        rows = [self.streams[c].gaze_cm[b] - self.streams[c].gaze_cm[a] for c, a, b in pairs]
        return np.asarray(rows, np.float64).reshape(-1, 2)

    def unit_cm(self) -> NDArray[np.float64]:
        """Return (n,) cm of one unit of an answer."""
        return np.asarray([self.streams[c].unit_cm for c in self.clip], np.float64)

    def subjects(self) -> list[str]:
        """Return whose windows they are."""
        return [self.streams[c].subject for c in self.clip]


def read_streams(folder: Path, split: str) -> tuple[tuple[Stream, ...], str]:
    """Read all clips of a split.

    Args:
        folder: that `tinytracker synth-events` wrote.
        split: "train", "val" or "test".

    Returns:
        The streams in the order of their names, and a hash of all that was read. Files that have not changed since are
        not read again: several runs of one process take the same ones.

    Raises:
        InputFileError: no clips, a damaged clip, or one that is shorter than a window.
    """
    require_clips(folder)
    paths = clips(folder, split)
    if not paths:
        raise InputFileError(folder, f"there are no clips of the split {split} here", _HINT)
    return _read(folder, split, tuple((path, *_stamp(path)) for path in paths))


def require_clips(folder: Path) -> None:
    """Check that a folder holds clips.

    Raises:
        InputFileError: there are none; says what it is instead.
    """
    if not folder.is_dir():
        raise wrong_kind(folder, "a folder of event clips", "there is no such folder", _HINT)
    clips(folder, SPLITS[0])


def _stamp(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_mtime_ns, about.st_size


@lru_cache(maxsize=len(SPLITS))
def _read(
    folder: Path, split: str, files: tuple[tuple[Path, int, int], ...]
) -> tuple[tuple[Stream, ...], str]:
    digest = hashlib.sha256()
    streams = []
    with bar(f"read {split}", len(files), "clips") as advance:
        for path, *_ in files:
            stream = stream_of(read_clip(path), path, path.relative_to(folder).as_posix())
            digest.update(f"{stream.name} {stream.bins} {stream.unit_cm!r} ".encode())
            digest.update(stream.bits.tobytes() + stream.gaze_cm.tobytes() + stream.shut.tobytes())
            streams.append(stream)
            advance()
    return tuple(streams), digest.hexdigest()


def stream_of(clip: Clip, path: Path, name: str) -> Stream:
    """Return a clip in time steps.

    Args:
        clip: the clip.
        path: of its file, for messages.
        name: of the stream.

    Raises:
        InputFileError: the clip is shorter than a window.
    """
    times = np.asarray(clip.gaze_t, np.int64)
    first, last = (int(times[0]), int(times[-1])) if len(times) else (0, 0)
    bins = (last - first) // BIN_US
    if bins < STEPS:
        raise InputFileError(
            path,
            f"its gaze is known for {(last - first) / 1e3:g} ms, and a window has {STEPS * BIN_US / 1e3:g} ms",
            "Draw longer clips.",
        )
    counts = count_events(clip, first, first + bins * BIN_US, bins, STRIP)
    edges = first + np.arange(bins + 1, dtype=np.int64) * BIN_US
    gaze = np.stack([np.interp(edges, times, clip.gaze_cm[:, axis]) for axis in range(2)], -1)
    width = clip.strip[2] / clip.events.width
    return Stream(
        name, str(clip.subject), np.packbits((counts > 0).reshape(bins, -1), axis=1), gaze.astype(np.float32),
        np.interp(edges, times, clip.blink) > SHUT, UNIT_STRIP / width, int(counts.sum()),
    )  # fmt: skip


def all_windows(streams: Sequence[Stream], every: int = 1, length: int = STEPS) -> Windows:
    """Return windows at regular distances in which the eyes are open at both ends.

    Args:
        streams: to cut from.
        every: bins between two windows of a clip.
        length: bins that have happened.
    """
    clip, start = [], []
    for i, stream in enumerate(streams):
        starts = np.arange(0, stream.bins - STEPS + 1, every)
        starts = starts[~(stream.shut[starts] | stream.shut[starts + length])]
        clip.append(np.full(len(starts), i))
        start.append(starts)
    joined = np.concatenate(clip).astype(np.int64), np.concatenate(start).astype(np.int64)
    return Windows(streams, *joined, np.full(len(joined[0]), length, np.int64))


def moved(windows: Windows, at_least_cm: float = MOVED_CM) -> NDArray[np.bool_]:
    """Return (n,) in which windows the gaze changes by at least so much."""
    found: NDArray[np.bool_] = np.linalg.norm(windows.change_cm(), axis=1) >= at_least_cm
    return found


def spread(windows: Windows, at_most: int) -> Windows:
    """Return at most so many windows, evenly spread.

    Raises:
        UsageError: `at_most` is below 1.
    """
    if at_most < 1:
        raise UsageError(f"{at_most} windows are too few.", "Use 1 or more.")
    if len(windows) <= at_most:
        return windows
    return windows.part(np.linspace(0, len(windows) - 1, at_most).round().astype(np.int64))


def joined(first: Windows, second: Windows) -> Windows:
    """Return the windows of two sets of the same streams, one behind the other."""
    pairs = (
        np.concatenate([getattr(part, name) for part in (first, second)])
        for name in ("clip", "start", "length")
    )
    return Windows(first.streams, *pairs)
