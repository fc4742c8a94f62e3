"""Open a network package with picamera2's own code and say what came out. Runs in picamera2's environment.

The camera's native library and its pixel formats are not on PyPI; they are replaced by modules that answer anything,
because nothing of them takes part in reading a package. usage: picamera2_client.py PACKAGE ELEMENTS...
"""

import ctypes
import json
import sys
import types
from unittest.mock import MagicMock


class Anything(types.ModuleType):
    """A module with every name."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = MagicMock(name=name)
        setattr(self, name, value)
        return value


for module in ("libcamera", "libcamera.controls", "libcamera.utils", "pykms", "kms"):
    sys.modules[module] = Anything(module)

from picamera2.devices.imx500 import imx500 as client  # noqa: E402


def open_package(path: str) -> client.IMX500:
    """An IMX500 without a camera: what its constructor does after it has found one."""
    camera = client.IMX500.__new__(client.IMX500)
    camera.device_fd = None
    camera._IMX500__cfg = {"network_file": path, "input_tensor": {}}
    camera._IMX500__ni_from_network(path)
    return camera


def frame_metadata(values: list[float]) -> dict:
    """Metadata of one frame as libcamera delivers it, with one output tensor."""
    info = client.CnnOutputTensorInfoExported()
    info.network_name, info.num_tensors = b"gaze", 1
    info.info[0].tensor_data_num, info.info[0].num_dimensions = len(values), 1
    info.info[0].size[0] = len(values)
    assert ctypes.sizeof(info) == 712
    return {
        "CnnOutputTensor": values,
        "CnnOutputTensorInfo": bytes(info),
        "CnnKpiInfo": (5123, 812),
        "SensorTimestamp": 10_000_000,
        "ExposureTime": 8000,
        "FrameDuration": 33333,
    }


def main() -> None:
    """Print one JSON document."""
    path, program = sys.argv[1:3]
    camera = open_package(path)
    metadata = frame_metadata([0.5, -1.25])
    sys.path.insert(0, program)
    import gaze_imx500

    intrinsics = camera.network_intrinsics
    gaze_imx500.override_intrinsics(intrinsics, gaze_imx500.get_args(["--model", path, "--fps", "12"]))
    result = gaze_imx500.read_result(camera, metadata)
    empty = gaze_imx500.read_result(camera, {"SensorTimestamp": 5})
    document = {
        "input_size": camera.get_input_size(),
        "input_tensor": camera.config["input_tensor"],
        "network_info": camera.config["network_info"],
        "intrinsics": intrinsics.intrinsics,
        "inference_rate": intrinsics.inference_rate,
        "preserve_aspect_ratio": intrinsics.preserve_aspect_ratio,
        "outputs": [o.tolist() for o in camera.get_outputs(metadata)],
        "kpi": camera.get_kpi_info(metadata),
        "result": vars(result),
        "empty": vars(empty),
        "has_aim": gaze_imx500.has_aim(
            camera.get_outputs(frame_metadata([0.5, -1.25, 0.1, 0.0, 0.0, 0.0, 5.0]))
        ),
        "roi": gaze_imx500.choose_roi(camera, intrinsics, None),
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
