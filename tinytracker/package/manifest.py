"""What is in a package: one manifest format for all targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinytracker.files import sha256_file, write_json
from tinytracker.runs import versions

SCHEMA_VERSION = 1
MANIFEST_NAME = "manifest.json"


def write_manifest(folder: Path, target: str, content: dict[str, Any]) -> Path:
    """Write manifest.json over all files of a package folder.

    The document is the same byte for byte for the same content: it holds no time and no absolute path.

    Args:
        folder: the finished package.
        target: name of the target.
        content: everything else, JSON-able: model, io, quantization, metrics, verdicts, ...

    Returns:
        The manifest's path.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST_NAME)
    return write_json(
        folder / MANIFEST_NAME,
        {
            "schema_version": SCHEMA_VERSION,
            "target": target,
            **content,
            "tools": versions(),
            "files": [
                {
                    "path": p.relative_to(folder).as_posix(),
                    "bytes": p.stat().st_size,
                    "sha256": sha256_file(p),
                }
                for p in files
            ],
        },
    )
