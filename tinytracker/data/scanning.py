"""Reads the JSON files of all subjects: which can be used, in which split, and how many frames they have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tinytracker.data.devices import own_devices
from tinytracker.data.duplicates import Marks, Member, frame_marks, same_frames
from tinytracker.data.reader import read_recording
from tinytracker.data.reasons import Reason
from tinytracker.data.shards import Skip
from tinytracker.data.source import Subject
from tinytracker.data.workers import Workers
from tinytracker.errors import InputFileError, SubjectError
from tinytracker.files import sha256_bytes
from tinytracker.progress import bar

_NAMED = 5
"""Pairs that a message names."""


@dataclass(frozen=True)
class Scan:
    """The result of reading the JSON files of one subject.

    Attributes:
        subject: as it is read. fingerprint: of its files.
        split: of the subject. usable: number of usable frames according to the arrays.
        skip: why the subject cannot be used, or None.
        incomplete: what a folder lacks, or "".
        corrections: what was corrected. marks: to recognize the same frames elsewhere.
    """

    subject: Subject
    fingerprint: str
    split: str = ""
    usable: int = 0
    skip: Skip | None = None
    incomplete: str = ""
    corrections: tuple[str, ...] = ()
    marks: Marks = ()


def _scan_subject(subject: Subject) -> Scan:
    """Read a subject's arrays to find its split and size; damage is returned, not raised.

    Of an incomplete folder with an archive beside it, such as an interrupted extraction leaves, the archive is read.
    """
    scan = _scan_one(subject)
    if subject.other is None or (scan.skip is None and not scan.incomplete):
        return scan
    packed = _scan_one(Subject(subject.name, subject.other))
    if packed.skip is not None:
        return scan
    why = scan.skip.detail if scan.skip else scan.incomplete
    note = f"{subject.other.name} is read, because the folder is incomplete ({why})"
    return replace(packed, corrections=(note, *packed.corrections))


def _scan_one(subject: Subject) -> Scan:
    fingerprint = ""
    try:
        fingerprint = subject.fingerprint()
        recording = read_recording(subject, strict=False, motion=False)
    except SubjectError as error:
        skip = Skip(subject.name, "", str(error.reason), error.problem)
        return Scan(subject, fingerprint, skip=skip)
    own = own_devices().get(recording.device_name)
    if own is not None:  # its numbers decide about labels
        fingerprint = sha256_bytes(f"{fingerprint} {own}".encode())
    missing = subject.missing_frames(recording.frame_names)
    return Scan(
        subject, fingerprint, recording.dataset, int(recording.usable.sum()),
        incomplete=f"frames missing: {missing}" if missing else "",
        corrections=recording.corrections, marks=frame_marks(recording),
    )  # fmt: skip


def once_each(src: Path, scans: list[Scan]) -> list[Scan]:
    """Leave out subjects whose frames another one holds.

    Raises:
        InputFileError: they are in different splits, so that a network would be judged by people it was trained on.
    """
    pairs = same_frames(Member(scan.subject, scan.split, scan.marks) for scan in scans)
    refuse_leaks(src, pairs, within_a_split=False)
    first = {b.subject.name: a.subject.name for a, b in reversed(pairs)}
    return [
        replace(scan, skip=Skip(name, "", Reason.DUPLICATE.value, f"those of {first[name]}"), split="")
        if (name := scan.subject.name) in first
        else scan
        for scan in scans
    ]


def scan_all(subjects: list[Subject], workers: Workers) -> list[Scan]:
    """Return the scans of all subjects, ordered by name."""
    scans = []
    with bar("Reading subjects", len(subjects), "subjects") as advance:
        for scan in workers.map(_scan_subject, subjects):
            scans.append(scan)
            advance()
    return sorted(scans, key=lambda scan: scan.subject.name)


def refuse_leaks(src: Path, pairs: list[tuple[Member, Member]], within_a_split: bool = True) -> None:
    """Refuse pairs of subjects that hold the same frames.

    Args:
        src: the source folder.
        pairs: from `same_frames`.
        within_a_split: whether pairs in the same split are refused too.

    Raises:
        InputFileError: there is such a pair.
    """
    leaks = [
        f"{a.subject.name} ({a.split}) and {b.subject.name} ({b.split})"
        for a, b in pairs
        if a.split != b.split
    ]
    if leaks:
        more = f" and {len(leaks) - _NAMED} more pairs" if len(leaks) > _NAMED else ""
        raise InputFileError(
            src,
            f"the same person is in two splits: {'; '.join(leaks[:_NAMED])}{more} hold the same frames",
            "Remove one of the two: an error measured on people of the training split says nothing.",
        )
    if pairs and within_a_split:
        a, b = pairs[0]
        raise InputFileError(
            src,
            f"{a.subject.name} and {b.subject.name}, in different parts, hold the same frames",
            "Remove one of the two, and run its part again.",
        )
