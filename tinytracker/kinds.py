"""What a file or folder is, by what lies in it, and which verbs take it: for a verb that was given something else.

The names of files are those of the modules that write them, which stand above this one; tests compare them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinytracker.errors import InputFileError

RUN_FILE = "run.json"
HYBRID = "hybrid-"
"""Names of hybrid presets begin so."""
_SUBJECT = re.compile(r"\d{5}(\.tar\.gz|\.tgz|\.tar)?", re.IGNORECASE)
_MOST_BYTES = 64 << 20
"""A larger JSON file is none of ours, or of a kind that is told from others by its folder."""


@dataclass(frozen=True)
class Kind:
    """What something is.

    Attributes:
        what: with its article, to follow "but". hint: which verbs take it, a sentence.
    """

    what: str
    hint: str


HYBRID_RUN = Kind(
    "the run of a hybrid",
    "Its verbs are those of `tinytracker hybrid` (quantize, evaluate, cost); `tinytracker package` for spiking chips "
    "and `tinytracker report` take it too.",
)
NETWORK_RUN = Kind(
    "the run of a network for frames",
    "`tinytracker evaluate`, `quantize`, `package` and others take it; `tinytracker hybrid train` makes hybrids.",
)
DEMO = Kind("a folder of `tinytracker demo`", "Give the folder `run` in it.")
PREPARED = Kind("prepared data", "`tinytracker train` takes it, and writes a run folder.")
PACKAGE = Kind("a package", "`tinytracker report` takes it; its README.md says how to run it on the device.")
COLLECTED = Kind(
    "what `tinytracker collect` has recorded", "`tinytracker adapt` and `tinytracker prepare` take it."
)
SUBJECTS = Kind("a folder of subjects in GazeCapture's layout", "`tinytracker prepare` takes it.")
CLIPS = Kind(
    "a folder of event clips",
    "`tinytracker hybrid train` takes it, and writes a run folder; `tinytracker report` takes single clips.",
)
TFLITE = Kind(
    "a .tflite file", "`tinytracker info`, `check`, `evaluate`, `package`, `emulate` and `export` take it."
)
KERAS = Kind(
    "a Keras network", "`tinytracker train --init` takes it; other verbs take the run folder that holds it."
)
WEIGHTS = Kind("a file of weights", "`tinytracker train --init` takes it.")
MEASURED = Kind(
    "a measured session", "`tinytracker report`, `compare`, `compare-platforms` and `live --replay` take it."
)
EVENTS = Kind(
    "a file of events", "`tinytracker report` takes it; `tinytracker hybrid train` takes its folder."
)
GATE = Kind(
    "the thresholds of a cascade",
    "`tinytracker package`, `measure` and `cascade evaluate` take them, as --cascade or --settings.",
)
CASCADE = Kind(
    "the results of `tinytracker cascade evaluate`",
    "`tinytracker report` takes them, and `tinytracker compare-platforms` as --cascade.",
)
_SUFFIXES = {
    ".tflite": TFLITE, ".keras": KERAS, ".npz": WEIGHTS, ".jsonl": MEASURED, ".h5": EVENTS, ".hdf5": EVENTS,
}  # fmt: skip


def kind_of(path: Path) -> Kind | None:
    """Return what a file or folder seems to be, without reading more than its description; None when nothing known."""
    if path.is_dir():
        return next(_folder_kinds(path), None)
    if path.suffix.lower() == ".json":
        return _json_kind(path)
    return _SUFFIXES.get(path.suffix.lower()) if path.is_file() else None


def wrong_kind(path: Path, wanted: str, problem: str, hint: str) -> InputFileError:
    """Return the error of something that cannot be used as what it was given for.

    Args:
        path: what was given.
        wanted: with its article: "a run folder".
        problem: what is wrong with it when nothing is known of it.
        hint: what to do then.
    """
    kind = kind_of(path)
    return (
        InputFileError(path, problem, hint)
        if kind is None
        else InputFileError(path, f"not {wanted}, but {kind.what}", kind.hint)
    )


def require_tflite(path: Path) -> None:
    """Refuse a file that is known to be of another kind than the one of TensorFlow Lite, whatever its name.

    Raises:
        InputFileError: says what it is.
    """
    if kind_of(path) not in (None, TFLITE):
        raise wrong_kind(path, "a run folder or a .tflite file", "not a .tflite file", "")


def preset_of(run: Path) -> str:
    """Return the preset that a run's description names; "" when it cannot be read."""
    found = _document(run / RUN_FILE).get("preset")
    return found if isinstance(found, str) else ""


def is_hybrid(preset: str) -> bool:
    """Return whether a preset is a hybrid, by its name; "" is none."""
    return preset.startswith(HYBRID)


def _folder_kinds(folder: Path) -> Iterator[Kind]:
    """Yield what a folder may be, the surest first."""
    if (folder / RUN_FILE).is_file():
        yield HYBRID_RUN if is_hybrid(preset_of(folder)) else NETWORK_RUN
    if (folder / "run" / RUN_FILE).is_file():
        yield DEMO
    if (folder / "index.json").is_file():
        yield PREPARED
    if (folder / "manifest.json").is_file():
        yield PACKAGE
    names = [path for path in folder.iterdir() if _SUBJECT.fullmatch(path.name)]
    if any((path / "sitting.json").is_file() for path in names) or any(folder.glob(".*.dots.partial")):
        yield COLLECTED
    if any(path.is_file() or (path / "info.json").is_file() for path in names):
        yield SUBJECTS
    if any(any(place.glob("clip-*.h5")) for place in (folder, *names)):
        yield CLIPS


def _json_kind(path: Path) -> Kind | None:
    document = _document(path)
    if document.get("kind") == "cascade-evaluation":
        return CASCADE
    return GATE if {"big_sha256", "little_sha256"} <= document.keys() else None


def _document(path: Path) -> dict[str, object]:
    """Return a JSON object; an empty one for everything else."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return {}
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
