"""Reasons to skip a frame or a whole subject: a fixed vocabulary, so that damage can be counted."""

from __future__ import annotations

from enum import Enum


class Reason(str, Enum):
    """One member per kind of damage; reports show the value."""

    MISSING_FILE = "missing file"
    BAD_ARCHIVE = "bad archive"
    UNSAFE_ARCHIVE = "unsafe archive"
    BAD_JSON = "bad JSON"
    LENGTH = "arrays of different length"
    BAD_SPLIT = "unknown split"
    UNKNOWN_DEVICE = "unknown device"
    UNKNOWN_ORIENTATION = "unknown orientation"
    NOT_FINITE = "not a finite number"
    NOT_DETECTED = "face or eyes not detected"
    EMPTY_BOX = "empty box"
    BOX_OUTSIDE = "box outside the frame"
    TRUNCATED_IMAGE = "truncated image"
    UNREADABLE_IMAGE = "unreadable image"
    EYES_EXCHANGED = "left and right eye exchanged"
    DUPLICATE = "same frames as another subject"
    LISTED_TWICE = "listed twice"
    LABEL_DISAGREES = "label disagrees with the screen point"

    def __str__(self) -> str:
        return self.value
