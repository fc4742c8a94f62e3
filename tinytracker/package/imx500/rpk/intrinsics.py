"""`network_intrinsics`: a JSON object with information for clients, such as the frame rate to ask for.

picamera2 validates it when it opens the package and refuses an invalid one, so the same rules hold here.
Its list of tasks does not contain regression: a gaze network omits `task`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tinytracker.package.imx500.rpk.errors import RpkError

TASKS = ("classification", "object detection", "pose estimation", "segmentation")
_WHERE = "network_intrinsics"


def check_intrinsics(intrinsics: Mapping[str, Any]) -> None:
    """Refuse what picamera2 would refuse.

    Raises:
        RpkError: names the key, its value and the allowed values.
    """
    for key, allowed, ok in (
        ("task", f"one of {', '.join(TASKS)}, or absent", lambda v: v in TASKS),
        ("inference_rate", "a number of at least 0", lambda v: _is_number(v) and v >= 0),
        ("cpu", "an object", lambda v: isinstance(v, Mapping)),
        ("input_aspect_ratio", "an object with width and height, whole numbers above 0", _is_aspect_ratio),
        ("classes", "an object", lambda v: isinstance(v, Mapping)),
    ):
        if key in intrinsics and not ok(intrinsics[key]):
            raise RpkError(f"{_WHERE}, {key}", f"{intrinsics[key]!r} is not {allowed}")
    _check_cpu(intrinsics.get("cpu", {}))
    _check_classes(intrinsics.get("classes", {}))


def _check_cpu(cpu: Mapping[str, Any]) -> None:
    for key in ("bbox_normalization", "softmax"):
        if key in cpu and not isinstance(cpu[key], bool):
            raise RpkError(f"{_WHERE}, cpu.{key}", f"{cpu[key]!r} is not true or false")
    if "bbox_order" in cpu and cpu["bbox_order"] not in ("xy", "yx"):
        raise RpkError(f"{_WHERE}, cpu.bbox_order", f"{cpu['bbox_order']!r} is not xy or yx")
    if "post_processing" in cpu and not isinstance(cpu["post_processing"], str):
        raise RpkError(f"{_WHERE}, cpu.post_processing", f"{cpu['post_processing']!r} is not a name")


def _check_classes(classes: Mapping[str, Any]) -> None:
    labels = classes.get("labels", [])
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise RpkError(f"{_WHERE}, classes.labels", "the labels are not a list of names")
    if "ignore_undefined" in classes and not isinstance(classes["ignore_undefined"], bool):
        raise RpkError(
            f"{_WHERE}, classes.ignore_undefined", f"{classes['ignore_undefined']!r} is not true or false"
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_aspect_ratio(value: Any) -> bool:
    sides = [value.get("width"), value.get("height")] if isinstance(value, Mapping) else [None]
    return all(
        isinstance(s, (int, float)) and not isinstance(s, bool) and s == int(s) and s > 0 for s in sides
    )


def encode_intrinsics(intrinsics: Mapping[str, Any]) -> bytes:
    """Return the archive member `network_intrinsics`; keys are sorted, so that equal content gives equal bytes.

    Raises:
        RpkError: picamera2 would refuse it.
    """
    check_intrinsics(intrinsics)
    return json.dumps(intrinsics, sort_keys=True, allow_nan=False).encode("ascii")


def decode_intrinsics(data: bytes) -> dict[str, Any]:
    """Parse the archive member; the inverse of `encode_intrinsics`.

    Raises:
        RpkError: the bytes are not a JSON object, or picamera2 would refuse it.
    """
    try:
        found = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RpkError(_WHERE, f"not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise RpkError(_WHERE, f"the JSON is a {type(found).__name__} instead of an object")
    check_intrinsics(found)
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
