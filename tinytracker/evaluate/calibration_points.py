"""A person's calibration points in a file: positions of the dots, and the network's predictions.

CSV: a header with the columns x_cm and y_cm (predicted), true_x_cm and true_y_cm, and optionally dot (any name, the
same for all frames of a dot). JSON: {"points": [{"predicted": [x, y], "true": [x, y], "dot": 3, "features": [...]},
...]}, where dot and features are optional. Both in cm from the camera, x to the right, y up.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from tinytracker.arrays import Floats
from tinytracker.errors import InputFileError
from tinytracker.files import StrPath, read_bytes, read_json

COLUMNS = ("x_cm", "y_cm", "true_x_cm", "true_y_cm")
_HINT = (
    f"A CSV file has the columns {', '.join(COLUMNS)} and optionally dot; for JSON see docs/calibration.md."
)


@dataclass(frozen=True)
class CalibrationPoints:
    """Frames of one person: predicted and true gaze (n, 2) cm, dots (n,) or None, features (n, F) or None."""

    predicted: Floats
    true: Floats
    dots: NDArray[np.str_] | None
    features: Floats | None


class _Point(BaseModel):
    model_config = ConfigDict(extra="forbid")

    predicted: tuple[float, float]
    true: tuple[float, float]
    dot: int | str | None = None
    features: tuple[float, ...] | None = None


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore")

    points: list[_Point]


def read_points(path: StrPath) -> CalibrationPoints:
    """Read points from a .csv or .json file.

    Raises:
        InputFileError: the file or a column is missing, the format is wrong, or a value is not a number.
    """
    path = Path(path)
    return _from_json(path) if path.suffix.lower() == ".json" else _from_csv(path)


def _from_json(path: Path) -> CalibrationPoints:
    try:
        points = _Document.model_validate(read_json(path, _HINT)).points
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputFileError(path, f"not calibration points ({where}: {first['msg']})", _HINT) from None
    has_dots, has_features = _all_or_none(path, points, "dot"), _all_or_none(path, points, "features")
    if len({len(p.features or ()) for p in points}) > 1:
        raise InputFileError(path, "points have different numbers of features", _HINT)
    return CalibrationPoints(
        np.array([p.predicted for p in points], float).reshape(-1, 2),
        np.array([p.true for p in points], float).reshape(-1, 2),
        np.array([str(p.dot) for p in points]) if has_dots else None,
        np.array([p.features for p in points], float) if has_features else None,
    )


def _all_or_none(path: Path, points: list[_Point], name: str) -> bool:
    given = [getattr(p, name) is not None for p in points]
    if any(given) and not all(given):
        raise InputFileError(path, f"point {given.index(False)} has no {name}, but others have", _HINT)
    return bool(given) and all(given)


def _from_csv(path: Path) -> CalibrationPoints:
    try:
        text = read_bytes(path, _HINT).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputFileError(path, f"not a CSV file ({error})", _HINT) from None
    names = list(rows[0]) if rows else []
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        problem = f"the column {missing[0]} is missing" if rows else "it has no points"
        raise InputFileError(path, problem, _HINT)
    for line, row in enumerate(rows, 2):
        _check_row(path, line, row)
    values = np.array([[_number(path, line, row, c) for c in COLUMNS] for line, row in enumerate(rows, 2)])
    dots = np.array([str(row["dot"]) for row in rows]) if "dot" in names else None
    return CalibrationPoints(values[:, :2], values[:, 2:], dots, None)


def _check_row(path: Path, line: int, row: dict[str | Any, Any]) -> None:
    """Refuse a row that is not as long as the header: of decimal commas, both halves would be read as numbers."""
    if row.get(None):
        raise InputFileError(
            path,
            f"line {line} has {len(row) - 1 + len(row[None])} values, the header {len(row) - 1}",
            "Write decimal points, and one value for each column.",
        )
    if "dot" in row and row["dot"] is None:
        raise InputFileError(path, f"line {line}: dot is missing", _HINT)


def _number(path: Path, line: int, row: dict[str | Any, Any], column: str) -> float:
    text = row[column]
    try:
        return float(text)
    except (TypeError, ValueError):
        said = "missing" if text is None else f"{text!r}, not a number"
        raise InputFileError(path, f"line {line}: {column} is {said}", _HINT) from None
