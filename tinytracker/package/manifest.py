"""What is in a package: one manifest format for all targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinytracker.files import sha256_file, write_json
from tinytracker.model.presets import find_preset
from tinytracker.runs import versions

SCHEMA_VERSION = 1
MANIFEST_NAME = "manifest.json"


_AXES = "origin at the camera, x to the right, y up, as the user sees the screen"
_GAZE = {
    "cm": f"x and y in cm, {_AXES}",
    "reference_cm": "x and y in cm for an input that is a quarter of the frame's longer side wide, else times that "
    f"side / (4 · the input's width in the frame); {_AXES}",
}


def meaning(preset: str | None) -> dict[str, str]:
    """The manifest's words on what a network looks at (`sees`) and what its answer means (`gaze`).

    Args:
        preset: of the network; None for one that is no preset of ours, of which a face and cm are assumed.
    """
    spec = find_preset(preset).input if preset else None
    strip = spec is not None and spec.kind == "eye_band"
    return {
        "sees": "a strip with both eyes" if strip else "a face crop",
        "gaze": _GAZE[spec.unit if spec else "cm"],
    }


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
