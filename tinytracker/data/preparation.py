"""From a GazeCapture folder to TFRecord shards: parallel, resumable, reproducible; every skipped frame is listed.

Plan (read the JSON files of all subjects) → shards (in worker processes) → `skipped.csv` and, last,
`index.json`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytracker.data.crops import MARGIN
from tinytracker.data.gazecapture import SPLITS, is_synthetic
from tinytracker.data.images import JPEG_QUALITY
from tinytracker.data.index import INDEX_FILE, SHARD_FOLDER, PreparedIndex
from tinytracker.data.labels import LIMIT_CM, TOLERANCE_CM
from tinytracker.data.reader import read_recording
from tinytracker.data.shards import ShardJob, ShardResult, Skip, finished, make_shard
from tinytracker.data.source import Subject, iter_subjects
from tinytracker.data.summary import summarise
from tinytracker.data.surroundings import LONGEST_PX
from tinytracker.data.workers import Workers
from tinytracker.errors import InputFileError, SubjectError, UsageError
from tinytracker.files import StrPath, json_bytes, make_folder, write_bytes, writing
from tinytracker.progress import bar, say
from tinytracker.requirements import require_tensorflow

SKIPPED_FILE = "skipped.csv"
IMAGE_FORMATS = ("jpeg", "png")
_FORMAT_VERSION = 1
"""Part of every shard's key: shards of an older layout are recreated."""


@dataclass(frozen=True)
class PrepareReport:
    """The outcome of `prepare`.

    Attributes:
        index: the finished index.
        kept_shards: number of valid shards kept from an earlier run.
        made_shards: number of shards made in this run.
        skipped_csv: the file that lists every skipped frame and its reason.
    """

    index: PreparedIndex
    kept_shards: int
    made_shards: int
    skipped_csv: Path


@dataclass(frozen=True)
class Parameters:
    """Everything that determines the content of the shards, besides the source."""

    max_crop: int
    shard_frames: int
    image_format: str
    aim: bool = False

    def check(self) -> None:
        """Raise `UsageError` when a value is out of range."""
        for name, value, low in (("max_crop", self.max_crop, 16), ("shard_frames", self.shard_frames, 1)):
            if value < low:
                raise UsageError(f"{name} is {value}, but must be at least {low}.")
        if self.image_format not in IMAGE_FORMATS:
            raise UsageError(
                f"The image format is {self.image_format!r}.", f"Choose one of: {', '.join(IMAGE_FORMATS)}."
            )

    def as_json(self) -> dict[str, Any]:
        """Return all parameters, including the constants, for the index."""
        document = {
            "max_crop": self.max_crop,
            "shard_frames": self.shard_frames,
            "image_format": self.image_format,
            "jpeg_quality": JPEG_QUALITY,
            "margin": MARGIN,
            "label_tolerance_cm": TOLERANCE_CM,
            "label_limit_cm": LIMIT_CM,
        }
        if self.aim:
            document |= {"aim": True, "longest_px": LONGEST_PX}
        return document


@dataclass(frozen=True)
class _Scan:
    """The result of reading the JSON files of one subject."""

    subject: Subject
    fingerprint: str
    split: str = ""
    usable: int = 0
    skip: Skip | None = None


def prepare(
    src: StrPath,
    out: StrPath,
    jobs: int | None = None,
    max_crop: int = 256,
    shard_frames: int = 2000,
    image_format: str = "jpeg",
    aim: bool = False,
) -> PrepareReport:
    """Turn a GazeCapture folder into TFRecord shards and an index.

    A second run after an interruption keeps the shards that are complete and whose source has not changed. The
    same source gives the same bytes, regardless of the number of jobs.

    Args:
        src: the folder of subjects (unpacked, `NNNNN.tar.gz`, or both), or one subject.
        out: the folder to fill; created when missing.
        jobs: number of worker processes, by default one per usable core; 1 runs in this process.
        max_crop: longest side of a stored face box in px; larger ones are averaged down.
        shard_frames: a shard is closed when it holds this many frames; a subject is never split between shards.
        image_format: "jpeg" (quality 95, 4:4:4) or "png" (lossless, about five times larger).
        aim: also store each whole frame and the place of the eyes in it, for networks with an aim and finders.

    Returns:
        The report, with the index.

    Raises:
        InputFileError: no subject or no usable frame was found.
        OutputError: `out` cannot be written.
        UsageError: a parameter is out of range, or `out` lies inside `src`.
        MissingDependencyError: TensorFlow is not installed.

    Example:
        >>> from tinytracker.data import prepare
        >>> prepared = prepare("faces", "prepared", jobs=1)
        >>> prepared.index.frames, sorted(prepared.index.splits)
        (39, ['test', 'train', 'val'])
    """
    src = Path(src)
    out = Path(out)
    parameters = Parameters(max_crop, shard_frames, image_format, aim)
    parameters.check()
    jobs = len(os.sched_getaffinity(0)) if jobs is None else jobs
    if jobs < 1:
        raise UsageError(f"jobs is {jobs}, but must be at least 1.")
    subjects = iter_subjects(src)
    if out.resolve().is_relative_to(src.resolve()):
        raise UsageError(f"{out} lies inside {src}.", "Choose a folder outside the data set.")
    require_tensorflow("writing shards")
    make_folder(out / SHARD_FOLDER)
    with writing(out):
        (out / INDEX_FILE).unlink(missing_ok=True)  # without an index, the folder counts as unfinished

    with Workers(jobs) as workers:
        scans = _scan_all(subjects, workers)
        shard_jobs = _plan(scans, out, parameters)
        if not shard_jobs:
            raise InputFileError(
                src, _nothing_usable(scans), "A usable frame has a face and both eyes detected."
            )
        _remove_strangers(out, shard_jobs)
        results, kept = _make_all(shard_jobs, scans, workers)

    skips = sorted(
        [scan.skip for scan in scans if scan.skip] + [skip for result in results for skip in result.skips],
        key=lambda skip: (skip.subject, skip.frame),
    )
    origin = "synthetic" if is_synthetic(src) else "recorded"
    index = summarise(out, parameters.as_json(), shard_jobs, results, skips, origin)
    if not index.frames:
        raise InputFileError(
            src, _nothing_usable(scans, skips), "A usable frame has a face and both eyes detected."
        )
    write_bytes(out / SKIPPED_FILE, _skipped_csv(skips))
    write_bytes(out / INDEX_FILE, json_bytes(index.as_json(), indent=1))
    return PrepareReport(index, kept, len(shard_jobs) - kept, out / SKIPPED_FILE)


def _scan_subject(subject: Subject) -> _Scan:
    """Read a subject's arrays to find its split and size; damage is returned, not raised."""
    fingerprint = ""
    try:
        fingerprint = subject.fingerprint()
        recording = read_recording(subject, strict=False, motion=False)
    except SubjectError as error:
        skip = Skip(subject.name, "", str(error.reason), error.problem)
        return _Scan(subject, fingerprint, skip=skip)
    return _Scan(subject, fingerprint, recording.dataset, int(recording.usable.sum()))


def _scan_all(subjects: list[Subject], workers: Workers) -> list[_Scan]:
    scans = []
    with bar("Reading subjects", len(subjects), "subjects") as advance:
        for scan in workers.map(_scan_subject, subjects):
            scans.append(scan)
            advance()
    return sorted(scans, key=lambda scan: scan.subject.name)


def _plan(scans: list[_Scan], out: Path, parameters: Parameters) -> list[ShardJob]:
    """Group subjects into shards, in an order that mixes devices and depends only on the names."""
    groups: list[tuple[str, int, list[_Scan]]] = []
    for split in SPLITS:
        members = [scan for scan in scans if scan.split == split]
        members.sort(key=lambda scan: hashlib.sha256(scan.subject.name.encode()).digest())
        group: list[_Scan] = []
        number = 0
        for scan in members:
            group.append(scan)
            last = scan is members[-1]
            if last or sum(member.usable for member in group) >= parameters.shard_frames:
                groups.append((split, number, group))
                group = []
                number += 1
    return [_job(out, parameters, *group) for group in groups]


def _job(out: Path, parameters: Parameters, split: str, number: int, group: list[_Scan]) -> ShardJob:
    sources = [[scan.subject.name, scan.fingerprint] for scan in group]
    decides = json.dumps([_FORMAT_VERSION, parameters.as_json(), split, sources], sort_keys=True)
    return ShardJob(
        path=out / SHARD_FOLDER / f"{split}-{number:05d}.tfrecord",
        split=split,
        subjects=tuple(scan.subject for scan in group),
        max_crop=parameters.max_crop,
        image_format=parameters.image_format,
        aim=parameters.aim,
        key=hashlib.sha256(decides.encode()).hexdigest(),
    )


def _remove_strangers(out: Path, jobs: list[ShardJob]) -> None:
    """Remove shards of an earlier plan and files of a killed run; nothing else in the folder is touched."""
    belongs = {path.name for job in jobs for path in (job.path, job.sidecar)}
    folder = out / SHARD_FOLDER
    with writing(folder):
        for split in SPLITS:
            for pattern in (f"{split}-*.tfrecord", f"{split}-*.json", f".{split}-*.partial"):
                for path in folder.glob(pattern):
                    if path.name not in belongs:
                        path.unlink()


def _make_all(jobs: list[ShardJob], scans: list[_Scan], workers: Workers) -> tuple[list[ShardResult], int]:
    """Return the results in the order of the jobs, and how many shards were kept from an earlier run."""
    usable = {scan.subject.name: scan.usable for scan in scans}
    results: dict[str, ShardResult] = {}
    total = sum(usable.values())
    with bar("Preparing", total, "frames") as advance:
        todo = []
        for job in jobs:
            earlier = finished(job)
            if earlier is None:
                todo.append(job)
                continue
            results[job.key] = earlier
            advance(sum(usable[subject.name] for subject in job.subjects))
        kept = len(results)
        if kept:
            say(f"Keeping {kept} of {len(jobs)} shards from an earlier run.")
        by_key = {job.key: job for job in todo}
        for result in workers.map(make_shard, todo):
            results[result.key] = result
            advance(sum(usable[subject.name] for subject in by_key[result.key].subjects))
    return [results[job.key] for job in jobs], kept


def _skipped_csv(skips: list[Skip]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["subject", "frame", "reason", "detail"])
    writer.writerows([skip.subject, skip.frame, skip.reason, skip.detail] for skip in skips)
    return text.getvalue().encode()


def _nothing_usable(scans: list[_Scan], skips: list[Skip] | None = None) -> str:
    found = skips if skips is not None else [scan.skip for scan in scans if scan.skip]
    reasons = Counter(skip.reason for skip in found)
    why = ", ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
    return f"no usable frame in {len(scans)} subjects: {why or 'they have no frames'}"
