"""Faces of the best and worst subjects as small JPEGs, if they may be shown."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import InputFileError, TinyTrackerError
from tinytracker.runs import Run

FACES = 4
_SIDE = 96
_QUALITY = 80


@dataclass(frozen=True)
class FaceImages:
    """Faces by subject as data URIs, or the reason why there are none.

    Attributes:
        by_subject: up to `FACES` for each subject. sentence: the reason; "" when there are faces.
    """

    by_subject: dict[str, list[str]]
    sentence: str


def face_images(run: Run, part: dict[str, Any], allowed: bool) -> FaceImages:
    """Return crops of the subjects in `part["subjects"]`.

    Args:
        run: run whose data to read.
        part: result of `run_part` for the run.
        allowed: whether faces of recorded people may be shown.
    """
    wanted = {row["subject"] for rows in part["subjects"].values() for row in rows}
    if not wanted:
        return FaceImages({}, "")
    if part["origin"] != "synthetic" and not allowed:
        whose = "are of real people" if part["origin"] == "recorded" else "may be of real people"
        return FaceImages({}, f"The faces {whose}; --allow-images shows them.")
    try:
        found = _faces(Path(run.describe().data.path), wanted, str(part["data"].get("data_hash", "")))
    except TinyTrackerError as error:
        return FaceImages({}, f"No faces: {error.message}")
    return FaceImages(found, "")


def _faces(data: Path, wanted: set[str], data_hash: str) -> dict[str, list[str]]:
    """Return the first faces of each subject in the test split.

    Raises:
        InputFileError: the data is missing, or is not the data on which the run was evaluated.
        MissingDependencyError: TensorFlow is not installed.
    """
    from tinytracker.data.index import read_index
    from tinytracker.requirements import require_tensorflow

    index = read_index(data)
    if index.data_sha256 != data_hash:
        raise InputFileError(data, "the prepared data has changed since the training")
    require_tensorflow("reading faces from prepared data")
    from tinytracker.data.examples import parse
    from tinytracker.data.pipeline import serialized_records

    found: dict[str, list[str]] = {name: [] for name in wanted}
    for record in serialized_records(index, "test").map(parse).as_numpy_iterator():
        faces = found.get(record["subject"].decode())
        if faces is not None and len(faces) < FACES:
            faces.append(_thumbnail(record["image"]))
        if all(len(faces) == FACES for faces in found.values()):
            break
    return found


def _thumbnail(encoded: bytes) -> str:
    from PIL import Image

    with Image.open(io.BytesIO(encoded)) as image:
        small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
