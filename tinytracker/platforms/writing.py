"""Writes the table of platforms into files."""

from __future__ import annotations

from pathlib import Path

from tinytracker.errors import UsageError
from tinytracker.files import StrPath, write_json, write_text
from tinytracker.platforms.page import render
from tinytracker.platforms.table import PlatformTable


def write_platforms(table: PlatformTable, out: StrPath) -> tuple[Path, ...]:
    """Write the table: NAME.json, or NAME.html with NAME.json beside it.

    Raises:
        UsageError: the name ends in neither.
        OutputError: a file cannot be written.
    """
    out = Path(out)
    suffix = out.suffix.lower()
    if suffix == ".json":
        return (write_json(out, table.as_json()),)
    if suffix not in (".html", ".htm"):
        raise UsageError(
            f"{out} is neither a page nor a document.", "Give a name that ends in .html or .json."
        )
    page = render(table)
    numbers = write_json(out.with_suffix(".json"), table.as_json())
    return write_text(out, page), numbers
