"""What a page sends as JSON, read with errors that name the key."""

from __future__ import annotations

from typing import Any

from tinytracker.errors import UsageError

_LARGEST = 1e9


def number(request: dict[str, Any], key: str) -> float:
    """Return a number of a request.

    Raises:
        UsageError: it is missing, not a number, or out of range.
    """
    value = request.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        raise UsageError(f"{key} must be a number, not {value!r}.")
    return float(value)


def text(request: dict[str, Any], key: str) -> str:
    """Return a text of a request.

    Raises:
        UsageError: it is missing or not a text.
    """
    value = request.get(key)
    if not isinstance(value, str):
        raise UsageError(f"{key} must be a name, not {value!r}.")
    return value


def own_screen_of(request: dict[str, Any]) -> tuple[float, float, float, float]:
    """Return the arguments of `tinytracker.live.screen.own_screen`, cm; the camera is in the middle unless it says so.

    Raises:
        UsageError: a number is missing.
    """
    across = number(request, "across_cm") if "across_cm" in request else 0.0
    return number(request, "width_cm"), number(request, "height_cm"), number(request, "gap_cm"), across
