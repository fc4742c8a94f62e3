"""Sorts the arguments of a report into runs, packages, sessions, energies and events."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinytracker.cascade.results import DOCUMENT_NAME, FOLDER, KIND
from tinytracker.errors import InputFileError
from tinytracker.files import read_json
from tinytracker.kinds import wrong_kind
from tinytracker.package.manifest import MANIFEST_NAME, Manifest
from tinytracker.runs import Run

_DEMO_RUN = "run"
_KNOWN = (
    "a run folder, a package, a session (.jsonl), the JSON that `tinytracker energy --json` prints or that "
    "`tinytracker cascade evaluate` writes, or events (.h5)"
)
EVENT_SUFFIXES = (".h5", ".hdf5")


@dataclass
class Sources:
    """The inputs of a report by kind.

    Attributes:
        runs: name and run. packages: name and manifest. sessions: files. energies: files.
        cascades: name, results of `tinytracker cascade evaluate`, and the run that holds them, if any.
        events: files of clips and recordings.
    """

    runs: list[tuple[str, Run]] = field(default_factory=list)
    packages: list[tuple[str, Manifest]] = field(default_factory=list)
    sessions: list[Path] = field(default_factory=list)
    energies: list[Path] = field(default_factory=list)
    cascades: list[tuple[str, Path, Run | None]] = field(default_factory=list)
    events: list[Path] = field(default_factory=list)


@contextmanager
def expecting(path: Path, what: str, hint: str) -> Iterator[None]:
    """Turn the exception of a malformed document into a sentence.

    Raises:
        InputFileError: names the file.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise InputFileError(path, f"not {what} ({type(error).__name__}: {error})", hint) from None


def finite(value: Any) -> float:
    """Return a number of a document.

    Raises:
        TypeError, ValueError: not a number, or NaN or infinity (which Python accepts in JSON, although it is not JSON).
    """
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is not a finite number")
    return number


def find_sources(paths: Sequence[Path]) -> Sources:
    """Sort the arguments, and add the packages beside a run that were made from it.

    Raises:
        InputFileError: an argument is of no kind that a report shows.
    """
    found = Sources()
    for path in paths:
        _sort(path, found)
    given = {name for name, _ in found.packages}
    for title, run in found.runs:
        results = run.path / FOLDER / DOCUMENT_NAME
        if results.is_file():
            found.cascades.append((title, results, run))
        for name, manifest in _packages_beside(run):
            if name not in given:
                found.packages.append((name, manifest))
                given.add(name)
    return found


def _sort(path: Path, found: Sources) -> None:
    if path.is_dir():
        if (path / _DEMO_RUN / "run.json").is_file() and not (path / "run.json").is_file():
            path = path / _DEMO_RUN
        if (path / "run.json").is_file():
            found.runs.append((_name(path), Run.open(path, hybrid=None)))
        elif (path / MANIFEST_NAME).is_file():
            found.packages.append((str(path), Manifest.read(path / MANIFEST_NAME)))
        else:
            problem = "neither a run folder nor a package"
            raise wrong_kind(path, "something that a report shows", problem, f"A report takes {_KNOWN}.")
    elif path.suffix == ".jsonl":
        found.sessions.append(path)
    elif path.suffix == ".json" and _is_cascade(path):
        found.cascades.append((path.stem, path, None))
    elif path.suffix == ".json":
        found.energies.append(path)
    elif path.suffix.lower() in EVENT_SUFFIXES:
        found.events.append(path)
    elif path.is_file():
        problem = "not a file that a report shows"
        raise wrong_kind(path, "something that a report shows", problem, f"A report takes {_KNOWN}.")
    else:
        raise InputFileError(path, "there is no such file or folder", f"A report takes {_KNOWN}.")


def _is_cascade(path: Path) -> bool:
    """Whether a JSON file is of `tinytracker cascade evaluate`; what cannot be read is not."""
    try:
        document = read_json(path)
    except InputFileError:
        return False
    return isinstance(document, dict) and document.get("kind") == KIND


def _name(run: Path) -> str:
    """Return the folder's name, with its parent's when it is called "run", like that of every demo."""
    absolute = run.resolve()
    return f"{absolute.parent.name}/{absolute.name}" if absolute.name == _DEMO_RUN else absolute.name


def _packages_beside(run: Run) -> list[tuple[str, Manifest]]:
    """Return packages in folders beside the run, or inside it, that hold a model of this run."""
    description = run.describe()
    ours = (description.preset, description.config, description.git)
    places = sorted({*run.path.parent.glob(f"*/{MANIFEST_NAME}"), *run.path.glob(f"**/{MANIFEST_NAME}")})
    packages = []
    for place in places:
        try:
            manifest = Manifest.read(place)
        except InputFileError:
            continue  # another program's manifest.json
        if (manifest.model.preset, manifest.model.config, manifest.model.git) == ours:
            packages.append((str(place.parent), manifest))
    return packages
