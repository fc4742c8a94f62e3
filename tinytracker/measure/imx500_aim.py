"""The aim on the AI Camera: what the sensor's network answers, and regions in the sensor's pixels.

libcamera delivers real numbers: the two of the gaze, then the five of `tinytracker.aim.layout.AIM`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytracker.aim.answer import AimAnswer
from tinytracker.aim.cutting import view
from tinytracker.aim.finding import Find, read_finder, view_box
from tinytracker.aim.fixed import Q12
from tinytracker.aim.layout import AIM
from tinytracker.aim.region import Region
from tinytracker.measure.protocol import REGION_STEPS, Aimed
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract
from tinytracker.quant.finder import CELLS, require_finder

SENSOR = (4056, 3040)
STRIP_WIDTH = 816
"""Width in sensor pixels of a strip for which a strip network answers in cm; the program for the camera says why."""

AIM_NUMBERS = len(AIM)

LARGEST_SIDE = 4032
"""Largest value that the driver's region takes."""

LORES = {"lores": {"size": (320, 240), "format": "YUV420"}}
"""The picture that a finder sees: all of the sensor, small."""

_LORES_ROWS = 240


def has_sensor_aim(outputs: Any) -> bool:
    """Return whether the network's first output holds an aim after the gaze."""
    return bool(np.size(outputs[0]) == 2 + AIM_NUMBERS)


def read_sensor_aim(outputs: Any) -> AimAnswer:
    """Return the aim in integers, each number limited to its range in `aim.layout`.

    Args:
        outputs: picamera2's, of one frame; (7,) real numbers in the first.
    """
    numbers = np.asarray(outputs[0], np.float64).ravel()[2 : 2 + AIM_NUMBERS]
    low, high = [part.low for part in AIM], [part.high for part in AIM]
    return AimAnswer(*(int(v) for v in np.floor(Q12 * np.clip(numbers, low, high) + 0.5)))


def sensor_roi(region: Region) -> tuple[int, int, int, int]:
    """Return left, top, width and height for `set_inference_roi_abs`."""
    x, y, width, height = region.box
    return x, y, min(width, LARGEST_SIDE), min(height, LARGEST_SIDE)


def sensor_box(aim: Aimed) -> tuple[float, float, float, float]:
    """Return left, top, width and height of what the network saw, as shares of the sensor's sides."""
    width, height = aim.width / REGION_STEPS, aim.width / REGION_STEPS / 3
    left, top = aim.x / REGION_STEPS - width / 2, aim.y / REGION_STEPS - height / 2
    return left / SENSOR[0], top / SENSOR[1], width / SENSOR[0], height / SENSOR[1]


class FrameCounter:
    """Counts the camera's frames, also those that did not arrive, by their time stamps."""

    def __init__(self) -> None:
        self._number = 0
        self._stamp: int | None = None

    def take(self, metadata: dict[str, Any]) -> int:
        """Return the number of a frame, from 1 on."""
        stamp, duration_us = metadata.get("SensorTimestamp"), metadata.get("FrameDuration")
        passed = 1
        if stamp is not None and self._stamp is not None and duration_us:
            passed = max(round((int(stamp) - self._stamp) / (1000 * float(duration_us))), 1)
        self._number += passed
        self._stamp = None if stamp is None else int(stamp)
        return self._number


class SensorFinder:
    """The finder on this computer, as generated C, on the camera's small picture.

    Args:
        content: of the finder's .tflite file.

    Raises:
        ModelError: it is not a finder.
        MissingDependencyError: there is no C compiler.
    """

    def __init__(self, content: bytes) -> None:
        from tinytracker.codegen.host import GeneratedRuntime

        contract = IoContract.of(read_tflite(content))
        require_finder(contract)
        self._runtime = GeneratedRuntime(content)
        self._signed = contract.inputs[0].dtype == "int8"
        self._picture: Any = None

    def see(self, request: Any) -> None:
        """Remember whose picture it is; it is copied only if the finder looks at it."""
        self._picture = request

    def __call__(self) -> Find:
        """Look at the newest picture."""
        luma = np.asarray(self._picture.make_array("lores"))[:_LORES_ROWS]
        height, width = luma.shape
        codes = view(luma, view_box(width, height))[None]
        inputs = (codes ^ 0x80).view(np.int8) if self._signed else codes
        (cells,) = self._runtime.run([inputs[None]])
        numbers = cells.reshape(CELLS[1:]).astype(np.int64) + (128 if self._signed else 0)
        return read_finder(numbers, *SENSOR)
