"""A stand-in for picamera2: no camera, no libcamera, frames made up. What it says of times is not a measurement.

Names and behaviour follow picamera2 0.3: metadata keys, outputs None without a result, KPIs in ms, a callback in the
camera's thread.
"""

from __future__ import annotations

import sys
import threading
import time
import types

import numpy as np

INFO_BYTES = 712


class NetworkIntrinsics:
    inference_rate = None
    preserve_aspect_ratio = True

    def update_with_defaults(self):
        self.inference_rate = self.inference_rate or 30


class IMX500:
    """The sensor."""

    camera_num = 0
    auto_aspect_ratio = False
    input_size = (112, 112)
    roi = None

    def __init__(self, network_file):
        assert network_file.endswith(".rpk")
        self.network_intrinsics = NetworkIntrinsics()

    def get_device_id(self):
        return "stub"

    def get_input_size(self):
        return self.input_size

    now = -1000
    history = ()

    def set_inference_roi_abs(self, roi):
        IMX500.roi = roi
        IMX500.history = (*IMX500.history, (IMX500.now, roi))

    @staticmethod
    def roi_of_frame(number, delay):
        """The region that reaches a frame: what is set during frame k first reaches frame k + 1 + delay."""
        reached = [roi for at, roi in IMX500.history if at + 1 + delay <= number]
        return reached[-1] if reached else (508, 0, 3040, 3040)

    def get_roi_scaled(self, request):
        """The region in the main picture; the whole sensor is as wide as that."""
        scale = request.make_array("main").shape[1] / 4056
        return tuple(round(v * scale) for v in (IMX500.roi or (508, 0, 3040, 3040)))

    def show_network_fw_progress_bar(self):
        pass

    def set_auto_aspect_ratio(self):
        IMX500.auto_aspect_ratio = True

    def get_outputs(self, metadata):
        values = metadata.get("CnnOutputTensor")
        return None if not values else [np.array(values, np.float32)]

    @staticmethod
    def get_kpi_info(metadata):
        kpi = metadata.get("CnnKpiInfo")
        return None if kpi is None else (kpi[0] / 1000, kpi[1] / 1000)


class Request:
    def __init__(self, metadata, number=0):
        self._metadata = metadata
        self._number = number

    def make_array(self, stream):
        """ "lores" is YUV420: the luma of a dark room with a bright patch, then chroma.

        XBGR8888: red, green, blue, padding. A face-coloured patch where the region of a strip lies."""
        if stream == "lores":
            small = np.full((360, 320), 128, np.uint8)
            small[:240] = 8
            small[112:128, 136:184] = 230
            return small
        assert stream == "main"
        picture = np.full((480, 640, 4), 255, np.uint8)
        picture[..., 0] = np.linspace(40, 120, 640)
        picture[..., 1] = np.linspace(60, 140, 480)[:, None]
        picture[..., 2] = 90 + self._number % 60
        picture[215:265, 250:390, :3] = (222, 184, 150)
        picture[230:250, 285:305, :3] = picture[230:250, 335:355, :3] = (40, 30, 30)
        return picture

    def get_metadata(self):
        return self._metadata


class Picamera2:
    """The camera: a frame every 2 ms; every third carries no result; after `frames_until_silence` none comes.

    The first frame comes when somebody wants frames, and its time stamps go on by 2 ms however long they take.

    With a `person` (centre and width of the strip with both eyes, sensor px, or a function of the frame's number), the
    network aims: its seven numbers say where the strip lies in the region, which takes `delay` frames to arrive. The
    second one is the frame's number.

    Each result comes `repeats` times, with the same count. After every `lost_after` results one is counted that never
    comes. `running` tells others whether a camera streams.
    """

    running = False

    frames_until_silence = 1_000_000_000
    results = True
    repeats = 1
    lost_after = 0
    person = None
    delay = 2
    clock_offset_ns = 0

    def __init__(self, number):
        self.pre_callback = None
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def create_preview_configuration(self, controls, buffer_count, lores=None, main=None):
        assert controls["FrameRate"] > 0
        return {}

    def start(self, config, show_preview):
        type(self).running = True
        self._running.set()
        self._began = time.monotonic_ns()
        self._thread.start()

    def stop(self):
        type(self).running = False
        self._running.clear()
        self._thread.join()

    def close(self):
        pass

    def capture_metadata(self):
        return self._metadata(1)

    def _metadata(self, number):
        handed_over = self._began + 2_000_000 * number  # at the earliest
        metadata = {
            "SensorTimestamp": handed_over + self.clock_offset_ns - 19_000_000,
            "ExposureTime": 8000, "FrameDuration": 33_333,
        }  # fmt: skip
        if number % 3 and self.results:
            info = bytearray(INFO_BYTES)
            result = (number - number // 3 - 1) // self.repeats  # of the frames so far, a third had none
            result += result // self.lost_after if self.lost_after else 0
            info[708] = result % 256
            metadata |= {
                "CnnOutputTensor": [result / 10, -1.0] if self.person is None else self._aimed(number),
                "CnnOutputTensorInfo": bytes(info), "CnnKpiInfo": (860, 240),
            }  # fmt: skip
        return metadata

    def _aimed(self, number):
        x, y, width = self.person(number) if callable(self.person) else self.person
        left, top, across, down = IMX500.roi_of_frame(number, self.delay)
        dx, dy = (x - left - across / 2) / across, (y - top - down / 2) / across
        scale = np.log(width / across)
        seen = abs(dx) < 0.45 and abs(dy) < 0.2 and -1.9 < scale < 0.7
        return [5.0, float(number), dx, dy, scale, 0.0, 6.0 if seen else -6.0]

    def _run(self):
        for number in range(self.frames_until_silence):
            while self.pre_callback is None and self._running.is_set():
                time.sleep(0.002)
            take = self.pre_callback
            if take is None or not self._running.is_set():
                return
            IMX500.now = number
            take(Request(self._metadata(number), number))
            time.sleep(0.002)


def install(monkeypatch):
    """Put it where `import picamera2` finds it; returns the camera's class for settings."""
    IMX500.history, IMX500.now = (), -1000
    camera = type("Picamera2", (Picamera2,), {})
    names = {
        "picamera2": {"Picamera2": camera},
        "picamera2.devices": {"IMX500": IMX500},
        "picamera2.devices.imx500": {"NetworkIntrinsics": NetworkIntrinsics},
    }
    for name, content in names.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return camera
