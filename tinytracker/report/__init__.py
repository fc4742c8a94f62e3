"""Writes one page about runs, packages and sessions: self-contained HTML, and the same numbers as JSON beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import InputFileError, OutputError, UsageError
from tinytracker.files import StrPath, read_json, write_json, write_text
from tinytracker.runs import versions

__all__ = ["SCHEMA_VERSION", "Report", "report"]

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Report:
    """The written report.

    Attributes:
        page: the HTML file. numbers: report.json beside it.
        document: content of report.json.
    """

    page: Path
    numbers: Path
    document: dict[str, Any]


def report(sources: StrPath | Sequence[StrPath], out: StrPath, allow_images: bool = False) -> Report:
    """Write a page and a JSON document with the same numbers.

    Missing parts (no evaluation, no INT8 model, no session) are omitted, with a sentence that says so.

    Args:
        sources: one or several run folders, demo folders, packages, sessions (.jsonl), outputs of `tinytracker energy
            --json` or `tinytracker cascade evaluate --out` (.json), and clips or recordings of event sensors (.h5), in
            any order. Packages beside a run that
            were made from it are added automatically.
        out: HTML file to write; the numbers are written beside it with the suffix .json.
        allow_images: include faces and events of recorded people. Faces of synthetic people are always shown.

    Raises:
        InputFileError: a source is none of these, or is damaged.
        UsageError: no source, or `out` is not an .html file.
        OutputError: the files cannot be written, or another program's JSON has the name of the numbers.

    Example:
        >>> from tinytracker.report import report
        >>> written = report(["run", "session.jsonl"], "page.html")
        >>> written.numbers.name, len(written.document["runs"])
        ('page.json', 1)
    """
    given = [sources] if isinstance(sources, (str, os.PathLike)) else sources
    out = Path(out)
    if not sources:
        raise UsageError("No sources were given.", "Name a run folder or a session.")
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{out} is not the name of a page.", "Give a name that ends in .html.")
    _require_own(out.with_suffix(".json"))
    from tinytracker.cascade.results import FOLDER
    from tinytracker.report.cascade_part import cascade_part
    from tinytracker.report.event_part import event_part
    from tinytracker.report.images import face_images
    from tinytracker.report.measured import energy_part, package_part, runtime_part, session_part
    from tinytracker.report.outdated import outdated_parts
    from tinytracker.report.page import render
    from tinytracker.report.published import PUBLISHED
    from tinytracker.report.run_part import run_part
    from tinytracker.report.sources import find_sources

    found = find_sources([Path(source) for source in given])
    packages, parity, memory = package_part(found)
    outdated = {run: outdated_parts(run) for _, run in found.runs}
    runs = [run_part(name, run, outdated[run]) for name, run in found.runs]
    events = [event_part(path, allow_images) for path in found.events]
    document = {
        "schema_version": SCHEMA_VERSION,
        "runs": runs,
        "parity": parity,
        "runtimes": runtime_part(found, outdated),
        "packages": packages,
        "memory": memory,
        "sessions": [session_part(path) for path in found.sessions],
        "energies": [energy_part(path) for path in found.energies],
        "cascades": [
            cascade_part(name, path, run is not None and FOLDER in outdated[run])
            for name, path, run in found.cascades
        ],
        "events": [part for part, _ in events],
        "published": PUBLISHED,
        "versions": versions(),
    }
    images = [face_images(run, part, allow_images) for (_, run), part in zip(found.runs, runs, strict=True)]
    page_text = render(document, images, [shown for _, shown in events])
    numbers = write_json(out.with_suffix(".json"), document)
    page = write_text(out, page_text)
    return Report(page, numbers, document)


def _require_own(numbers: Path) -> None:
    """Refuse to replace a JSON file that is not a report's: a source, or the parameters of a folder of clips."""
    if not numbers.is_file():
        return
    try:
        document = read_json(numbers)
    except InputFileError:
        document = None
    if not isinstance(document, dict) or not {"runs", "sessions", "published"} <= document.keys():
        raise OutputError(
            numbers,
            "the numbers of the page would replace this file, which is not a report's",
            "Give the page another name.",
        )
