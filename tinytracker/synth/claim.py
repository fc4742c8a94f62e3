"""Which data set a folder holds: several calls may draw parts of one, but never of two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tinytracker.data.gazecapture import PEOPLE
from tinytracker.errors import OutputError
from tinytracker.files import json_bytes, read_json, write_json
from tinytracker.locks import locked

CLAIM_WAIT_S = 30.0
"""Several calls may share the work: each looks at the folder for a moment before it draws."""


def claim(out: Path, record: str, parameters: dict[str, Any], what: str) -> None:
    """Claim a folder: it must be new, empty, or hold a data set with the same parameters.

    Args:
        out: the folder.
        record: name of the file in it with the parameters; written when it is absent.
        parameters: of the data set; a record's list of people is not compared.
        what: the kind of data set, for messages.

    Raises:
        OutputError: the folder holds something else, or another data set.
    """
    with locked(out, "synth", wait_s=CLAIM_WAIT_S):
        _check_or_write(out, out / record, json.loads(json_bytes(parameters)), what)


def _check_or_write(out: Path, record: Path, mine: dict[str, Any], what: str) -> None:
    """Compare with the record, or write it; `mine` is as read from a file: lists, not tuples."""
    if record.exists():
        found = read_json(record, "Delete it if the folder may be overwritten.")
        found = {k: v for k, v in found.items() if k != PEOPLE} if isinstance(found, dict) else {}
        if found != mine:
            changed = sorted(k for k in mine | found if mine.get(k) != found.get(k))
            values = ", ".join(f"{k} is {found.get(k)}, not {mine.get(k)}" for k in changed)
            raise OutputError(
                out,
                f"this folder holds {what} with other parameters ({values})",
                "Write to another folder.",
            )
        return
    if any(not path.name.startswith(".") for path in out.iterdir()):
        raise OutputError(out, f"this folder is not empty and is not {what}", "Write to a new folder.")
    write_json(record, mine)
