"""Preparing in parts: each job takes every n-th person by name and leaves a file that `merge` reads.

OUT/shards/SPLIT-partI-of-N-NNNNN.tfrecord   its shards
OUT/parts/I-of-N.json                        what it made, written last
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tinytracker.data.duplicates import Member
from tinytracker.data.shards import ShardResult, Skip, read_result
from tinytracker.data.source import Subject
from tinytracker.data.survey import NotRead
from tinytracker.errors import InputFileError, UsageError
from tinytracker.files import json_bytes, sha256_bytes, sha256_file, write_bytes

PARTS_FOLDER = "parts"
_SCHEMA_VERSION = 1
_MOST_PARTS = 10_000


@dataclass(frozen=True)
class Part:
    """Part `number` of `of`, counted from 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}-of-{self.of}"

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read "2/8"; raises `UsageError`."""
        number, slash, of = text.partition("/")
        if not (
            slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) <= _MOST_PARTS
        ):
            raise UsageError(
                f"{text!r} is not a part.",
                f"Write NUMBER/PARTS, such as 2/8, with at most {_MOST_PARTS} parts.",
            )
        return cls(int(number), int(of))

    def holds(self, name: str) -> bool:
        """Return whether a subject belongs to this part; its name alone decides."""
        return int(sha256_bytes(name.encode())[:8], 16) % self.of == self.number - 1

    @property
    def prefix(self) -> str:
        """What the names of this part's shards start with, after the split."""
        return f"part{self}-"


@dataclass(frozen=True)
class Made:
    """What one call has made, as far as the index needs it.

    Attributes:
        parameters: of the call.
        shards: (split, path, result).
        skips: subjects that were skipped before any shard was made; the shards' own are in their results.
        corrected: (subject, correction).
        not_read: entries of the source folder that were not read.
        members: the subjects, to find the same frames in two parts.
        kept: number of shards kept from an earlier call.
    """

    parameters: dict[str, Any]
    shards: list[tuple[str, Path, ShardResult]]
    skips: list[Skip]
    corrected: list[tuple[str, str]]
    not_read: list[NotRead]
    members: list[Member] = field(default_factory=list)
    kept: int = 0

    @property
    def all_skips(self) -> list[Skip]:
        """Everything that was skipped, ordered by subject and frame."""
        own = [skip for _, _, result in self.shards for skip in result.skips]
        return sorted([*self.skips, *own], key=lambda skip: (skip.subject, skip.frame))


def write_part(out: Path, part: Part, made: Made) -> Path:
    """Write what a part made; returns the file."""
    document = {
        "schema_version": _SCHEMA_VERSION,
        "part": part.number,
        "of": part.of,
        "parameters": made.parameters,
        "shards": [
            {"split": split, "file": path.relative_to(out).as_posix(), "sha256": result.sha256}
            for split, path, result in made.shards
        ],
        "skips": [asdict(skip) for skip in made.skips],
        "corrected": made.corrected,
        "not_read": [asdict(entry) for entry in made.not_read],
        "members": [
            {
                "name": m.subject.name, "path": str(m.subject.path), "split": m.split,
                "marks": [[mark.hex(), frame] for mark, frame in m.marks],
            }
            for m in made.members
        ],
    }  # fmt: skip
    return write_bytes(out / PARTS_FOLDER / f"{part}.json", json_bytes(document))


def read_parts(out: Path) -> Made:
    """Read what all parts made and check that none is missing.

    Raises:
        InputFileError: a part is missing or damaged, was made with other parameters, or one of its shards changed.
    """
    again = f"Run: tinytracker prepare SRC {out} --part I/N for every I"
    files = sorted((out / PARTS_FOLDER).glob("*-of-*.json"))
    if not files:
        raise InputFileError(out, "there are no parts to merge", f"{again}.")
    documents = [_document(path, again) for path in files]
    counts = sorted({document["of"] for document in documents})
    if len(counts) > 1:
        raise InputFileError(
            out / PARTS_FOLDER,
            f"the parts belong to different divisions, into {' and '.join(map(str, counts))} parts",
            "Delete the files of the one that is not wanted.",
        )
    missing = sorted(set(range(1, counts[0] + 1)) - {document["part"] for document in documents})
    if missing:
        raise InputFileError(
            out,
            f"{len(missing)} of {counts[0]} parts are not finished: {', '.join(map(str, missing[:20]))}",
            "Run these parts again; finished shards are kept.",
        )
    if any(document["parameters"] != documents[0]["parameters"] for document in documents):
        raise InputFileError(
            out, "the parts were made with different parameters", f"{again}, with the same options."
        )
    documents.sort(key=lambda document: int(document["part"]))
    shards = [
        (str(row["split"]), out / row["file"], _result(out / row["file"], row["sha256"], again))
        for document in documents
        for row in document["shards"]
    ]
    return Made(
        parameters=documents[0]["parameters"],
        shards=sorted(shards, key=lambda shard: (shard[0], shard[1].name)),
        skips=[Skip(**row) for document in documents for row in document["skips"]],
        corrected=sorted((s, what) for document in documents for s, what in document["corrected"]),
        not_read=[NotRead(**row) for row in documents[0]["not_read"]],  # every part looks at the whole folder
        members=[
            Member(
                Subject(row["name"], Path(row["path"])),
                row["split"],
                tuple((bytes.fromhex(mark), frame) for mark, frame in row["marks"]),
            )
            for document in documents
            for row in document["members"]
        ],
        kept=len(shards),
    )


def _document(path: Path, again: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        if document["schema_version"] != _SCHEMA_VERSION:
            raise ValueError(f"schema version {document['schema_version']}")
        int(document["part"]), int(document["of"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputFileError(path, f"not what a part made ({error!r})", f"{again}.") from error
    return document


def _result(path: Path, sha256: str, again: str) -> ShardResult:
    result = read_result(path.with_suffix(".json"))
    if result is None or result.sha256 != sha256 or not path.is_file() or sha256_file(path) != sha256:
        raise InputFileError(
            path, "the shard is missing or has changed since its part was prepared", f"{again}."
        )
    return result
