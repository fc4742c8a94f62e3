"""Print the index of decisions: `python docs/tools/decisions.py > docs/decisions/README.md`."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "decisions"


def index() -> str:
    """One line per decision, in the order of their numbers; the title is the first line of its file."""
    lines = [
        "# Decisions\n",
        "Choices that somebody could want to make differently, and why they were made. Written by `make docs` from the "
        "files in this folder; do not edit.\n",
        "| | decision |",
        "| --- | --- |",
    ]
    for path in sorted(FOLDER.glob("[0-9]*.md")):
        heading = path.read_text(encoding="utf-8").splitlines()[0]
        match = re.fullmatch(r"# (\d{3}): (\S.*)", heading)
        if match is None or not path.name.startswith(f"{match[1]}-"):
            raise SystemExit(f"{path}: the first line is {heading!r}, not '# {path.name[:3]}: title'.")
        number, title = match.groups()
        lines.append(f"| {number} | [{title[:1].upper()}{title[1:]}]({path.name}) |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(index(), end="")
