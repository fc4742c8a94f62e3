"""Check that the gaze labels agree with the screen points they were computed from.

A recording holds each dot twice: in points on the screen and in cm from the camera. The second follows from
the first by the device table, so a disagreement means a wrong device, a wrong orientation or damaged numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.data.devices import Device, Orientation, find_device
from tinytracker.data.gazecapture import Bools, Recording

TOLERANCE_CM = 0.05
"""Labels further than this from the recomputed point are reported. The table's millimetres have two decimals
and points are whole numbers, so correct labels agree far better."""

LIMIT_CM = 1.0
"""Labels further than this are not used: a deviation of half a good network's error can only be damage."""


@dataclass(frozen=True)
class LabelCheck:
    """Agreement of the labels of one recording with its screen points.

    Attributes:
        error_cm: distance between the label and the recomputed point, (n,); infinity where it cannot be
            computed (unknown orientation, a screen of size 0, NaN).
    """

    error_cm: Floats

    @property
    def disagrees(self) -> Bools:
        """Frames to report, bool (n,)."""
        return self.error_cm > TOLERANCE_CM

    @property
    def unusable(self) -> Bools:
        """Frames to skip, bool (n,)."""
        return self.error_cm > LIMIT_CM


def known_orientation(orientation: NDArray[np.int64]) -> Bools:
    """Return whether each orientation is one of the four, bool (n,)."""
    return np.isin(orientation, [int(o) for o in Orientation])


def check_labels(recording: Recording) -> LabelCheck:
    """Recompute the gaze of every frame from its screen point.

    The screen's size in points is taken from the recording or, where that agrees worse, from the device table, with
    or without display zoom: `screen.json` holds the area available to the app, which a tall status bar reduces.
    """
    device = find_device(recording.device_name)
    recorded = np.stack([recording.x_cam, recording.y_cam], axis=-1)
    sizes = [np.stack([recording.screen_w, recording.screen_h], axis=-1).astype(np.float64)]
    sizes += [_table_size(device, recording.orientation, zoomed) for zoomed in (False, True)]
    errors = []
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for size in sizes:
            gaze = device.to_camera_cm(
                recording.x_pts, recording.y_pts, size[:, 0], size[:, 1], recording.orientation
            )
            error = np.hypot(*(gaze - recorded).T)
            errors.append(np.where(np.isfinite(error), error, np.inf))
    return LabelCheck(np.min(errors, axis=0))


def _table_size(device: Device, orientation: NDArray[np.int64], zoomed: bool) -> Floats:
    """Return width and height in points from the device table, (n, 2), NaN where the orientation is unknown."""
    size = np.full((len(orientation), 2), np.nan)
    for known in Orientation:
        size[orientation == known] = device.screen_points(known, zoomed)
    return size
