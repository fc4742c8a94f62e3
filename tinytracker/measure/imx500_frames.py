"""Frames of a running AI Camera: what its callback gets, on the clock of the session.

There is no serial line and no firmware of ours: time stamps are libcamera's and this computer's. Those of libcamera
are of CLOCK_MONOTONIC or CLOCK_BOOTTIME; each is brought to the clock of the session (`host_clock`) when its frame
arrives, by reading both clocks then.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.aim.delayed import DelayedAim
from tinytracker.errors import DeviceError, UsageError
from tinytracker.files import read_bytes, sha256_bytes
from tinytracker.measure.board import Board
from tinytracker.measure.frame import Exchange, Frame, FrameEvent, RawBytes
from tinytracker.measure.host_clock import behind_ns, now_ns
from tinytracker.measure.imx500_aim import (
    AIM_NUMBERS,
    SENSOR,
    STRIP_WIDTH,
    FrameCounter,
    SensorFinder,
    read_sensor_aim,
    sensor_box,
)
from tinytracker.measure.marks import Marker
from tinytracker.measure.pictures import Picture, Pictures
from tinytracker.measure.protocol import Aimed, Lost
from tinytracker.quant.contract import PIXEL_SCALE, IoContract, TensorContract

PHASES = ("exposure", "sensor", "retrieval")
"""exposure: start of exposure of the first row to its read-out. sensor: from there to the frame's being handed over on
the Raspberry Pi (read-out, network, transfer, libcamera). retrieval: getting outputs out of the frame's metadata."""

TICKS_PER_S = 1e9
SILENCE_S = 10.0
_FRAME_COUNT_AT = 708
"""Byte of libcamera's CnnOutputTensorInfo (712 bytes) that counts the network's results modulo 256. A result with the
same count as the one before is a repetition of it; one whose count is higher by more than 1 says that the results in
between did not get here."""

_COUNTS = 256

_NO_RESULT_FRAMES = 1000


@dataclass(frozen=True)
class _Arrival:
    """A frame's metadata with the network's result, and when it came.

    `missed`: results that the sensor counted since the one before, and that did not come (modulo 256).
    """

    metadata: dict[str, Any]
    outputs: tuple[bytes, ...]
    kpi_ms: tuple[float, float] | None
    exposed_ns: int
    read_out_ns: int
    delivered_ns: int
    retrieved_ns: int
    number: int
    without_result: int
    repeated: int
    count: int | None
    missed: int
    aim: Aimed | None


class Imx500:
    """A running camera; `open_imx500` makes one.

    Attributes:
        board: in the words of `tt hello`. The hash is that of network.rpk.
        name: for messages.
    """

    name = "IMX500"

    def __init__(
        self,
        camera: Any,
        imx500: Any,
        network: Path,
        clock: Callable[[], int],
        marker: Marker | None = None,
        pictures: Pictures | None = None,
        aim: DelayedAim | None = None,
        finder: SensorFinder | None = None,
    ) -> None:
        self._camera = camera
        self._imx500 = imx500
        self._arrivals: queue.SimpleQueue[_Arrival | None] = queue.SimpleQueue()
        self._clock = clock
        self._marker = marker
        self._frames = self._without = self._repeated = self._results = 0
        self._count: int | None = None
        self._stopped = False
        self._pictures = pictures
        self._aim = aim
        self._finder = finder
        self._counter = FrameCounter()
        self.board = _describe(imx500, network, aims=aim is not None)

    def on_frame(self, request: Any) -> None:
        """For picamera2's `pre_callback`; runs in the camera's thread."""
        delivered = now_ns()
        if self._marker is not None:
            self._marker.step()
        metadata = request.get_metadata()
        outputs = self._imx500.get_outputs(metadata)
        retrieved = now_ns()
        self._frames += 1
        count = _result_count(metadata)
        stamp = metadata.get("SensorTimestamp")
        number = self._counter.take(metadata)
        missing = outputs is None or stamp is None
        repeated = not missing and count is not None and count == self._count
        if self._finder is not None:
            self._finder.see(request)
        aimed = self._steer(number, None if missing or repeated else outputs)
        if missing:
            self._without += 1
            self._arrivals.put(None)
        elif repeated:
            self._repeated += 1
            self._arrivals.put(None)
        else:
            before, self._count = self._count, count
            missed = 0 if count is None or before is None else (count - before - 1) % _COUNTS
            self._put(metadata, outputs, (delivered, retrieved), int(stamp), count, missed, aimed)
        if self._pictures is not None:
            exposed = (0, 0) if stamp is None else self._exposed(metadata, int(stamp))
            self._pictures.take(request, None if aimed is None else sensor_box(aimed), exposed)

    def _steer(self, number: int, outputs: Any) -> Aimed | None:
        """Give the answer to the aim, which sets the region of a later frame; where this frame was cut."""
        if self._aim is None:
            return None
        seen = self._aim.take(number, None if outputs is None else read_sensor_aim(outputs))
        region = seen.region
        return Aimed(region.x, region.y, region.width, int(seen.state), seen.has_eyes)

    def _put(
        self,
        metadata: dict[str, Any],
        outputs: Any,
        taken: tuple[int, int],
        stamp: int,
        count: int | None,
        missed: int,
        aimed: Aimed | None,
    ) -> None:
        exposed, read_out = self._exposed(metadata, stamp)
        self._arrivals.put(
            _Arrival(
                metadata, tuple(np.asarray(o, np.float32).ravel(order="F").tobytes() for o in outputs),
                self._imx500.get_kpi_info(metadata), exposed, read_out,
                max(taken[0], read_out), max(taken[1], read_out), self._frames, self._without, self._repeated, count,
                missed,
                aimed,
            )
        )  # fmt: skip
        self._without = self._repeated = 0

    def _exposed(self, metadata: dict[str, Any], stamp: int) -> tuple[int, int]:
        """Return begin of the exposure of the first row and end of its read-out on the clock of the session, ns."""
        behind, _ = behind_ns(self._clock)
        return stamp + behind - 1000 * int(metadata.get("ExposureTime") or 0), stamp + behind

    def take_picture(self) -> Picture | None:
        """The newest picture, once; None when there is none, or pictures were not asked for."""
        return None if self._pictures is None else self._pictures.newest()

    def stop(self) -> None:
        """Switch the camera off; no more frames come."""
        if not self._stopped:
            self._stopped = True
            self._camera.pre_callback = None
            self._camera.stop()

    def reconnect(self) -> bool:
        """Never: a camera on a flat cable is not plugged in again while it runs."""
        return False

    def exchange(self) -> Exchange:
        """Stamps are on the host's clock already; only the error of converting libcamera's clock is known."""
        behind, bound = behind_ns(self._clock)
        now = self._clock() + behind
        return Exchange(now - bound, now, now, now + bound)

    def load(self, image: bytes) -> None:
        """Raise UsageError: the images are the camera's."""
        raise UsageError("The IMX500 takes no images from the host.")

    def take_raw(self) -> list[RawBytes]:
        """Return nothing: there is no serial line."""
        return []

    def frames(self, count: int) -> Generator[FrameEvent, None, None]:
        """The next `count` frames that carry a result, and how many results were lost between two of them.

        Older frames that are waiting are discarded first.

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
                    self.name, f"no frame for {SILENCE_S:.0f} s", "Check the cable and `dmesg`."
                ) from None
            if arrival is None:
                empty += 1
                if empty > _NO_RESULT_FRAMES:
                    raise DeviceError(
                        self.name,
                        "a thousand frames without a new result",
                        "Check that the network is loaded, and `dmesg`.",
                    )
                continue
            empty = 0
            if done and arrival.missed:
                yield Lost(arrival.missed, self._results - 1)
                self._results += arrival.missed
            done += 1
            yield self._frame(arrival)

    def _frame(self, arrival: _Arrival) -> Frame:
        metadata = arrival.metadata
        extra: dict[str, float] = {
            "camera_frame": float(arrival.number), "without_result": float(arrival.without_result),
            "repeated_result": float(arrival.repeated),
        }  # fmt: skip
        if arrival.kpi_ms is not None:
            extra |= {"dnn_ms": float(arrival.kpi_ms[0]), "dsp_ms": float(arrival.kpi_ms[1])}
        if metadata.get("FrameDuration") is not None:
            extra["frame_duration_us"] = float(metadata["FrameDuration"])
        if arrival.count is not None:
            extra["network_count"] = float(arrival.count)
        stamps = (arrival.exposed_ns, arrival.read_out_ns, arrival.delivered_ns, arrival.retrieved_ns)
        sequence, self._results = self._results, self._results + 1
        outputs = b"".join(arrival.outputs)
        gaze = self.board.gaze_cm(outputs, arrival.aim)
        return Frame(sequence, stamps, outputs, gaze, arrival.retrieved_ns, extra, arrival.aim)


def _result_count(metadata: dict[str, Any]) -> int | None:
    info = metadata.get("CnnOutputTensorInfo")
    return int(bytes(info)[_FRAME_COUNT_AT]) if info is not None and len(info) > _FRAME_COUNT_AT else None


def _describe(imx500: Any, network: Path, aims: bool) -> Board:
    width, height = (int(n) for n in imx500.get_input_size())
    io = IoContract(
        (TensorContract("image", "image", (1, height, width, 3), "int8", PIXEL_SCALE, 0),),
        (TensorContract("gaze", "gaze", (1, 2), "float32", 1.0, 0),)
        + ((TensorContract("aim", "aim", (1, AIM_NUMBERS), "float32", 1.0, 0),) if aims else ()),
    )
    # libcamera gives real numbers: it has applied scale and zero point from the package.
    return Board(
        "imx500", str(imx500.get_device_id()), sha256_bytes(read_bytes(network)), TICKS_PER_S, "device", "camera",
        PHASES, io, frame_px=SENSOR if aims else None, reference_px=STRIP_WIDTH if aims else None,
        stamps_are_host=True, runs_between_frames=True,
    )  # fmt: skip
