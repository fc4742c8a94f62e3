"""Frames of a board for a sitting, each with its time on this computer's clock and how far that can be wrong.

A board on a serial line (docs/protocol.md) has no room to send whole frames: it runs its network on a frame, and sends
what the network saw. The aim says where in the frame that part lies, so it is put there, and the rest is black. The AI
Camera sends whole pictures, and says which region its network saw.

The clock of a board is related to this computer's by exchanges (`tinytracker.measure.clock`); picamera2 stamps frames
on a clock of this computer. No real board or camera has been tried.
"""

from __future__ import annotations

import io
import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from tinytracker.arrays import Pixels
from tinytracker.collect.eyes import Strip
from tinytracker.errors import DeviceError, UsageError
from tinytracker.measure.board import Board
from tinytracker.measure.clock import estimate_clock
from tinytracker.measure.frame import Exchange, Frame
from tinytracker.measure.host_clock import now_ns
from tinytracker.measure.imx500_frames import Imx500
from tinytracker.measure.link import Link
from tinytracker.measure.protocol import REGION_STEPS

Region = tuple[float, float, float, float]
"""Left, top, width and height, px of the frame."""

LEAST_RATE = 0.2
"""Frames per second below which a link is refused: a dot takes at least two, so more than ten seconds."""

_WIDEST_PX = 2048
_QUALITY = 92
_EXCHANGES = 200
_PICTURE_S = 10.0
_POLL_S = 0.01


@dataclass(frozen=True)
class Shot:
    """A frame of a board.

    Attributes:
        jpeg: the picture.
        captured_ns: when it was taken, `host_clock.now_ns()`; of a picture that is exposed over some time, the middle.
        bound_ns: how far that can be wrong, half of the exposure or of the transfer included.
        region: what the board's network saw. strip: where it saw both eyes; None for none, or when it does not say.
        gaze_cm: what it answered; None without eyes.
    """

    jpeg: bytes
    captured_ns: int
    bound_ns: int
    region: Region | None = None
    strip: Strip | None = None
    gaze_cm: tuple[float, float] | None = None


class Shots(Protocol):
    """Where a board's frames come from.

    Attributes:
        name: of the board, for messages.
    """

    name: str

    def take(self) -> Shot:
        """Return the next frame.

        Raises:
            DeviceError: the board does not answer, or sends too few frames to be of use.
        """
        ...


class ShotRate:
    """Frames per second of a board, from the times of the last ones."""

    def __init__(self) -> None:
        self._times: deque[int] = deque(maxlen=10)
        self.rate: float | None = None

    def take(self, captured_ns: int) -> float | None:
        """Take the time of a frame; returns the rate, None for the first."""
        self._times.append(captured_ns)
        passed = self._times[-1] - self._times[0]
        self.rate = round((len(self._times) - 1) * 1e9 / passed, 2) if passed > 0 else None
        return self.rate


class SerialShots:
    """What the network of a board on a serial line saw.

    Args:
        link: to the board.

    Raises:
        UsageError: the board has no camera, or its network does not aim.
    """

    def __init__(self, link: Link) -> None:
        board = link.board
        self.name = board.name
        if board.source != "camera":
            raise UsageError(
                f"{self.name} takes its images from this computer: it has no camera that could see you.",
                "Record with a webcam or with a board that has a camera.",
            )
        if board.frame_px is None or not board.io.inputs:
            raise UsageError(
                f"The network on {self.name} has no aim, so it is not known which part of the camera's frame it sees.",
                "Flash a network with an aim, such as tinytracker-s2-aim.",
            )
        self._link = link
        self._exchanges: list[Exchange] = []

    def take(self) -> Shot:
        """Return the next frame; see `Shots.take`."""
        if self._link.board.clock == "device":
            self._exchanges = [*self._exchanges, self._link.exchange()][-_EXCHANGES:]
        sent = now_ns()
        records = [event for event in self._link.frames(1) if isinstance(event, Frame)]
        if not records:
            raise DeviceError(self.name, "the record of a frame arrived damaged", "Check the cable.")
        inputs = self._link.inputs()
        seconds = (now_ns() - sent) / 1e9
        if seconds > 1 / LEAST_RATE:
            raise DeviceError(
                self.name,
                f"the line takes {seconds:.1f} s for a frame of {len(inputs):,} bytes, and a dot needs two; "
                f"{1 / LEAST_RATE:g} s are the most",
                "Use a network that sees less (tinytracker-s2-aim, grey), or film with the board's camera: "
                "--source video.",
            )
        captured, bound = self._time(records[0], sent)
        return self._shot(records[0], inputs, captured, bound)

    def _time(self, record: Frame, sent: int) -> tuple[int, int]:
        """Return when the frame was captured, and the bound, ns; between command and record in any case."""
        if not self._exchanges:
            return (sent + record.host_ns) // 2, (record.host_ns - sent + 1) // 2
        board = self._link.board
        table = [(e.sent_ns, e.received_ticks, e.answered_ticks, e.arrived_ns) for e in self._exchanges]
        first, last = record.stamps[0], record.stamps[1]
        clock = estimate_clock(table, board.ticks_per_s, (min(table[0][1], first), max(table[-1][2], last)))
        begun, ended = (clock.origin_ns + float(t) for t in clock.host_ns(np.array([first, last], np.int64)))
        return round((begun + ended) / 2), round((ended - begun) / 2 + clock.bound_between(first, last))

    def _shot(self, record: Frame, inputs: bytes, captured: int, bound: int) -> Shot:
        picture, aim = seen(self._link.board, inputs), record.aim
        if aim is None:
            raise DeviceError(
                self.name, "a record does not say where the frame was cut", "Flash its firmware again."
            )
        frame, region = placed(picture, self._link.board, (aim.x, aim.y, aim.width))
        left, top, width, height = region
        strip = (left + width / 2, top + height / 2, width) if aim.has_eyes else None
        return Shot(as_jpeg(frame), captured, bound, region, strip, record.gaze_cm)


def seen(board: Board, inputs: bytes) -> Pixels:
    """Return what a network saw, uint8 RGB (h, w, 3), from its packed inputs."""
    tensor = board.io.inputs[0]
    codes: Pixels = np.frombuffer(inputs, np.uint8)
    if tensor.dtype == "int8":
        codes = np.bitwise_xor(codes, np.uint8(0x80))
    picture = codes.reshape(tensor.shape[1:])
    return np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))


def placed(picture: Pixels, board: Board, region: tuple[int, int, int]) -> tuple[Pixels, Region]:
    """Return the whole frame with the part in its place and black elsewhere, and where the part lies in it.

    The frame is drawn so large that the part keeps its pixels, but at most 2048 px wide.

    Args:
        picture: the part, uint8 RGB (h, w, 3).
        board: that took it.
        region: centre x, y and width of the part, 1/16 px of the board's frame.
    """
    assert board.frame_px is not None
    height, width = picture.shape[:2]
    x, y, across = (v / REGION_STEPS for v in region)
    scale = min(width / across, _WIDEST_PX / board.frame_px[0])
    if scale < width / across:
        width = max(round(across * scale), 1)
        height = max(round(width * picture.shape[0] / picture.shape[1]), 1)
        picture = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))
    columns, rows = (max(round(side * scale), 1) for side in board.frame_px)
    left, top = round(x * scale - width / 2), round(y * scale - height / 2)
    frame = np.zeros((rows, columns, 3), np.uint8)
    right, bottom = min(left + width, columns), min(top + height, rows)
    if right > max(left, 0) and bottom > max(top, 0):
        part = picture[max(-top, 0) : bottom - top, max(-left, 0) : right - left]
        frame[max(top, 0) : bottom, max(left, 0) : right] = part
    return frame, (float(left), float(top), float(width), float(height))


def as_jpeg(frame: Pixels) -> bytes:
    """Encode a frame, uint8 RGB (h, w, 3), as JPEG without colour subsampling."""
    content = io.BytesIO()
    Image.fromarray(frame).save(content, "JPEG", quality=_QUALITY, subsampling=0)
    return content.getvalue()


class SensorShots:
    """Whole pictures of the AI Camera, with the region that the network in the sensor saw.

    Args:
        camera: opened with pictures.
    """

    def __init__(self, camera: Imx500) -> None:
        self._camera, self.name = camera, camera.name

    def take(self) -> Shot:
        """Return the next frame; see `Shots.take`."""
        end = time.monotonic() + _PICTURE_S
        gaze: tuple[float, float] | None = None
        while time.monotonic() < end:
            for event in self._camera.frames(1):
                gaze = event.gaze_cm if isinstance(event, Frame) else gaze
            picture = self._camera.take_picture()
            if picture is not None:
                return Shot(picture.jpeg, picture.captured_ns, picture.bound_ns, picture.region, None, gaze)
            time.sleep(_POLL_S)
        raise DeviceError(self.name, f"no picture for {_PICTURE_S:.0f} s", "Check the cable and `dmesg`.")
