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
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from tinytracker.data.crops import MARGIN
from tinytracker.data.duplicates import Member, same_frames
from tinytracker.data.gazecapture import SPLITS, is_synthetic, people_of
from tinytracker.data.images import JPEG_QUALITY
from tinytracker.data.index import INDEX_FILE, SHARD_FOLDER, PreparedIndex
from tinytracker.data.labels import LIMIT_CM, TOLERANCE_CM
from tinytracker.data.losses import Losses, losses
from tinytracker.data.parts import PARTS_FOLDER, Made, Part, read_parts, write_part
from tinytracker.data.scanning import Scan, once_each, refuse_leaks, scan_all
from tinytracker.data.shards import ShardJob, ShardResult, Skip, finished, make_shard
from tinytracker.data.sitting import adopt_devices
from tinytracker.data.summary import summarise
from tinytracker.data.surroundings import LONGEST_PX
from tinytracker.data.survey import NotRead, Survey, survey
from tinytracker.data.workers import Workers
from tinytracker.errors import InputFileError, UsageError
from tinytracker.files import StrPath, json_bytes, make_folder, write_bytes, writing
from tinytracker.locks import locked
from tinytracker.progress import bar, say
from tinytracker.requirements import require_tensorflow
from tinytracker.words import counted

SKIPPED_FILE = "skipped.csv"
IMAGE_FORMATS = ("jpeg", "png")
CORRECTED_FILE = "corrected.csv"
_FORMAT_VERSION = 2
"""Part of every shard's key: shards of an older layout are recreated."""


@dataclass(frozen=True)
class PrepareReport:
    """The outcome of `prepare`.

    Attributes:
        index: the finished index.
        kept_shards: number of valid shards kept from an earlier run.
        made_shards: number of shards made in this run.
        skipped_csv: the file that lists every skipped frame and its reason.
        losses: what was lost, by reason.
        not_read: entries of the source folder that were not read.
        corrected: what was corrected while reading: (subject, correction); `corrected.csv` lists the same.
    """

    index: PreparedIndex
    kept_shards: int
    made_shards: int
    skipped_csv: Path
    losses: Losses
    not_read: tuple[NotRead, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Parameters:
    """Everything that determines the content of the shards, besides the source."""

    max_crop: int
    shard_frames: int
    image_format: str
    aim: bool = False
    longest_px: int = LONGEST_PX

    def check(self) -> None:
        """Raise `UsageError` when a value is out of range."""
        for name, value, low in (
            ("max_crop", self.max_crop, 16),
            ("shard_frames", self.shard_frames, 1),
            ("longest_px", self.longest_px, 64),
        ):
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
            document |= {"aim": True, "longest_px": self.longest_px}
        return document


def prepare(
    src: StrPath,
    out: StrPath,
    jobs: int | None = None,
    max_crop: int = 256,
    shard_frames: int = 2000,
    image_format: str = "jpeg",
    part: str | None = None,
    aim: bool = False,
    longest_px: int = LONGEST_PX,
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
        part: "2/8" prepares the second of eight parts, on any computer that sees both folders; when all are done,
            `merge` writes the index.
        aim: also store each whole frame and the place of the eyes in it, for networks with an aim and finders.
        longest_px: longer side of such a stored frame, px; larger frames are averaged down.

    Returns:
        The report, with the index; that of a part describes this part only and is not written.

    Raises:
        InputFileError: no subject or no usable frame was found, or the same frames are in two splits.
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
    parameters = Parameters(max_crop, shard_frames, image_format, aim, longest_px)
    parameters.check()
    jobs = len(os.sched_getaffinity(0)) if jobs is None else jobs
    if jobs < 1:
        raise UsageError(f"jobs is {jobs}, but must be at least 1.")
    adopt_devices(src)  # here, not in the workers: one program writes the file
    source = survey(src)
    if out.resolve().is_relative_to(src.resolve()):
        raise UsageError(f"{out} lies inside {src}.", "Choose a folder outside the data set.")
    own = Part.parse(part) if part is not None else None
    require_tensorflow("writing shards")
    if own is None:
        with locked(out, "prepare"):
            made = _make(src, out, source, jobs, parameters)
            return _finish(src, out, made)
    with locked(out, f"prepare --part {part}", f".part-{own}.lock"):
        made = _make(src, out, source, jobs, parameters, own)
        write_part(out, own, made)
        return _report(out, made, _index(src, out, made))


def merge(src: StrPath, out: StrPath) -> PrepareReport:
    """Write the index of a folder whose parts were prepared by `prepare(..., part="1/8")` and so on.

    Args:
        src: the folder of subjects, as for the parts.
        out: the folder that the parts filled.

    Returns:
        The report, as of one call of `prepare` for everything.

    Raises:
        InputFileError: a part is missing or its shards have changed, or the same frames are in two parts.
        OutputError: `out` cannot be written, or another command is writing there.
    """
    src, out = Path(src), Path(out)
    if not out.is_dir():
        raise InputFileError(
            out, "there are no parts to merge", f"Run: tinytracker prepare {src} {out} --part I/N"
        )
    with locked(out, "prepare --merge"):
        made = read_parts(out)
        refuse_leaks(src, same_frames(made.members))
        _remove_strangers(out, {path for _, path, _ in made.shards})
        return _finish(src, out, made)


def _make(
    src: Path, out: Path, source: Survey, jobs: int, parameters: Parameters, part: Part | None = None
) -> Made:
    """Scan, plan and make the shards of all subjects, or of those of one part."""
    make_folder(out / SHARD_FOLDER)
    with writing(out):
        (out / INDEX_FILE).unlink(missing_ok=True)  # without an index, the folder counts as unfinished
        if part is not None:
            (out / PARTS_FOLDER / f"{part}.json").unlink(missing_ok=True)
    subjects = [s for s in source.subjects if part is None or part.holds(s.name)]
    with Workers(jobs) as workers:
        scans = once_each(src, scan_all(subjects, workers))
        shard_jobs = _plan(scans, out, parameters, part.prefix if part else "")
        if not shard_jobs and part is None:
            raise InputFileError(
                src, _nothing_usable(scans), "A usable frame has a face and both eyes detected."
            )
        _remove_strangers(out, {job.path for job in shard_jobs}, part.prefix if part else "")
        results, kept = _make_all(shard_jobs, scans, workers)
    return Made(
        parameters=parameters.as_json(),
        shards=[(job.split, job.path, result) for job, result in zip(shard_jobs, results, strict=True)],
        skips=[scan.skip for scan in scans if scan.skip],
        corrected=[(scan.subject.name, what) for scan in scans for what in scan.corrections],
        not_read=source.not_read,
        members=[Member(scan.subject, scan.split, scan.marks) for scan in scans if scan.split],
        kept=kept,
    )


def _finish(src: Path, out: Path, made: Made) -> PrepareReport:
    """Write the index and the lists beside it."""
    index = _index(src, out, made)
    if not index.frames:
        subjects = {member.subject.name for member in made.members} | {skip.subject for skip in made.skips}
        raise InputFileError(
            src,
            _nothing_usable_in(len(subjects), made.all_skips),
            "A usable frame has a face and both eyes detected.",
        )
    rows = map(astuple, made.all_skips)
    write_bytes(out / SKIPPED_FILE, _csv(("subject", "frame", "reason", "detail"), rows))
    write_bytes(out / CORRECTED_FILE, _csv(("subject", "correction"), made.corrected))
    write_bytes(out / INDEX_FILE, json_bytes(index.as_json(), indent=1))
    return _report(out, made, index)


def _index(src: Path, out: Path, made: Made) -> PreparedIndex:
    origin = "synthetic" if is_synthetic(src) else "recorded"
    index = summarise(out, made.parameters, made.shards, made.all_skips, origin)
    prepared = {name for split in index.splits.values() for name in split.subjects}
    people = {name: found for name, found in people_of(src).items() if name in prepared}
    return replace(index, people=people)


def _report(out: Path, made: Made, index: PreparedIndex) -> PrepareReport:
    return PrepareReport(
        index, made.kept, len(made.shards) - made.kept, out / SKIPPED_FILE,
        losses(made.all_skips, made.not_read), tuple(made.not_read), tuple(made.corrected),
    )  # fmt: skip


def _plan(scans: list[Scan], out: Path, parameters: Parameters, prefix: str) -> list[ShardJob]:
    """Group subjects into shards, in an order that mixes devices and depends only on the names."""
    groups: list[tuple[str, int, list[Scan]]] = []
    for split in SPLITS:
        members = [scan for scan in scans if scan.split == split]
        members.sort(key=lambda scan: hashlib.sha256(scan.subject.name.encode()).digest())
        group: list[Scan] = []
        number = 0
        for scan in members:
            group.append(scan)
            last = scan is members[-1]
            if last or sum(member.usable for member in group) >= parameters.shard_frames:
                groups.append((split, number, group))
                group = []
                number += 1
    return [
        _job(out / SHARD_FOLDER / f"{split}-{prefix}{number:05d}.tfrecord", parameters, split, group)
        for split, number, group in groups
    ]


def _job(path: Path, parameters: Parameters, split: str, group: list[Scan]) -> ShardJob:
    sources = [[scan.subject.name, scan.fingerprint] for scan in group]
    decides = json.dumps([_FORMAT_VERSION, parameters.as_json(), split, sources], sort_keys=True)
    return ShardJob(
        path=path,
        split=split,
        subjects=tuple(scan.subject for scan in group),
        max_crop=parameters.max_crop,
        image_format=parameters.image_format,
        aim=parameters.aim,
        longest_px=parameters.longest_px,
        key=hashlib.sha256(decides.encode()).hexdigest(),
    )


def _remove_strangers(out: Path, shards: set[Path], prefix: str = "") -> None:
    """Remove shards of an earlier plan and files of a killed run; nothing else in the folder is touched.

    Args:
        out: the prepared folder.
        shards: those that belong there.
        prefix: of one part, whose files alone are looked at.
    """
    belongs = {name for path in shards for name in (path.name, path.with_suffix(".json").name)}
    folder = out / SHARD_FOLDER
    with writing(folder):
        for split in SPLITS:
            start = f"{split}-{prefix}"
            for pattern in (f"{start}*.tfrecord", f"{start}*.json", f".{start}*.partial"):
                for path in folder.glob(pattern):
                    if path.name not in belongs:
                        path.unlink()


def _make_all(jobs: list[ShardJob], scans: list[Scan], workers: Workers) -> tuple[list[ShardResult], int]:
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
            say(f"Keeping {kept} of {counted(len(jobs), 'shard')} from an earlier run.")
        by_key = {job.key: job for job in todo}
        for result in workers.map(make_shard, todo):
            results[result.key] = result
            advance(sum(usable[subject.name] for subject in by_key[result.key].subjects))
    return [results[job.key] for job in jobs], kept


def _csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _nothing_usable(scans: list[Scan]) -> str:
    return _nothing_usable_in(len(scans), [scan.skip for scan in scans if scan.skip])


def _nothing_usable_in(subjects: int, found: list[Skip]) -> str:
    reasons = Counter(skip.reason for skip in found)
    why = ", ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
    example = next((f"; {skip.subject}: {skip.detail}" for skip in found if skip.detail), "")
    return f"no usable frame in {counted(subjects, 'subject')}: {why or 'they have no frames'}{example}"
