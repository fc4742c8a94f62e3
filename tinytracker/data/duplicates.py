"""Finds subjects that hold the same frames under two names: one counts twice, or a person is in two splits."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tinytracker.data.gazecapture import Recording
from tinytracker.data.source import Subject
from tinytracker.errors import SubjectError

_MARKS = 32
"""Marks kept per subject: those with the smallest values, so that copies keep the same ones, even parts of copies."""

_COMPARED = 3

Marks = tuple[tuple[bytes, str], ...]
"""Marks of a subject's frames, each with the name of its frame."""


@dataclass(frozen=True)
class Member:
    """What the search needs of one subject."""

    subject: Subject
    split: str
    marks: Marks


def frame_marks(recording: Recording) -> Marks:
    """Return marks of the usable frames, computed from label, time and face box.

    They cost no reading of images; equal marks only say where to compare images.
    """
    values = np.concatenate(
        [
            np.stack([recording.x_cam, recording.y_cam, recording.dot_time], axis=-1),
            recording.face.corners(),
        ],
        axis=-1,
    ).astype("<f8")
    found = [
        (hashlib.sha256(values[i].tobytes()).digest()[:8], recording.frame_names[i])
        for i in np.flatnonzero(recording.usable)
    ]
    return tuple(sorted(found)[:_MARKS])


def same_frames(members: Iterable[Member]) -> list[tuple[Member, Member]]:
    """Return pairs of subjects that hold the same images, in the order of their names."""
    holders: dict[bytes, list[tuple[Member, str]]] = defaultdict(list)
    for member in sorted(members, key=lambda m: m.subject.name):
        for mark, frame in member.marks:
            holders[mark].append((member, frame))
    shared: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    by_name: dict[str, Member] = {}
    for entries in holders.values():
        first, frame = entries[0]
        for other, other_frame in entries[1:]:
            if other.subject.name != first.subject.name:
                shared[first.subject.name, other.subject.name].append((frame, other_frame))
                by_name |= {first.subject.name: first, other.subject.name: other}
    return [
        (by_name[a], by_name[b])
        for (a, b), frames in sorted(shared.items())
        if _equal_images(by_name[a].subject, by_name[b].subject, frames[:_COMPARED])
    ]


def _equal_images(a: Subject, b: Subject, frames: list[tuple[str, str]]) -> bool:
    try:
        ours = dict(a.frames([name for name, _ in frames]))
        theirs = dict(b.frames([name for _, name in frames]))
    except SubjectError:
        return False
    return any(one in ours and ours[one] == theirs.get(two) for one, two in frames)
