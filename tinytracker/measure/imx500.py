"""The Raspberry Pi AI Camera as a source of frames: picamera2 on the Raspberry Pi, the network inside the sensor.

Nothing here has been tested on a camera; tests run it against a stand-in for picamera2.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinytracker.aim.delayed import DelayedAim
from tinytracker.errors import DeviceError, InputFileError, MissingDependencyError, UsageError
from tinytracker.files import StrPath
from tinytracker.measure.imx500_aim import (
    LORES,
    SENSOR,
    STRIP_WIDTH,
    SensorFinder,
    has_sensor_aim,
    sensor_roi,
)
from tinytracker.measure.imx500_frames import Imx500
from tinytracker.measure.marks import Marker
from tinytracker.measure.opening import Request
from tinytracker.measure.pictures import Pictures
from tinytracker.measure.stretches import SETTLE_S
from tinytracker.targets import Target

START_S = 300.0
"""The first start loads firmware and network into the sensor."""

WHOLE_PX = (2028, 1520)
"""Pictures that are recorded: 2 × 2 pixels of the sensor in one."""

_CLOCKS_APART_NS = 1_000_000_000

INSTALL = "sudo apt install imx500-all python3-picamera2"

_FIRST_RESULTS = 100
"""Frames within which the network's first result comes."""


def _sensor_clock(timestamp_ns: int) -> Callable[[], int]:
    """The clock that a time stamp is from.

    libcamera's documentation says CLOCK_BOOTTIME, measurements on the Raspberry Pi say CLOCK_MONOTONIC; they are the
    same until the computer has slept.
    """

    def boot_time() -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    if abs(time.monotonic_ns() - timestamp_ns) <= abs(boot_time() - timestamp_ns) + _CLOCKS_APART_NS:
        return time.monotonic_ns
    return boot_time


@contextmanager
def open_source(target: Target, request: Request) -> Iterator[Imx500]:
    """The camera, with the package that is named; see `open_imx500`.

    Raises:
        UsageError: no package is named.
    """
    if request.network is None:
        raise UsageError("No network was named for the camera.", f"Give --model {target.loads}.")
    with open_imx500(
        request.network,
        fps=request.fps,
        marker=request.marker,
        pictures=request.pictures,
        whole=request.whole,
        delay=request.delay,
        finder=request.finder,
    ) as camera:
        yield camera


@contextmanager
def open_imx500(
    network: StrPath,
    *,
    fps: float | None = None,
    marker: Marker | None = None,
    pictures: bool = False,
    whole: bool = False,
    delay: int | None = None,
    finder: bytes | None = None,
) -> Iterator[Imx500]:
    """Load a network into the sensor and start the camera.

    Args:
        network: the package, network.rpk.
        fps: frames per second; None for what the package says.
        marker: makes a step when a frame arrives.
        pictures: keep the newest picture, for `Imx500.take_picture`: a small one, four per second.
        whole: the same, but pictures of half the sensor's width and height, ten per second, which can be recorded.
        delay: frames until a region takes effect, for a network that aims; None to measure it.
        finder: content of a finder's .tflite file, which then runs on this computer while nothing is followed.

    Raises:
        MissingDependencyError: picamera2 is not installed.
        InputFileError: the package does not exist.
        DeviceError: no camera, or no frame comes.
    """
    network = Path(network)
    try:
        from picamera2 import Picamera2
        from picamera2.devices import IMX500
        from picamera2.devices.imx500 import NetworkIntrinsics
    except ImportError as error:
        raise MissingDependencyError("picamera2", "the IMX500", INSTALL) from error
    if not network.is_file():
        raise InputFileError(
            network, "there is no such file", "`tinytracker package RUN --target imx500` makes network.rpk."
        )
    try:
        imx500 = IMX500(str(network))  # before Picamera2: it gives the network to the driver
        intrinsics = imx500.network_intrinsics or NetworkIntrinsics()
        if fps is not None:
            intrinsics.inference_rate = fps
        intrinsics.update_with_defaults()
        camera = Picamera2(imx500.camera_num)
        config = camera.create_preview_configuration(
            controls={"FrameRate": intrinsics.inference_rate}, buffer_count=12, **(LORES if finder else {}),
            **({"main": {"size": WHOLE_PX}} if whole else {}),
        )  # fmt: skip
        imx500.show_network_fw_progress_bar()
        camera.start(config, show_preview=False)
    except (RuntimeError, OSError, IndexError) as error:
        raise DeviceError(
            "IMX500", f"the camera does not start ({error})", f"Check its cable; {INSTALL}."
        ) from error
    source: Imx500 | None = None
    try:
        if strip := _strip(*imx500.get_input_size()):
            imx500.set_inference_roi_abs(strip)
        elif intrinsics.preserve_aspect_ratio:
            imx500.set_auto_aspect_ratio()
        clock = _first_clock(camera)
        looking = None if finder is None else SensorFinder(finder)
        aim = _aim(camera, imx500, delay, looking)
        kept = Pictures(imx500, 0.1, WHOLE_PX[0], 92) if whole else Pictures(imx500) if pictures else None
        source = Imx500(camera, imx500, network, clock, marker, kept, aim, looking)
        camera.pre_callback = source.on_frame
        yield source
    finally:
        if source is not None:
            source.stop()
        else:
            camera.stop()
        camera.close()


@contextmanager
def streaming(fps: float | None = None) -> Iterator[None]:
    """The camera streams without a network of ours, to measure what streaming alone draws.

    Whether a network that was loaded before stays in the sensor is not known: reboot the Raspberry Pi first.

    Args:
        fps: frames per second; None for 30.

    Raises:
        MissingDependencyError: picamera2 is not installed.
        DeviceError: no camera.
    """
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        raise MissingDependencyError("picamera2", "the IMX500", INSTALL) from error
    try:
        camera = Picamera2(0)
        config = camera.create_preview_configuration(controls={"FrameRate": fps or 30}, buffer_count=12)
        camera.start(config, show_preview=False)
    except (RuntimeError, OSError, IndexError) as error:
        raise DeviceError(
            "IMX500", f"the camera does not start ({error})", f"Check its cable; {INSTALL}."
        ) from error
    try:
        time.sleep(SETTLE_S)
        yield
    finally:
        camera.stop()
        camera.close()


def _strip(width: int, height: int) -> tuple[int, int, int, int] | None:
    """The region for a network that sees a strip with both eyes and then answers in cm; None for one of a face.

    As in deploy/imx500/gaze_imx500.py, which says where the width comes from.
    """
    if width <= height:
        return None
    rows = max(STRIP_WIDTH * height // width, 1)
    return (SENSOR[0] - STRIP_WIDTH) // 2, (SENSOR[1] - rows) // 2, STRIP_WIDTH, rows


def _aim(camera: Any, imx500: Any, delay: int | None, finder: SensorFinder | None) -> DelayedAim | None:
    """Start the aim of a network that has one, which its first result shows; None for any other."""
    for _ in range(_FIRST_RESULTS):
        outputs = imx500.get_outputs(camera.capture_metadata())
        if outputs is not None:
            if not has_sensor_aim(outputs):
                return None
            return DelayedAim(
                SENSOR, lambda region: imx500.set_inference_roi_abs(sensor_roi(region)), delay, finder
            )
    return None


def _first_clock(camera: Any) -> Callable[[], int]:
    """Wait for the first frame, and determine which clock its time stamp is from."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        timestamp = camera.capture_metadata().get("SensorTimestamp")
        if timestamp is not None:
            return _sensor_clock(int(timestamp))
    raise DeviceError("IMX500", f"no frame with a time stamp within {START_S:.0f} s", "Check `dmesg`.")
