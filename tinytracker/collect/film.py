"""Dots and frames that were recorded elsewhere, as a sitting: a film, and a table of when each dot was shown where.

The table is a CSV file with the columns `start_s`, `end_s`, `x_cm` and `y_cm` (from the camera, x right, y up), and
optionally `letter` and `typed`. The film is a folder of JPEG frames with `times.csv` (`file`, `time_s`), a .y4m file,
or anything else that the program ffmpeg reads.
"""

from __future__ import annotations

import csv
import io
import math
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from tinytracker import progress
from tinytracker.collect.plan import PlannedDot
from tinytracker.collect.recorder import Sitting
from tinytracker.data.sitting import SITTING_FILE, read_sitting
from tinytracker.errors import InputFileError, MissingDependencyError, UsageError
from tinytracker.files import StrPath, opened_for_reading, read_bytes

COLUMNS = ("start_s", "end_s", "x_cm", "y_cm")
TIMES_FILE = "times.csv"
_QUALITY = 92
_CONFIRMED = "L"


@dataclass(frozen=True)
class ShownDot:
    """When a dot was shown, s; where, cm from the camera; its letter, and the answer."""

    start_s: float
    end_s: float
    x_cm: float
    y_cm: float
    letter: str = _CONFIRMED
    typed: str = _CONFIRMED


def read_dots(path: StrPath) -> list[ShownDot]:
    """Read the table of dots, in the order of time.

    Raises:
        InputFileError: a column is missing, a value is not a number, a dot ends before it begins, or dots overlap.
    """
    path = Path(path)
    found = []
    for line, row in _rows(path, COLUMNS):
        numbers = [_number(path, line, row, column) for column in COLUMNS]
        found.append(
            ShownDot(
                numbers[0], numbers[1], numbers[2], numbers[3], row.get("letter") or _CONFIRMED,
                row.get("typed", _CONFIRMED) if row.get("letter") else _CONFIRMED,
            )
        )  # fmt: skip
        if found[-1].end_s <= found[-1].start_s:
            raise InputFileError(
                path,
                f"line {line}: the dot ends at {found[-1].end_s:g} s, not after its start at {found[-1].start_s:g} s",
            )
    found.sort(key=lambda dot: dot.start_s)
    for before, after in pairwise(found):
        if after.start_s < before.end_s:
            raise InputFileError(
                path, f"the dot at {after.start_s:g} s begins before that of {before.start_s:g} s ends"
            )
    return found


def record_film(
    sitting: Sitting,
    dots: Iterable[ShownDot],
    frames: Iterable[tuple[float, bytes]],
    rate: float | None = None,
) -> None:
    """Record a sitting from dots and frames, both in the order of time; it is not finished.

    Args:
        sitting: that begins, or is resumed: dots before its last frame are passed over.
        dots: what was shown.
        frames: time, s, and JPEG.
        rate: frames per second of the camera.

    Raises:
        OutputError: a dot cannot be stored.
        UsageError: a frame is not a picture; the message says at which time.
    """
    dots = list(dots)
    x_min, y_min, x_max, y_max = sitting.head.screen_cm
    stream = iter(frames)
    ahead = next(stream, None)
    done_s = sitting.last_s if sitting.attempts else -math.inf
    with progress.bar("Recording", len(dots), "dots") as advance:
        for dot in dots:
            advance(1)
            if dot.end_s <= done_s or dot.start_s <= done_s:
                continue
            place = ((dot.x_cm - x_min) / (x_max - x_min), (y_max - dot.y_cm) / (y_max - y_min))
            while ahead is not None and ahead[0] < dot.start_s:
                ahead = next(stream, None)
            sitting.show(dot.start_s, PlannedDot(*place, dot.letter))
            while ahead is not None and ahead[0] < dot.end_s:
                _take(sitting, *ahead)
                ahead = next(stream, None)
            sitting.end_dot(dot.typed, rate)


def _take(sitting: Sitting, time_s: float, jpeg: bytes) -> None:
    try:
        sitting.take(jpeg, time_s)
    except UsageError as error:
        raise UsageError(
            f"The film's frame at {time_s:g} s is damaged.",
            "Export the film again, or take the frame's line out of times.csv; then run the same command again.",
        ) from error


def require_new(session: Path, label: str, person: str, dots: Iterable[ShownDot]) -> None:
    """Refuse a film that a finished sitting holds already: its frames would train and judge the same network.

    Raises:
        UsageError: it does.
        InputFileError: the description of a sitting is damaged.
    """
    starts = {round(dot.start_s, 3) for dot in dots}
    for subject in sorted(session.glob(f"*/{SITTING_FILE}")):
        known = read_sitting(subject.parent)
        if known is None or (known.source, known.person) != (label, person) or not known.dots:
            continue
        if all(round(dot.shown_s, 3) in starts for dot in known.dots):
            raise UsageError(
                f"{subject.parent} is a recording of this film already.",
                "Delete that folder to record it again, or give the film another name if it is another film.",
            )


def film_frames(path: StrPath) -> Iterator[tuple[float, bytes]]:
    """Yield time, s, and JPEG of each frame of a film.

    Raises:
        InputFileError: it cannot be read.
        MissingDependencyError: it takes ffmpeg, which is not installed.
    """
    path = Path(path)
    if not path.exists():
        raise InputFileError(path, "there is no such film", "Give a video file, or a folder of frames.")
    if path.is_dir():
        yield from _folder(path)
    elif path.suffix.lower() == ".y4m":
        with opened_for_reading(path) as file:
            yield from _y4m(file, path)
    else:
        yield from _any(path)


def _folder(path: Path) -> Iterator[tuple[float, bytes]]:
    times = path / TIMES_FILE
    rows = [
        (_number(times, line, row, "time_s"), row["file"]) for line, row in _rows(times, ("file", "time_s"))
    ]
    for time_s, name in sorted(rows):
        yield time_s, read_bytes(path / name)


def _any(path: Path) -> Iterator[tuple[float, bytes]]:
    program = shutil.which("ffmpeg")
    if program is None:
        raise MissingDependencyError("ffmpeg", f"reading {path.name}", "apt-get install ffmpeg")
    command = [program, "-v", "error", "-i", str(path), "-f", "yuv4mpegpipe", "-pix_fmt", "yuv420p", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            yield from _y4m(process.stdout, path)
        finally:
            process.kill()


def _y4m(file: IO[bytes], path: Path) -> Iterator[tuple[float, bytes]]:
    head = file.readline().decode("ascii", "replace")
    size = re.match(r"YUV4MPEG2 .*?W(\d+) H(\d+)", head)
    rate = re.search(r" F(\d+):(\d+)", head)
    colour = re.search(r" C(\S+)", head)
    if size is None or rate is None or not (colour is None or colour[1].startswith("420")):
        raise InputFileError(
            path, "not a film that can be read (YUV4MPEG2 with 4:2:0)", "Convert it to .mp4."
        )
    width, height = int(size[1]), int(size[2])
    step_s = int(rate[2]) / max(int(rate[1]), 1)
    half = (-(-width // 2), -(-height // 2))
    number = 0
    while file.readline().startswith(b"FRAME"):
        planes = [file.read(w * h) for w, h in ((width, height), half, half)]
        if len(planes[2]) < half[0] * half[1]:
            return  # the film was cut off
        yield number * step_s, _jpeg(planes, (width, height), half)
        number += 1


def _jpeg(planes: list[bytes], size: tuple[int, int], half: tuple[int, int]) -> bytes:
    """Encode planes in video range (BT.601) as JPEG."""
    luma, *chroma = (np.frombuffer(p, np.uint8).astype(np.float32) for p in planes)
    values = [(luma - 16) * (255 / 219), *((c - 128) * (255 / 224) + 128 for c in chroma)]
    images = [
        Image.fromarray(np.clip(np.rint(v), 0, 255).astype(np.uint8).reshape(s[1], s[0]))
        for v, s in zip(values, (size, half, half), strict=True)
    ]
    full = [images[0], *(i.resize(size, Image.Resampling.BILINEAR) for i in images[1:])]
    content = io.BytesIO()
    Image.merge("YCbCr", full).save(content, "JPEG", quality=_QUALITY)
    return content.getvalue()


def _rows(path: Path, needed: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    try:
        text = read_bytes(path).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputFileError(path, f"not a CSV file ({error})") from None
    missing = [name for name in needed if not rows or name not in rows[0]]
    if missing:
        raise InputFileError(
            path, f"the column {missing[0]} is missing" if rows else "it has no rows",
            f"It needs the columns {', '.join(needed)}.",
        )  # fmt: skip
    return list(enumerate(rows, 2))


def _number(path: Path, line: int, row: dict[str, str], column: str) -> float:
    try:
        value = float(row[column])
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise InputFileError(path, f"line {line}: {column} is {row[column]!r}, not a number")
    return value
