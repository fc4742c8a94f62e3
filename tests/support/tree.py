"""The files of the repository, for tests that read all of them."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = (
    ".ci",
    "benchmarks",
    "deploy",
    "docs",
    "notebooks",
    "recipes",
    "requirements",
    "tests",
    "tinytracker",
)


def text_files() -> Iterator[Path]:
    """Every file of the project that is text; nothing that was generated into a git-ignored folder."""
    found = [p for p in ROOT.iterdir() if p.is_file()]
    for folder in FOLDERS:
        found += [p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    for path in sorted(found):
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        yield path
