"""Draws clips of many people's eyes as an event sensor sees them.

On the command line: `tinytracker synth-events OUT --subjects N --clips M [--seconds 1] [--rate 500] [--seed S]
[--jobs J] [--first K] [--part I/N] [--split SPLIT] [--devices NAME,NAME] [--size WIDTHxHEIGHT] [--gaze SCRIPT]
[--roi]`.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tinytracker import progress
from tinytracker.data.devices import find_device
from tinytracker.data.workers import Workers
from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.events.clip import SPLITS
from tinytracker.events.course import SCRIPTS
from tinytracker.events.person import EventParameters, is_finished, make_clips
from tinytracker.files import StrPath
from tinytracker.requirements import require
from tinytracker.synth.claim import claim
from tinytracker.synth.subject import split_of, wanted_subjects

PARAMETERS_FILE = "events.json"
"""File with the parameters of the set; a second run resumes it only if they are equal."""

MAX_SUBJECTS, MAX_CLIPS = 100_000, 1000
RATES = (50, 2000)
SECONDS = (0.1, 60.0)
SIZE_LIMITS = (64, 1280)


@dataclass(frozen=True)
class EventReport:
    """The outcome of one call of `synth_events`.

    Attributes:
        out: the folder. subjects: number of requested people, all now in it. made: clips drawn by this call.
            kept: clips that were there. seconds: wall time. splits: requested people per split.
    """

    out: Path
    subjects: int
    made: int
    kept: int
    seconds: float
    splits: dict[str, int]


def synth_events(
    out: StrPath,
    subjects: int,
    clips: int = 4,
    rate: int = 500,
    seconds: float = 1.0,
    seed: int = 0,
    jobs: int | None = None,
    devices: Sequence[str] | None = None,
    size: tuple[int, int] = (240, 320),
    first: int = 0,
    part: str | None = None,
    split: str | None = None,
    gaze: str = "natural",
    roi: bool = False,
) -> EventReport:
    """Write clips of subjects `first` to `first + subjects - 1` as `OUT/SUBJECT/clip-NNN.h5`.

    A clip is a pure function of (seed, subject, clip) and the other parameters. Each file appears when it is complete;
    finished ones are kept, so the same call resumes after Ctrl-C.

    Args:
        out: folder of the set; created when missing.
        subjects: number of people.
        clips: per person.
        rate: instants per second at which eyes and head move, and labels per second.
        seconds: length of a clip.
        seed: random seed, not negative. The people are those of `tinytracker.synth.generate` with this seed.
        jobs: number of processes; None for one per core.
        devices: names from the device table to choose from, ignoring case; None for all.
        size: (width, height) of the sensor held upright, px.
        first: number of the first person.
        part: "2/8" draws every eighth person, from the second on; several machines share the work.
        split: "train", "val" or "test" draws only the people of that split; None for all.
        gaze: "natural" for eyes that look around, "targets" for eyes that jump all over the screen.
        roi: switch off all pixels but those around the eyes, as the region of interest of a sensor does.

    Raises:
        UsageError: a number is out of range, a device is unknown, or nobody is left of a split.
        UnknownNameError: an unknown split or script of the gaze.
        OutputError: `out` holds something else or a set with other parameters, another call draws one of the same
            people, permission is missing, or the disk is full.
        MissingDependencyError: numba or h5py is not installed.

    Example:
        >>> from tinytracker.events import synth_events
        >>> synth_events("clips", subjects=1, clips=1, seconds=0.1).made
        1
    """
    out = Path(out)
    names = tuple(find_device(name).name for name in devices or ())
    parameters = EventParameters(
        clips, float(seconds), rate, seed, names, (size[0], size[1]), gaze=gaze, roi=roi
    )
    _check(parameters, subjects, first, jobs, devices)
    require("numba", "numba", "drawing events", "synth")
    require("h5py", "h5py", "writing events", "train")
    start = time.monotonic()
    wanted = _wanted(subjects, first, part, split)
    claim(out, PARAMETERS_FILE, parameters.as_json(), "a set of synthetic clips")
    missing = [i for i in wanted if not is_finished(out, parameters, i)]
    processes = min(jobs or os.cpu_count() or 1, max(len(missing), 1))
    made = 0
    with Workers(processes) as workers, progress.bar("Drawing", len(missing) * clips, "clips") as advance:
        for drawn in workers.map(partial(make_clips, out, parameters), missing):
            made += drawn
            advance(clips)
    splits = {name: sum(split_of(i) == name for i in wanted) for name in ("train", "val", "test")}
    return EventReport(out, len(wanted), made, len(wanted) * clips - made, time.monotonic() - start, splits)


def _wanted(subjects: int, first: int, part: str | None, split: str | None) -> list[int]:
    """Return the numbers of the people to draw."""
    wanted = list(wanted_subjects(subjects, first, part))
    if split is None:
        return wanted
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    chosen = [i for i in wanted if split_of(i) == split]
    if not chosen:
        raise UsageError(
            f"None of the {len(wanted)} people is in the split {split!r}.", "Use 25 or more subjects."
        )
    return chosen


def _check(
    parameters: EventParameters, subjects: int, first: int, jobs: int | None, devices: Sequence[str] | None
) -> None:
    if not math.isfinite(parameters.seconds):
        raise UsageError(
            f"seconds is {parameters.seconds}.", f"It must be from {SECONDS[0]} to {SECONDS[1]}."
        )
    limits = (
        ("subjects", subjects, 1, MAX_SUBJECTS),
        ("clips", parameters.clips, 1, MAX_CLIPS),
        ("rate", parameters.rate, *RATES),
        ("seconds", parameters.seconds, *SECONDS),
        ("seed", parameters.seed, 0, 2**63 - 1),
        ("first", first, 0, MAX_SUBJECTS - subjects),
        ("jobs", jobs if jobs is not None else 1, 1, 1024),
        ("width", parameters.size[0], *SIZE_LIMITS),
        ("height", parameters.size[1], *SIZE_LIMITS),
    )
    for name, value, low, high in limits:
        if not low <= value <= high:
            raise UsageError(f"{name} is {value}.", f"It must be from {low} to {high}.")
    if parameters.gaze not in SCRIPTS:
        raise UnknownNameError("script of the gaze", parameters.gaze, SCRIPTS)
    width, height = parameters.size
    if width > height:
        raise UsageError(
            f"size is {width}x{height}, wider than high.",
            f"Give the size of a sensor held upright: {height}x{width}.",
        )
    if devices is not None and not devices:
        raise UsageError("The list of devices is empty.", "Omit it to use all devices.")
