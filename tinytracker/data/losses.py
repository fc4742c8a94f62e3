"""What `prepare` lost, by reason, and whether any of it was to be expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tinytracker.data.reasons import Reason
from tinytracker.data.shards import Skip
from tinytracker.data.survey import NotRead

_NOT_READ = "not read"


@dataclass(frozen=True)
class Losses:
    """People and frames that are in the source and not in the shards.

    Attributes:
        people: by reason, people of whom nothing could be read.
        frames: by reason, frames of the other people; without those below.
        not_detected: frames without a face or an eye, which every recording has.
        duplicates: people left out because another one holds the same frames.
    """

    people: dict[str, int]
    frames: dict[str, int]
    not_detected: int
    duplicates: int

    @property
    def unexpected(self) -> bool:
        """Whether anything was lost that an intact data set does not lose."""
        return bool(self.people or self.frames)

    def as_json(self) -> dict[str, Any]:
        """Return the losses as a JSON object."""
        return asdict(self) | {"unexpected": self.unexpected}

    def sentence(self) -> str:
        """Return the last line of the report."""
        lost = (
            f"Lost: {_counted(self.people, 'person', 'people')}, {_counted(self.frames, 'frame', 'frames')}."
            if self.unexpected
            else "Nothing was lost."
        )
        expected = f" Frames without a face or both eyes, as expected: {self.not_detected:,}."
        twice = f" People who were there twice and count once: {self.duplicates}." if self.duplicates else ""
        return lost + (expected if self.not_detected else "") + twice


def losses(skips: Iterable[Skip], not_read: Iterable[NotRead]) -> Losses:
    """Count what was lost."""
    people: Counter[str] = Counter()
    frames: Counter[str] = Counter()
    for skip in skips:
        (frames if skip.frame else people)[skip.reason] += 1
    lost_entries = sum(entry.lost for entry in not_read)
    if lost_entries:
        people[_NOT_READ] = lost_entries
    not_detected = frames.pop(Reason.NOT_DETECTED.value, 0)
    duplicates = people.pop(Reason.DUPLICATE.value, 0)
    return Losses(dict(sorted(people.items())), dict(sorted(frames.items())), not_detected, duplicates)


def _counted(found: dict[str, int], one: str, many: str) -> str:
    total = sum(found.values())
    what = one if total == 1 else many
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in found.items())
    return f"{total:,} {what}" + (f" ({reasons})" if found else "")
