"""Crops of any place in a frame by the devices' rule: each output pixel is the mean of what it covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats, Pixels
from tinytracker.data.eye_marks import strip_box
from tinytracker.data.inputs import LUMA, InputSpec, area_weights


def area_crop(image: Pixels, box: Floats, spec: InputSpec) -> Pixels:
    """Return the codes (height, width, channels) of one box of an image; `inputs.make_inputs_numpy`, only faster.

    Args:
        image: uint8 (h, w, 3).
        box: x, y, w, h in px of the image; may extend beyond it, where it is black.
        spec: size and channels of the crop.
    """
    x, y, w, h = (float(v) for v in box)
    rows, top = _weights(y, h, image.shape[0], spec.height)
    columns, left = _weights(x, w, image.shape[1], spec.width)
    part = image[top : top + rows.shape[1], left : left + columns.shape[1]].astype(np.float32)
    tall = rows @ part.reshape(part.shape[0], -1)
    wide = tall.reshape(spec.height, part.shape[1], 3).transpose(0, 2, 1) @ columns.T
    rgb: Pixels = np.floor(wide.transpose(0, 2, 1) + 0.5).astype(np.uint8)
    if spec.channels == "rgb":
        return rgb
    grey: Pixels = ((rgb.astype(np.int32) @ np.array(LUMA, np.int32) + 128) >> 8).astype(np.uint8)
    return grey[..., None]


def area_strip(image: Pixels, place: Floats, spec: InputSpec) -> Pixels:
    """Return the codes of one crop (3,) of an image: x and y of its centre, and its width, px of the image."""
    return area_crop(image, strip_box(place), spec)


def _weights(start: float, extent: float, size: int, n: int) -> tuple[NDArray[np.float32], int]:
    """Return the weights (n, pixels under the box) of one axis, and the first pixel under the box."""
    first = int(np.clip(np.floor(start), 0, size))
    last = max(first + 1, int(np.clip(np.ceil(start + extent), 0, size)))
    weights = area_weights(start - first, extent, last - first, n).astype(np.float32)
    if last > size:  # the box lies beyond the end: one pixel without weight, so that shapes stay valid
        return np.zeros((n, 1), np.float32), size - 1
    return weights, first
