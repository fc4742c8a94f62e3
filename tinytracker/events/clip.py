"""A clip: the events of one person's eyes, and where the person looks at every time, in one HDF5 file.

`events/{x,y,p,t}` has the names and types of the DSEC data set, which tonic and other readers know; what belongs to
gaze is in a group of its own, which they ignore.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.errors import InputFileError, UnknownNameError, UsageError
from tinytracker.events.hdf5 import Hdf5Reader, Hdf5Writer
from tinytracker.events.stream import Events, checked
from tinytracker.files import StrPath
from tinytracker.kinds import wrong_kind
from tinytracker.synth.subject import split_of

SPLITS = ("train", "val", "test")
_HINT = "Draw clips with `tinytracker synth-events`."


@dataclass(frozen=True)
class Clip:
    """One clip of one person.

    Attributes:
        events: of the whole sensor.
        gaze_t: (n,) int64 µs: the times of the labels below, `rate` per second.
        gaze_cm: (n, 2) float32 cm: where the eyes look on the screen's plane, from the camera, x right and y up.
        gaze_degrees: (n, 2) float32: direction of the gaze from the point between the eyes, to the user's right and up;
            0, 0 looks straight at the camera's plane.
        eyes: (n, 4) float32 px: x, y of the left eye's centre, then of the right one's, in the sensor; "left" is
            the person's.
        blink: (n,) float32, 0 open to 1 closed.
        rate: labels per second.
        subject: number of the person. split: "train", "val" or "test"; a person is in one of them only.
        seed: of the data set.
        strip: x, y, width, height in px of the rectangle around both eyes at the clip's start.
    """

    events: Events
    gaze_t: NDArray[np.int64]
    gaze_cm: Floats32
    gaze_degrees: Floats32
    eyes: Floats32
    blink: Floats32
    rate: int
    subject: int
    split: str
    seed: int
    strip: tuple[int, int, int, int]


_LABELS = (("gaze/cm", 2), ("gaze/degrees", 2), ("gaze/eyes", 4), ("gaze/blink", 1))


def is_clip(path: StrPath) -> bool:
    """Return whether an HDF5 file has labels of the gaze beside its events.

    Raises:
        InputFileError: it is missing, damaged, or not HDF5.
    """
    with Hdf5Reader(Path(path), _HINT) as file:
        return file.is_group("gaze")


def read_clip(path: StrPath) -> Clip:
    """Read a clip.

    Raises:
        InputFileError: it is missing, damaged, empty, or another kind of file.
    """
    path = Path(path)
    with Hdf5Reader(path, _HINT) as file:
        width, height = file.attribute("width"), file.attribute("height")
        columns = (
            file.array("events/x", np.uint16),
            file.array("events/y", np.uint16),
            file.array("events/p", np.uint8),
            file.array("events/t", np.int64),
        )
        times = file.array("gaze/t", np.int64)
        cm, degrees, eyes, blink = (file.array(name, np.float32, columns=n) for name, n in _LABELS)
        x, y, w, h = file.attribute_tuple("strip", 4)
        clip = Clip(
            checked(Events(*columns, width, height), path),
            times,
            cm,
            degrees,
            eyes,
            blink,
            rate=file.attribute("rate"),
            subject=file.attribute("subject"),
            split=file.text("split"),
            seed=file.attribute("seed"),
            strip=(x, y, w, h),
        )
    _check_labels(clip, path)
    return clip


def _check_labels(clip: Clip, path: Path) -> None:
    n = len(clip.gaze_t)
    if clip.rate < 1:
        raise InputFileError(path, f"the rate is {clip.rate} labels per second; the least is 1", _HINT)
    if n < 2:
        raise InputFileError(path, f"there are {n} gaze labels; a clip needs two or more", _HINT)
    for (name, _), values in zip(
        _LABELS, (clip.gaze_cm, clip.gaze_degrees, clip.eyes, clip.blink), strict=True
    ):
        if len(values) != n:
            raise InputFileError(path, f"{name} has {len(values)} rows, but gaze/t has {n}", _HINT)
        if not np.isfinite(values).all():
            raise InputFileError(path, f"{name} holds NaN or infinity", _HINT)
    if (np.diff(clip.gaze_t) <= 0).any():
        raise InputFileError(path, "gaze/t does not rise", _HINT)
    x, y, w, h = clip.strip
    if w < 1 or h < 1 or x < 0 or y < 0 or x + w > clip.events.width or y + h > clip.events.height:
        size = f"{clip.events.width} × {clip.events.height}"
        raise InputFileError(path, f"the strip {clip.strip} is not inside the sensor of {size} px", _HINT)
    if clip.split not in SPLITS:
        raise InputFileError(path, f"the split is {clip.split!r}, not one of {', '.join(SPLITS)}", _HINT)


def write_clip(path: StrPath, clip: Clip) -> Path:
    """Write a clip; the file is complete or absent, and equal clips give equal bytes.

    Returns:
        The file.

    Raises:
        OutputError: it cannot be written.
    """
    e = clip.events
    with Hdf5Writer(Path(path)) as file:
        file.attributes(
            {
                "width": e.width,
                "height": e.height,
                "rate": clip.rate,
                "subject": clip.subject,
                "split": clip.split,
                "seed": clip.seed,
                "strip": np.array(clip.strip, np.int32),
            }
        )
        file.array("events/x", e.x)
        file.array("events/y", e.y)
        file.array("events/p", e.p)
        file.array("events/t", e.t)
        file.array("gaze/t", clip.gaze_t)
        labels = (clip.gaze_cm, clip.gaze_degrees, clip.eyes, clip.blink)
        for (name, _), values in zip(_LABELS, labels, strict=True):
            file.array(name, values)
        # DSEC's own: an offset of all times, and the first event at or after each millisecond.
        file.array("t_offset", np.int64(0))
        file.array("ms_to_idx", millisecond_index(e.t))
    return Path(path)


def millisecond_index(t: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return for each millisecond k up to the last event the first event with t >= 1000 k, as DSEC stores it."""
    last = int(t[-1]) // 1000 if len(t) else 0
    return np.searchsorted(t, 1000 * np.arange(last + 1)).astype(np.uint64)


def clips(folder: StrPath, split: str) -> list[Path]:
    """Return the clips of one split, by subject and number.

    Args:
        folder: what `tinytracker synth-events` has written, also while it is being written.
        split: "train", "val" or "test".

    Raises:
        InputFileError: there are no clips in the folder. UnknownNameError: another split.
    """
    folder = Path(folder)
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    found = sorted(path for path in folder.glob("*/clip-*.h5") if path.parent.name.isdecimal())
    if not found:
        raise wrong_kind(folder, "a folder of event clips", "there are no clips here", _HINT)
    return [path for path in found if split_of(int(path.parent.name)) == split]


def count_events(
    clip: Clip, start_us: int, stop_us: int, bins: int, shape: tuple[int, int] = (32, 64)
) -> NDArray[np.uint16]:
    """Count the events of the strip around the eyes, as a network sees them.

    Args:
        clip: from `read_clip`.
        start_us: µs, first instant of the first bin.
        stop_us: µs, end of the last bin; an event at this time is outside.
        bins: number of equal intervals.
        shape: height and width of the grid that the strip is divided into.

    Returns:
        (bins, height, width, 2) uint16; channel 0 where the light fell, channel 1 where it rose.

    Raises:
        UsageError: the window is empty, or `bins` or `shape` are below 1.
    """
    if bins < 1 or min(shape) < 1 or stop_us <= start_us:
        raise UsageError(
            f"The window {start_us} to {stop_us} µs in {bins} bins of {shape[0]} × {shape[1]} is empty.",
            "Give a later stop, and at least one bin, row and column.",
        )
    found = clip.events.between(start_us, stop_us)
    height, width = shape
    x0, y0, w, h = clip.strip
    x, y = found.x.astype(np.int64) - x0, found.y.astype(np.int64) - y0
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    part = (found.t[inside] - start_us) * bins // (stop_us - start_us)
    row, column = y[inside] * height // h, x[inside] * width // w
    place = ((part * height + row) * width + column) * 2 + found.p[inside]
    counts = np.bincount(place, minlength=bins * height * width * 2)
    return np.minimum(counts, 65535).astype(np.uint16).reshape(bins, height, width, 2)
