"""What the page of `tinytracker collect` asks for, checked."""

from __future__ import annotations

from typing import Any

from tinytracker.errors import UsageError
from tinytracker.live.requests import number, text

_NAME = 60
_POINTS = (100, 20_000)


def consenting_person(request: dict[str, Any]) -> str:
    """Return the label of the person who is to be recorded.

    Raises:
        UsageError: it is empty or too long, or the person did not agree.
    """
    person = " ".join(text(request, "person").split())
    if not 0 < len(person) <= _NAME:
        raise UsageError(
            f"The name has {len(person)} letters.", f"Give one of 1 to {_NAME} letters; any name will do."
        )
    if request.get("consent") is not True:
        raise UsageError("Nothing is recorded without consent.", "Read the text and tick the box.")
    return person


def points_of(request: dict[str, Any]) -> tuple[int, int]:
    """Return the screen's width and height in points.

    Raises:
        UsageError: no screen has so few or so many.
    """
    width, height = round(number(request, "width_pt")), round(number(request, "height_pt"))
    low, high = _POINTS
    if not (low <= width <= high and low <= height <= high):
        raise UsageError(f"A screen of {width} x {height} points is out of range.")
    return width, height


def seconds(value: str) -> float:
    """Return the time that a frame was captured at, s.

    Raises:
        UsageError: it is not a time.
    """
    try:
        found = float(value)
    except ValueError:
        found = float("nan")
    if not abs(found) < 1e9:
        raise UsageError(f"captured_s is {value[:20]!r}, not a time in s.", "Reload the page.")
    return found
