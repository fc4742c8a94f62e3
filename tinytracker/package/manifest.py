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


def gaze_sentence(preset: str | None) -> str:
    """What a network's answer means.

    Args:
        preset: of the network; None for one that is no preset of ours, of which cm are assumed.
    """
    return _GAZE[find_preset(preset).input.unit if preset else "cm"]


def sees(preset: str | None) -> str:
    """What part of a picture the network is for, in words."""
    strip = preset is not None and find_preset(preset).input.kind == "eye_band"
    return "a strip with both eyes" if strip else "a face crop"


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
