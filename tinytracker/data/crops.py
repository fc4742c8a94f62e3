"""Cutting boxes out of frames.

A box is `(x, y, w, h)` in px with the origin at the top-left corner of the frame's top-left pixel; it may extend
beyond the frame. One convention applies everywhere (docs/data.md compares it with the two official ones, which
differ from each other): x, y, w and h are each rounded to the nearest integer, halves up, so a square box stays
square wherever it lies; pixels outside the frame are black.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytracker.arrays import Floats

Ints = NDArray[np.int64]

MARGIN = 0.125
"""A stored crop is the face box extended by this fraction of its size on each side: room for the eye band of a
tilted head and for shifting the box during training."""


def round_half_up(values: ArrayLike) -> Ints:
    """Round to the nearest integers, halves up, as int64 (numpy rounds halves to even)."""
    rounded: Ints = np.floor(np.asarray(values, np.float64) + 0.5).astype(np.int64)
    return rounded


def grow(box: ArrayLike, margin: float = MARGIN) -> Floats:
    """Extend boxes (..., 4) by `margin` times their width and height on each side."""
    x, y, w, h = np.moveaxis(np.asarray(box, np.float64), -1, 0)
    return np.stack([x - margin * w, y - margin * h, (1 + 2 * margin) * w, (1 + 2 * margin) * h], axis=-1)


def eye_in_frame(face: ArrayLike, eye: ArrayLike) -> Floats:
    """Convert eye boxes (..., 4) from px relative to the face box's top-left, as in the files, to frame px."""
    result = np.array(np.broadcast_arrays(np.asarray(eye, np.float64), np.asarray(face, np.float64))[0])
    result[..., :2] += np.asarray(face, np.float64)[..., :2]
    return result


def to_crop(box: ArrayLike, crop: ArrayLike, scale: ArrayLike = 1.0) -> Floats:
    """Convert boxes from frame px to px of a resized crop of the frame.

    Args:
        box: (..., 4) in frame px.
        crop: (..., 4) in frame px; only its x and y matter.
        scale: px of the crop per px of the frame, (..., 2) for x and y, or one number.

    Returns:
        (..., 4) in px of the crop.
    """
    whole, factor = np.asarray(box, np.float64), np.asarray(scale, np.float64)
    corner = (whole[..., :2] - np.asarray(crop, np.float64)[..., :2]) * factor
    return np.concatenate([corner, whole[..., 2:] * factor], axis=-1)


def overlap(box: ArrayLike, width: ArrayLike, height: ArrayLike) -> Floats:
    """Return the fraction of each box's area inside the frame, 0 to 1, shape (...); 0 for empty boxes."""
    x, y, w, h = np.moveaxis(np.asarray(box, np.float64), -1, 0)
    inside_w = np.clip(np.minimum(x + w, width) - np.maximum(x, 0), 0, None)
    inside_h = np.clip(np.minimum(y + h, height) - np.maximum(y, 0), 0, None)
    area = np.maximum(w, 0) * np.maximum(h, 0)
    part: Floats = np.divide(inside_w * inside_h, area, out=np.zeros_like(area), where=area > 0)
    return np.minimum(part, 1.0)


def cut(image: NDArray[Any], box: ArrayLike) -> NDArray[Any]:
    """Cut the pixels of one box out of an image.

    Args:
        image: (height, width, ...) of any dtype.
        box: x, y, w, h; rounded as above.

    Returns:
        (h, w, ...) of the same dtype, zero outside the frame.

    Raises:
        ValueError: the rounded box is empty.
    """
    x, y, w, h = (int(v) for v in round_half_up(box))
    return cut_whole(image, x, y, w, h)


def cut_whole(image: NDArray[Any], x: int, y: int, w: int, h: int) -> NDArray[Any]:
    """Cut as `cut` does, with a box that is in whole px; a box inside the image gives a view of it."""
    if w <= 0 or h <= 0:
        raise ValueError(f"the box is empty: {w} x {h}")
    rows, columns = image.shape[:2]
    if x >= 0 and y >= 0 and x + w <= columns and y + h <= rows:
        return image[y : y + h, x : x + w]
    result = np.zeros((h, w, *image.shape[2:]), image.dtype)
    top, bottom = max(y, 0), min(y + h, rows)
    left, right = max(x, 0), min(x + w, columns)
    if top < bottom and left < right:
        result[top - y : bottom - y, left - x : right - x] = image[top:bottom, left:right]
    return result


def eye_band(
    left_eye: ArrayLike, right_eye: ArrayLike, face: ArrayLike, width: float, aspect: float
) -> Floats:
    """Return the strip that contains both eyes.

    Args:
        left_eye: (..., 4), in any coordinate frame.
        right_eye: (..., 4) in the same coordinate frame.
        face: (..., 4) in the same coordinate frame.
        width: of the strip, as a fraction of the face box's width.
        aspect: width / height of the strip.

    Returns:
        (..., 4): centred between the centres of the two eye boxes, in the same coordinate frame.
    """
    left, right, whole = (np.asarray(box, np.float64) for box in (left_eye, right_eye, face))
    centre = (left[..., :2] + right[..., :2]) / 2 + (left[..., 2:] + right[..., 2:]) / 4
    w = width * whole[..., 2]
    size = np.stack([w, w / aspect], axis=-1)
    return np.concatenate([centre - size / 2, size], axis=-1)


STRIPS_PER_LONGER_SIDE = 4
"""How many strips of the reference width fit side by side along a frame's longer side."""


def reference_width(width: int, height: int) -> int:
    """Return the width in px of a strip for which a strip network answers in cm (deploy/common/tt_crop.h).

    Example:
        >>> reference_width(320, 240)
        80
    """
    return max(max(width, height) // STRIPS_PER_LONGER_SIDE, 1)


def centred_crop(width: int, height: int, out_width: int, out_height: int) -> tuple[int, int, int, int]:
    """Return the box that a device without a face detector feeds to a network; same rule as deploy/common/tt_crop.c.

    Args:
        width: of the frame in px.
        height: of the frame.
        out_width: of the network's input in px.
        out_height: of the network's input.

    Returns:
        x, y, width and height of a box in the centre of the frame: the largest square for a square input (a face); a
        strip of the reference width for any other input (a strip with both eyes).
    """
    if out_width == out_height:
        w = h = min(width, height)
    else:
        w = min(reference_width(width, height), width)
        h = min(max(w * out_height // out_width, 1), height)
    return (width - w) // 2, (height - h) // 2, w, h
