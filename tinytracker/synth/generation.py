"""Generates a synthetic data set in the layout of GazeCapture.

On the command line: `tinytracker synth OUT --subjects N --frames M --seed S [--jobs J] [--devices NAME,NAME]
[--size WIDTHxHEIGHT] [--difficulty D] [--aim] [--sequences [--rate 30|60] [--movement NAME]]`. The size is that of a
portrait frame, 480x640 by default; landscape frames have width and height swapped, as in GazeCapture.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tinytracker import progress
from tinytracker.data.devices import find_device
from tinytracker.data.gazecapture import PEOPLE, SYNTHETIC_MARK, people_of
from tinytracker.data.workers import Workers
from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.files import StrPath, read_json, write_json
from tinytracker.locks import locked
from tinytracker.requirements import require
from tinytracker.synth.claim import CLAIM_WAIT_S, claim
from tinytracker.synth.head_movements import MOVEMENTS
from tinytracker.synth.sequence import MIXED, RATES
from tinytracker.synth.subject import Parameters, make_subject, split_of, subject_name, wanted_subjects

PARAMETERS_FILE = SYNTHETIC_MARK
"""File with the parameters of the data set; a second run resumes it only if they are equal."""

MAX_SUBJECTS = 100_000
MAX_FRAMES = 100_000
SIZE_LIMITS = (64, 4096)


@dataclass(frozen=True)
class SynthReport:
    """The outcome of one call of `generate`.

    Attributes:
        out: the folder. subjects: number of requested subjects, all now in it. made: subjects drawn by this call.
            kept: subjects that were already finished.
        frames: frames drawn by this call. seconds: wall time. splits: requested subjects per split.
    """

    out: Path
    subjects: int
    made: int
    kept: int
    frames: int
    seconds: float
    splits: dict[str, int]


def generate(
    out: StrPath,
    subjects: int,
    frames: int,
    seed: int = 0,
    jobs: int | None = None,
    devices: Sequence[str] | None = None,
    size: tuple[int, int] = (480, 640),
    first: int = 0,
    difficulty: float = 1.0,
    part: str | None = None,
    aim: bool = False,
    sequences: int = 0,
    movement: str = MIXED,
) -> SynthReport:
    """Write subjects `first` to `first + subjects - 1` under `out`.

    A subject is a pure function of (seed, index) and the other parameters, so the files do not depend on
    `jobs`, and several machines can share the work by `first`. Finished subjects are kept, so the same call resumes
    after Ctrl-C.

    Args:
        out: folder of the data set; created when missing.
        subjects: number of subjects.
        frames: number of frames per subject.
        seed: random seed, not negative.
        jobs: number of processes; None for one per core.
        devices: names from the device table to choose from, ignoring case; None for all 15.
        size: (width, height) of a portrait frame, px.
        first: index of the first subject.
        difficulty: factor on the spread of head pose and position, motion, noise and lost frames; 1 is
            realistic.
        part: "2/8" draws the subjects that `prepare` takes for that part, about an eighth; several machines share
            the work, or one machine draws, prepares and deletes one part after the other.
        aim: varied framing and pictures of rooms without a person, for training a network with an aim.
        sequences: 30 or 60: each subject's frames follow one another at this rate, per second; 0: frames of
            separate dots.
        movement: of the heads in sequences: "calm", "moving", "wild", "away", or "mixed" for all of them in turn.

    Raises:
        UsageError: a number is out of range, or a device is unknown.
        OutputError: `out` holds something else or a data set with other parameters, another call draws one of the
            same subjects, permission is missing, or the disk is full.
        MissingDependencyError: numba is not installed.

    Example:
        >>> from tinytracker.synth import generate
        >>> generate("faces", subjects=8, frames=5).subjects
        8
    """
    out = Path(out)
    parameters = replace(
        _checked(subjects, frames, seed, jobs, devices, size, first, difficulty),
        aim=aim,
        sequences=_checked_rate(sequences, movement),
        movement=movement if sequences else "",
    )
    require("numba", "numba", "drawing synthetic frames", "synth")
    start = time.monotonic()
    claim(out, PARAMETERS_FILE, parameters.as_json(), "a synthetic data set")
    wanted = wanted_subjects(subjects, first, part)
    missing = [i for i in wanted if not (out / subject_name(i)).is_dir()]
    missing_set = set(missing)
    known = people_of(out)
    undescribed = [i for i in wanted if subject_name(i) not in known and i not in missing_set]
    work = partial(make_subject, out, parameters)
    processes = min(jobs or os.cpu_count() or 1, max(len(missing), 1))
    with Workers(processes) as workers, progress.bar("Drawing", len(missing) * frames, "frames") as advance:
        found = {}
        for name, attributes in workers.map(work, [*missing, *undescribed]):
            found[name] = attributes
            advance(frames if int(name) in missing_set else 0)
    _record_people(out, found)
    splits = {name: sum(split_of(i) == name for i in wanted) for name in ("train", "val", "test")}
    return SynthReport(
        out=out,
        subjects=len(wanted),
        made=len(missing),
        kept=len(wanted) - len(missing),
        frames=len(missing) * frames,
        seconds=time.monotonic() - start,
        splits=splits,
    )


def _record_people(out: Path, found: dict[str, dict[str, Any]]) -> None:
    """Add the attributes of subjects to `synth.json`; several calls may do so at once."""
    if not found:
        return
    with locked(out, "synth", wait_s=CLAIM_WAIT_S):
        record = out / PARAMETERS_FILE
        document = read_json(record, "Delete it if the folder may be overwritten.")
        people = document.pop(PEOPLE, {}) | found
        write_json(record, document | {PEOPLE: dict(sorted(people.items()))})


def _checked(
    subjects: int,
    frames: int,
    seed: int,
    jobs: int | None,
    devices: Sequence[str] | None,
    size: tuple[int, int],
    first: int,
    difficulty: float,
) -> Parameters:
    limits = (
        ("subjects", subjects, 1, MAX_SUBJECTS),
        ("frames", frames, 1, MAX_FRAMES),
        ("seed", seed, 0, 2**63 - 1),
        ("first", first, 0, MAX_SUBJECTS - subjects),
        ("jobs", jobs if jobs is not None else 1, 1, 1024),
        ("width", size[0], *SIZE_LIMITS),
        ("height", size[1], *SIZE_LIMITS),
    )
    for name, value, low, high in limits:
        if not low <= value <= high:
            raise UsageError(f"{name} is {value}.", f"It must be from {low} to {high}.")
    if size[0] > size[1]:
        raise UsageError(
            f"size is {size[0]}x{size[1]}, wider than high.",
            f"Give the size of a portrait frame: {size[1]}x{size[0]}.",
        )
    if not 0 <= difficulty <= 5:
        raise UsageError(f"difficulty is {difficulty}.", "It must be from 0 to 5; 1 is realistic.")
    if devices is not None and not devices:
        raise UsageError("The list of devices is empty.", "Omit it to use all devices.")
    names = tuple(find_device(name).name for name in devices or ())
    return Parameters(
        frames=frames, seed=seed, devices=names, size=(size[0], size[1]), difficulty=float(difficulty)
    )


def _checked_rate(sequences: int, movement: str) -> int:
    if sequences not in (0, *RATES):
        raise UsageError(f"sequences is {sequences} frames per second.", "It must be 30 or 60.")
    if movement not in (MIXED, *MOVEMENTS):
        raise UnknownNameError("movement", movement, (MIXED, *MOVEMENTS))
    return sequences
