"""The Raspberry Pi AI Camera as a source of frames: picamera2 on the Raspberry Pi, the network inside the sensor.

There is no serial line and no firmware of ours: time stamps are libcamera's and this computer's, on one clock.
Nothing here has been tried on a camera; tests run it against a stand-in for picamera2.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.errors import DeviceError, InputFileError, MissingDependencyError, UsageError
from tinytracker.files import StrPath, read_bytes, sha256_bytes
from tinytracker.measure.board import Board
from tinytracker.measure.link import Exchange, Frame, FrameEvent, RawBytes
from tinytracker.measure.opening import Request
from tinytracker.quant.contract import PIXEL_SCALE, IoContract, TensorContract
from tinytracker.targets import Target

PHASES = ("exposure", "sensor", "retrieval")
"""exposure: start of exposure of the first row to its read-out. sensor: from there to the frame's being handed over on
the Raspberry Pi (read-out, network, transfer, libcamera). retrieval: getting outputs out of the frame's metadata."""

TICKS_PER_S = 1e9
START_S = 300.0
"""The first start loads firmware and network into the sensor."""

SILENCE_S = 10.0
_CLOCKS_APART_NS = 1_000_000_000
_FRAME_COUNT_AT = 708
"""Byte of libcamera's CnnOutputTensorInfo (712 bytes) that counts the network's results modulo 256."""

INSTALL = "sudo apt install imx500-all python3-picamera2"

SENSOR = (4056, 3040)
STRIP_WIDTH = 816


@dataclass(frozen=True)
class _Arrival:
    """A frame's metadata with the network's result, and when it came."""

    metadata: dict[str, Any]
    outputs: tuple[bytes, ...]
    kpi_ms: tuple[float, float] | None
    delivered_ns: int
    retrieved_ns: int
    host_ns: int
    number: int
    without_result: int


class Imx500:
    """A running camera; `open_imx500` makes one.

    Attributes:
        board: in the words of `tt hello`. The hash is that of network.rpk.
        name: for messages.
    """

    name = "IMX500"

    def __init__(self, imx500: Any, network: Path, clock: Callable[[], int]) -> None:
        self._imx500 = imx500
        self._arrivals: queue.SimpleQueue[_Arrival | None] = queue.SimpleQueue()
        self._clock = clock
        self._frames = 0
        self._without = 0
        self._results = 0
        self.board = _describe(imx500, network)

    def on_frame(self, request: Any) -> None:
        """For picamera2's `pre_callback`; runs in the camera's thread."""
        delivered = self._clock()
        metadata = request.get_metadata()
        outputs = self._imx500.get_outputs(metadata)
        retrieved, host = self._clock(), time.monotonic_ns()
        self._frames += 1
        if outputs is None or metadata.get("SensorTimestamp") is None:
            self._without += 1
            self._arrivals.put(None)
            return
        packed = tuple(np.asarray(o, np.float32).ravel(order="F").tobytes() for o in outputs)
        kpi = self._imx500.get_kpi_info(metadata)
        self._arrivals.put(
            _Arrival(metadata, packed, kpi, delivered, retrieved, host, self._frames, self._without)
        )
        self._without = 0

    def exchange(self) -> Exchange:
        """The camera's clock is one of this computer's; how long reading it takes is all there is to know."""
        before = time.monotonic_ns()
        device = self._clock()
        return Exchange(before, device, device, time.monotonic_ns())

    def load(self, image: bytes) -> None:
        """Raises UsageError: the images are the camera's."""
        raise UsageError("The IMX500 takes no images from the host.")

    def take_raw(self) -> list[RawBytes]:
        """Nothing: there is no line."""
        return []

    def frames(self, count: int) -> Generator[FrameEvent, None, None]:
        """The next `count` frames that carry a result; older ones that wait are thrown away first.

        Raises:
            DeviceError: no frame comes, or none carries a result.
        """
        while not self._arrivals.empty():
            self._arrivals.get_nowait()
        empty = 0
        done = 0
        while done < count:
            try:
                arrival = self._arrivals.get(timeout=SILENCE_S)
            except queue.Empty:
                raise DeviceError(
                    self.name, f"no frame for {SILENCE_S:.0f} s", "Check the cable, and look into `dmesg`."
                ) from None
            if arrival is None:
                empty += 1
                if empty > 1000:
                    raise DeviceError(
                        self.name,
                        "a thousand frames without a result",
                        "Is the network loaded? Look into `dmesg`.",
                    )
                continue
            empty = 0
            done += 1
            yield self._frame(arrival)

    def _frame(self, arrival: _Arrival) -> Frame:
        metadata = arrival.metadata
        read_out = int(metadata["SensorTimestamp"])
        exposed = read_out - 1000 * int(metadata.get("ExposureTime") or 0)
        extra: dict[str, float] = {
            "camera_frame": float(arrival.number), "without_result": float(arrival.without_result),
        }  # fmt: skip
        if arrival.kpi_ms is not None:
            extra |= {"dnn_ms": float(arrival.kpi_ms[0]), "dsp_ms": float(arrival.kpi_ms[1])}
        if metadata.get("FrameDuration") is not None:
            extra["frame_duration_us"] = float(metadata["FrameDuration"])
        info = metadata.get("CnnOutputTensorInfo")
        if info is not None and len(info) > _FRAME_COUNT_AT:
            extra["network_count"] = float(bytes(info)[_FRAME_COUNT_AT])
        stamps = (exposed, read_out, max(arrival.delivered_ns, read_out), max(arrival.retrieved_ns, read_out))
        sequence, self._results = self._results, self._results + 1
        outputs = b"".join(arrival.outputs)
        return Frame(sequence, stamps, outputs, self.board.gaze_cm(outputs), arrival.host_ns, extra)


def _describe(imx500: Any, network: Path) -> Board:
    width, height = (int(n) for n in imx500.get_input_size())
    io = IoContract(
        (TensorContract("image", "image", (1, height, width, 3), "int8", PIXEL_SCALE, 0),),
        (TensorContract("gaze", "gaze", (1, 2), "float32", 1.0, 0),),
    )
    # libcamera gives real numbers: it has taken scale and zero point from the package.
    return Board(
        "imx500", str(imx500.get_device_id()), sha256_bytes(read_bytes(network)), TICKS_PER_S, "device", "camera",
        PHASES, io,
    )  # fmt: skip


def _sensor_clock(timestamp_ns: int) -> Callable[[], int]:
    """The clock that a time stamp is of.

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
        raise UsageError("Which network should the camera load?", f"Give --model {target.loads}.")
    with open_imx500(request.network, fps=request.fps) as camera:
        yield camera


@contextmanager
def open_imx500(network: StrPath, *, fps: float | None = None) -> Iterator[Imx500]:
    """Load a network into the sensor and start the camera.

    Args:
        network: the package, network.rpk.
        fps: frames per second; None for what the package says.

    Raises:
        MissingDependencyError: picamera2 is not installed.
        InputFileError: there is no such package.
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
            controls={"FrameRate": intrinsics.inference_rate}, buffer_count=12
        )
        imx500.show_network_fw_progress_bar()
        camera.start(config, show_preview=False)
    except (RuntimeError, OSError, IndexError) as error:
        raise DeviceError(
            "IMX500", f"the camera does not start ({error})", f"Check its cable; {INSTALL}."
        ) from error
    try:
        if strip := _strip(*imx500.get_input_size()):
            imx500.set_inference_roi_abs(strip)
        elif intrinsics.preserve_aspect_ratio:
            imx500.set_auto_aspect_ratio()
        source = Imx500(imx500, network, _first_clock(camera))
        camera.pre_callback = source.on_frame
        yield source
    finally:
        camera.pre_callback = None
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


def _first_clock(camera: Any) -> Callable[[], int]:
    """Wait for the first frame, and see of which clock its time is."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        timestamp = camera.capture_metadata().get("SensorTimestamp")
        if timestamp is not None:
            return _sensor_clock(int(timestamp))
    raise DeviceError("IMX500", f"no frame with a time stamp within {START_S:.0f} s", "Look into `dmesg`.")
