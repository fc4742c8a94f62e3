"""The index of a prepared folder: the content of the shards, and how to check that they are intact.

The index is written last, so a folder without one is unfinished.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tinytracker.data.gazecapture import SPLITS
from tinytracker.errors import InputFileError, UnknownNameError
from tinytracker.files import StrPath, sha256_file
from tinytracker.kinds import wrong_kind

SCHEMA_VERSION = 1
INDEX_FILE = "index.json"
SHARD_FOLDER = "shards"


@dataclass(frozen=True)
class Shard:
    """One TFRecord file.

    Attributes:
        file: path relative to the prepared folder.
        frames: number of records.
        bytes: size of the file.
        sha256: of its content.
    """

    file: str
    frames: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Split:
    """One of the splits train, val and test.

    Attributes:
        frames: number of records in all shards.
        subjects: names of the subjects with at least one frame.
        devices: frames per device name. families: frames per "phone" and "tablet".
        orientations: frames per orientation "1" to "4".
        shards: the shards, in order.
    """

    frames: int
    subjects: tuple[str, ...]
    devices: dict[str, int]
    families: dict[str, int]
    orientations: dict[str, int]
    shards: tuple[Shard, ...]


@dataclass(frozen=True)
class Gaze:
    """Gaze of the train split in cm: mean, minimum and maximum of (x, y); zeros when the split is empty."""

    mean: tuple[float, float] = (0.0, 0.0)
    low: tuple[float, float] = (0.0, 0.0)
    high: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class PreparedIndex:
    """The content of `index.json` in a prepared folder.

    Attributes:
        folder: the prepared folder.
        data_sha256: changes with any byte of any shard.
        parameters: the parameters of `prepare`.
        splits: by name; all three are present, possibly empty.
        gaze: of the train split.
        skipped: number of skipped frames (or whole subjects) by reason.
        labels: by device: frames checked, frames that disagree with their screen point, largest distance in cm.
        grid_disagreements: frames whose faceGrid.json disagrees with the boxes about validity.
        origin: "synthetic" or "recorded"; "" when prepared by a version that did not record it.
        people: attributes of subjects by name, where they are known: of synthetic ones.
    """

    folder: Path
    data_sha256: str
    parameters: dict[str, Any]
    splits: dict[str, Split]
    gaze: Gaze
    skipped: dict[str, int] = field(default_factory=dict)
    labels: dict[str, dict[str, float]] = field(default_factory=dict)
    grid_disagreements: int = 0
    origin: str = ""
    people: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """Number of records in all splits."""
        return sum(split.frames for split in self.splits.values())

    @property
    def has_surroundings(self) -> bool:
        """True when the records hold whole frames: prepared with `--aim`."""
        return bool(self.parameters.get("aim", False))

    def require_surroundings(self, why: str) -> None:
        """Raise `InputFileError` when the records hold no whole frames; `why` names what needs them."""
        if not self.has_surroundings:
            raise InputFileError(
                self.folder,
                f"{why} needs whole frames, which these records do not have",
                f"Run: tinytracker prepare SRC {self.folder} --aim",
            )

    def split(self, name: str) -> Split:
        """Return the split with this name.

        Raises:
            UnknownNameError: no such split.
            InputFileError: the split is empty.
        """
        if name not in self.splits:
            raise UnknownNameError("split", name, self.splits)
        split = self.splits[name]
        if not split.frames:
            filled = [other for other in self.splits if self.splits[other].frames]
            raise InputFileError(
                self.folder,
                f"the split {name!r} is empty",
                f"Splits with frames: {', '.join(filled)}. A subject's split is the Dataset in its info.json.",
            )
        return split

    def shard_paths(self, name: str) -> list[Path]:
        """Return the shard files of a split; raises like `split`."""
        return [self.folder / shard.file for shard in self.split(name).shards]

    @property
    def way_out(self) -> str:
        """What to do about a damaged shard."""
        return f"Run: tinytracker prepare SRC {self.folder} to recreate it."

    def as_json(self) -> dict[str, Any]:
        """Return the JSON document to write, without the folder."""
        document = {"schema_version": SCHEMA_VERSION, "kind": "prepared", **asdict(self)}
        del document["folder"]
        if not document["people"]:
            del document["people"]
        return document


def read_index(folder: StrPath, verify: bool = False) -> PreparedIndex:
    """Read the index of a prepared folder and check that its shards exist and have the right size.

    Args:
        folder: the folder that `prepare` wrote.
        verify: also compare the SHA-256 of every shard, which reads all of them.

    Raises:
        InputFileError: not a prepared folder, unfinished, another version, or a shard is missing or changed.

    Example:
        >>> from tinytracker.data import read_index
        >>> index = read_index("prepared")
        >>> index.frames, sorted(index.splits)
        (39, ['test', 'train', 'val'])
    """
    folder = Path(folder)
    again = f"Run: tinytracker prepare SRC {folder}"
    path = folder / INDEX_FILE
    if folder.is_file():
        problem = "this is a file, and prepared data is a folder"
        raise wrong_kind(folder, "prepared data", problem, "Give its folder.")
    if not path.is_file():
        hint = f"{again} (finished shards are kept)."
        if (folder / SHARD_FOLDER).is_dir():
            raise InputFileError(folder, "preparation was not finished (no index.json)", hint)
        raise wrong_kind(folder, "prepared data", "not a prepared folder (no index.json)", hint)
    try:
        document = json.loads(path.read_bytes())
        version = document["schema_version"]
        if version != SCHEMA_VERSION:
            raise InputFileError(
                path, f"schema version {version}, but this release reads {SCHEMA_VERSION}", f"{again}."
            )
        index = _parse(folder, document)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputFileError(path, f"not an index of prepared data ({error!r})", f"{again}.") from error
    for split in index.splits.values():
        for shard in split.shards:
            check_shard(folder / shard.file, shard, verify, index.way_out)
    return index


def _parse(folder: Path, document: dict[str, Any]) -> PreparedIndex:
    splits = {}
    for name in SPLITS:
        raw = dict(document["splits"][name])
        raw["shards"] = tuple(Shard(**shard) for shard in raw["shards"])
        raw["subjects"] = tuple(raw["subjects"])
        splits[name] = Split(**raw)
    gaze = Gaze(**{key: (float(x), float(y)) for key, (x, y) in document["gaze"].items()})
    names = ("data_sha256", "parameters", "skipped", "labels", "grid_disagreements")
    known = {name: document[name] for name in names} | {
        "origin": str(document.get("origin", "")), "people": dict(document.get("people", {})),
    }  # fmt: skip
    return PreparedIndex(folder=folder, splits=splits, gaze=gaze, **known)


def check_shard(path: Path, shard: Shard, verify: bool, hint: str) -> None:
    """Compare a shard's size and, with `verify`, its SHA-256 with the index; raises `InputFileError`."""
    if not path.is_file():
        raise InputFileError(path, "the shard is missing", hint)
    size = path.stat().st_size
    if size != shard.bytes:
        raise InputFileError(path, f"the shard has {size} bytes, but must have {shard.bytes}", hint)
    if verify and sha256_file(path) != shard.sha256:
        raise InputFileError(path, "the shard's content has changed since it was prepared", hint)
