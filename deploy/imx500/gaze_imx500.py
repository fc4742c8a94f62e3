#!/usr/bin/env python3
"""Show where a person looks: the network runs inside the Raspberry Pi AI Camera, and this program draws a dot.

It runs on a Raspberry Pi with picamera2 (`sudo apt install imx500-all python3-picamera2 python3-opencv`) and needs
only `network.rpk` from this project. A network with an aim (tinytracker-v2-aim) also says where the eyes are; with
tinytracker installed beside picamera2, the region then follows them. Options follow picamera2's own IMX500 demos.

    python3 gaze_imx500.py --model network.rpk                      # the middle of the frame
    python3 gaze_imx500.py --model network.rpk --roi 1300,500,1500,1500
    python3 gaze_imx500.py --model network.rpk --region-delay 2     # do not measure how late the region moves

It does not measure; `tinytracker measure --target imx500` does (see README.md beside this file).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SENSOR_WIDTH, SENSOR_HEIGHT = 4056, 3040

STRIP_WIDTH = 816
"""Width in sensor pixels of a strip with both eyes for which the output of a strip network is in cm. For a phone's
front camera, whose focal length is 0.94 of the frame's longer side, it is a quarter of that side. Here the focal length
is 0.755 of it (4.74 mm over 4056 pixels of 1.55 µm, data sheet), so the same strip, at about 40 cm, is narrower."""

Roi = tuple[int, int, int, int]


@dataclass(frozen=True)
class Result:
    """The network's part of a frame's metadata.

    Attributes:
        gaze_cm: x to the right and y up from the camera, or None for a frame without a result.
        dnn_ms, dsp_ms: time the network and the signal processor took in the sensor, or None.
    """

    gaze_cm: tuple[float, float] | None
    dnn_ms: float | None
    dsp_ms: float | None


def parse_roi(text: str) -> Roi:
    """Parse `left,top,width,height` in sensor pixels, inside the sensor."""
    try:
        left, top, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not left,top,width,height") from None
    if min(left, top) < 0 or min(width, height) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} has a negative position or an empty size")
    if left + width > SENSOR_WIDTH or top + height > SENSOR_HEIGHT:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not inside the sensor's {SENSOR_WIDTH} x {SENSOR_HEIGHT} pixels"
        )
    return left, top, width, height


def centred_roi(aspect_width: int, aspect_height: int) -> Roi:
    """Return the region in the middle of the sensor: the largest square for a face, or a strip of STRIP_WIDTH."""
    width = height = min(SENSOR_WIDTH, SENSOR_HEIGHT)
    if is_strip(aspect_width, aspect_height):
        width, height = STRIP_WIDTH, max(STRIP_WIDTH * aspect_height // aspect_width, 1)
    return (SENSOR_WIDTH - width) // 2, (SENSOR_HEIGHT - height) // 2, width, height


def is_strip(width: int, height: int) -> bool:
    """Return True for a network that sees a strip with both eyes: its input is not square; that of a face is."""
    return width > height


def cm_per_unit(roi: Roi, width: int, height: int) -> float:
    """Return the cm per unit of the network's output: eyes that look smaller are farther away.

    Args:
        roi: region that the network sees.
        width: width of the network's input.
        height: its height.
    """
    return STRIP_WIDTH / roi[2] if is_strip(width, height) else 1.0


def face_roi(box: tuple[float, float, float, float], aspect_width: int, aspect_height: int) -> Roi:
    """Return the region around a face, inside the sensor.

    Args:
        box: left, top, width, height of the face in sensor pixels.
        aspect_width: width of the network's input.
        aspect_height: its height.

    Returns:
        A region with the input's aspect ratio and the box in its middle, as wide as the face, moved inside the sensor.
    """
    left, top, width, height = box
    scale = max(width / aspect_width, height / aspect_height)
    scale = min(scale, SENSOR_WIDTH / aspect_width, SENSOR_HEIGHT / aspect_height)
    w, h = max(round(aspect_width * scale), 1), max(round(aspect_height * scale), 1)
    x = min(max(round(left + width / 2 - w / 2), 0), SENSOR_WIDTH - w)
    y = min(max(round(top + height / 2 - h / 2), 0), SENSOR_HEIGHT - h)
    return x, y, w, h


def read_result(imx500: Any, metadata: dict[str, Any], cm: float = 1.0) -> Result:
    """Read the network's part of a frame's metadata; `cm` is cm per unit of the output."""
    outputs = imx500.get_outputs(metadata)
    if outputs is None:
        return Result(None, None, None)
    x, y = (cm * float(v) for v in outputs[0].ravel()[:2])
    kpi = imx500.get_kpi_info(metadata) or (None, None)
    return Result((x, y), *kpi)


def dot_position(
    gaze_cm: tuple[float, float], screen_cm: tuple[float, float], image: tuple[int, int]
) -> tuple[int, int]:
    """Return where to draw the gaze in a preview image that represents the screen below the camera.

    Args:
        gaze_cm: x to the right, y up, origin at the camera.
        screen_cm: width and height of the screen; the camera sits above the middle of its upper edge.
        image: width and height of the preview in pixels.

    Returns:
        The pixel position, inside the image.
    """
    x = (gaze_cm[0] / screen_cm[0] + 0.5) * image[0]
    y = -gaze_cm[1] / screen_cm[1] * image[1]
    return round(min(max(x, 0), image[0] - 1)), round(min(max(y, 0), image[1] - 1))


@dataclass(frozen=True)
class Correction:
    """A person's calibration: rows of a 2 x 2 matrix, and an offset in cm (see the project's docs/calibration.md)."""

    matrix: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 0.0), (0.0, 1.0))
    offset: tuple[float, float] = (0.0, 0.0)
    model_sha256: str | None = None

    def problem(self, model: Path) -> str | None:
        """Why it may not be applied to what this network answers; None when it may, or when it does not say."""
        found = hashlib.sha256(model.read_bytes()).hexdigest()
        if self.model_sha256 in (None, found):
            return None
        return f"The calibration was made for the network {str(self.model_sha256)[:12]}, and {model} is {found[:12]}."

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        """Return the corrected gaze, cm."""
        (a, b), (c, d) = self.matrix
        return a * x + b * y + self.offset[0], c * x + d * y + self.offset[1]


def read_correction(text: str) -> Correction:
    """Read the calibration from a JSON file written by `tinytracker calibrate fit`."""
    try:
        document = json.loads(Path(text).read_text())
        if document["schema_version"] != 1 or document["unit"] != "cm":
            raise ValueError("it has another version")
        if document["terms"] is not None:
            raise ValueError(
                "the ridge method needs features that the camera does not provide; use --method affine"
            )
        (a, b), (c, d) = document["matrix"]
        x, y = document["offset"]
        identity = document.get("identity") or {}
        matrix = ((float(a), float(b)), (float(c), float(d)))
        return Correction(matrix, (float(x), float(y)), identity.get("model_sha256"))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text} is not a calibration: {error}") from None


class Smoother:
    """Exponential mean of the gaze, only for display; records are never smoothed."""

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._value: tuple[float, float] | None = None

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        """Return the new mean."""
        if self._value is None:
            self._value = (x, y)
        k = self._keep
        self._value = (k * self._value[0] + (1 - k) * x, k * self._value[1] + (1 - k) * y)
        return self._value


class Follower:
    """Moves the region of a network with an aim; needs the package `tinytracker`.

    Args:
        imx500: picamera2's object of the sensor.
        delay: frames until a region takes effect; None to measure it.

    Raises:
        ImportError: tinytracker is not installed.
    """

    def __init__(self, imx500: Any, delay: int | None) -> None:
        from tinytracker.aim.delayed import DelayedAim
        from tinytracker.measure.imx500_aim import FrameCounter, read_sensor_aim, sensor_roi

        self._aim = DelayedAim(
            (SENSOR_WIDTH, SENSOR_HEIGHT),
            lambda region: imx500.set_inference_roi_abs(sensor_roi(region)),
            delay,
        )
        self._counter = FrameCounter()
        self._read = read_sensor_aim

    def take(self, metadata: dict[str, Any], outputs: Any) -> tuple[Roi, bool]:
        """Give it one frame; returns the region that this frame was cut by, and whether there were eyes in it."""
        answer = None if outputs is None else self._read(outputs)
        seen = self._aim.take(self._counter.take(metadata), answer)
        return seen.region.box, seen.has_eyes


def has_aim(outputs: Any) -> bool:
    """Return whether a network's answer says where the eyes are: gaze, then dx, dy, ln scale, roll, presence."""
    return outputs is not None and outputs[0].size == 7


class Watcher:
    """Counts frames and keeps the last result.

    Attributes:
        cm: cm per unit of the network's output.
        roi: region of the last frame when the network aims, else None.
        problem: why the region does not follow the eyes, once that is known.
    """

    def __init__(
        self,
        imx500: Any,
        smoothing: float,
        correct: Correction | None = None,
        follow: bool = True,
        delay: int | None = None,
    ) -> None:
        self.cm = 1.0
        self.roi: Roi | None = None
        self.problem: str | None = None
        self._follow = follow
        self._delay = delay
        self._follower: Follower | None = None
        self._imx500 = imx500
        self._correct = correct or Correction()
        self._smooth = Smoother(smoothing)
        self._lock = threading.Lock()
        self.frames = self.results = 0
        self.gaze: tuple[float, float] | None = None
        self.dnn_ms: float | None = None

    def add(self, metadata: dict[str, Any]) -> None:
        """Read one frame; safe to call from the camera's thread."""
        with self._lock:
            has_eyes = self._steer(metadata)
            result = read_result(self._imx500, metadata, self.cm)
            self.frames += 1
            if result.gaze_cm is None:
                return
            self.results += 1
            self.dnn_ms = result.dnn_ms
            # A frame without eyes has no gaze.
            self.gaze = self._smooth(*self._correct(*result.gaze_cm)) if has_eyes else None

    def _steer(self, metadata: dict[str, Any]) -> bool:
        """Move the region when the network aims; returns whether there were eyes, True when it cannot say."""
        outputs = self._imx500.get_outputs(metadata)
        if self._follower is None:
            if not self._follow or not has_aim(outputs):
                return True
            try:
                self._follower = Follower(self._imx500, self._delay)
            except ImportError as error:
                self._follow = False
                self.problem = f"The region stays where it is: {error}. Install tinytracker beside picamera2."
                return True
        self.roi, has_eyes = self._follower.take(metadata, outputs)
        self.cm = STRIP_WIDTH / self.roi[2]
        return has_eyes


def draw(array: Any, watcher: Watcher, roi_in_image: Roi, screen_cm: tuple[float, float]) -> None:
    """Draw the region that the network sees, the gaze and the times into the preview image."""
    import cv2

    if watcher.roi is not None:  # what this frame saw, not what is set for a later one
        scale = array.shape[1] / SENSOR_WIDTH
        roi_in_image = tuple(round(v * scale) for v in watcher.roi)  # type: ignore[assignment]
    x, y, w, h = roi_in_image
    cv2.rectangle(array, (x, y), (x + w, y + h), (255, 0, 0, 0), 2)
    if watcher.gaze is None:
        return
    dot = dot_position(watcher.gaze, screen_cm, (array.shape[1], array.shape[0]))
    cv2.circle(array, dot, 14, (0, 255, 0, 0), -1)
    text = f"{watcher.gaze[0]:+.1f} {watcher.gaze[1]:+.1f} cm"
    if watcher.dnn_ms is not None:
        text += f"  dnn {watcher.dnn_ms:.1f} ms"
    cv2.putText(array, text, (10, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 255, 0), 2)


def parse_size(text: str) -> tuple[float, float]:
    """Parse `WIDTHxHEIGHT` in cm."""
    try:
        width, height = (float(part) for part in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT") from None
    if width <= 0 or height <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} has an empty size")
    return width, height


def get_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="network.rpk")
    parser.add_argument(
        "--fps", type=float, help="frames per second; default: the value in the network's intrinsics"
    )
    parser.add_argument(
        "-r", "--preserve-aspect-ratio", action=argparse.BooleanOptionalAction, default=None,
        help="give the network a region with its own aspect ratio; default: the value in the intrinsics",
    )  # fmt: skip
    parser.add_argument(
        "--roi",
        type=parse_roi,
        help="left,top,width,height of the face (or of both eyes, for strips) in sensor pixels",
    )
    parser.add_argument(
        "--follow", action=argparse.BooleanOptionalAction, default=True,
        help="let the region follow the eyes when the network has an aim; default: yes, unless --roi is given",
    )  # fmt: skip
    parser.add_argument(
        "--region-delay", type=int, choices=range(9), metavar="FRAMES",
        help="frames until a region takes effect; default: measured at the start",
    )  # fmt: skip
    parser.add_argument(
        "--screen", type=parse_size, default=(34.0, 19.0), help="screen size in cm; default 34x19"
    )
    parser.add_argument(
        "--smoothing", type=float, default=0.7, help="0 draws each gaze; 0.9 draws a slow mean"
    )
    parser.add_argument(
        "--calibration",
        type=read_correction,
        help="JSON file of one person, from `tinytracker calibrate fit`",
    )
    parser.add_argument("--seconds", type=float, help="stop after this time")
    parser.add_argument(
        "--print-intrinsics", action="store_true", help="print network_intrinsics as JSON and exit"
    )
    return parser.parse_args(argv)


def override_intrinsics(intrinsics: Any, args: argparse.Namespace) -> None:
    """Let flags override the values in the package."""
    if args.fps is not None:
        intrinsics.inference_rate = args.fps
    if args.preserve_aspect_ratio is not None:
        intrinsics.preserve_aspect_ratio = args.preserve_aspect_ratio
    intrinsics.update_with_defaults()


def choose_roi(imx500: Any, intrinsics: Any, asked: Roi | None) -> Roi:
    """Return the region that the network will see."""
    width, height = imx500.get_input_size()
    if asked is not None:
        return face_roi(asked, width, height) if intrinsics.preserve_aspect_ratio else asked
    return (
        centred_roi(width, height)
        if intrinsics.preserve_aspect_ratio
        else (0, 0, SENSOR_WIDTH, SENSOR_HEIGHT)
    )


def run(args: argparse.Namespace) -> int:
    """Start the camera and draw until stopped."""
    try:
        from picamera2 import MappedArray, Picamera2
        from picamera2.devices import IMX500
        from picamera2.devices.imx500 import NetworkIntrinsics
    except ImportError as error:
        print(
            f"{error}. Install it with: sudo apt install imx500-all python3-picamera2 python3-opencv",
            file=sys.stderr,
        )
        return 1
    if not args.model.is_file():
        print(
            f"{args.model}: no such file. Make one with `tinytracker package RUN --target imx500`.",
            file=sys.stderr,
        )
        return 1
    problem = args.calibration.problem(args.model) if args.calibration else None
    if problem:
        print(problem, file=sys.stderr)
        return 1
    imx500 = IMX500(str(args.model))  # before Picamera2: it loads the network's name into the driver
    intrinsics = imx500.network_intrinsics or NetworkIntrinsics()
    override_intrinsics(intrinsics, args)
    if args.print_intrinsics:
        print(intrinsics)
        return 0

    picam2 = Picamera2(imx500.camera_num)
    config = picam2.create_preview_configuration(
        controls={"FrameRate": intrinsics.inference_rate}, buffer_count=12
    )
    imx500.show_network_fw_progress_bar()
    picam2.start(config, show_preview=True)
    roi = choose_roi(imx500, intrinsics, args.roi)
    imx500.set_inference_roi_abs(roi)
    follow = args.follow and args.roi is None
    watcher = Watcher(imx500, args.smoothing, args.calibration, follow, args.region_delay)
    watcher.cm = cm_per_unit(roi, *imx500.get_input_size())

    def on_frame(request: Any) -> None:
        watcher.add(request.get_metadata())
        with MappedArray(request, "main") as mapped:
            draw(mapped.array, watcher, imx500.get_roi_scaled(request), args.screen)

    picam2.pre_callback = on_frame
    wait(args.seconds)
    picam2.stop()
    print(f"{watcher.frames} frames, {watcher.results} with a result", file=sys.stderr)
    if watcher.problem:
        print(watcher.problem, file=sys.stderr)
    return 0


def wait(seconds: float | None) -> None:
    """Wait until the time is over, or Ctrl-C."""
    end = time.monotonic() + seconds if seconds is not None else float("inf")
    try:
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))
    except KeyboardInterrupt:
        print(file=sys.stderr)


if __name__ == "__main__":
    sys.exit(run(get_args()))
