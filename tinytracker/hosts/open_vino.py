"""OpenVINO: a PC's processor, graphics or NPU."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tinytracker.errors import ModelError, UnknownNameError, UsageError
from tinytracker.hosts.onnx_writer import to_onnx
from tinytracker.hosts.reasons import reason_of
from tinytracker.interpreters.base import Array
from tinytracker.interpreters.phased import PhasedInterpreter
from tinytracker.requirements import require
from tinytracker.words import counted

MYRIAD = "MYRIAD"
LAST_WITH_MYRIAD = "2022.3"
"""The last release with the plugin of the Neural Compute Stick; Intel calls it 2022.3 LTS."""


class OpenVino(PhasedInterpreter):
    """OpenVINO with the network as QDQ, which it turns into its own 8-bit operators.

    Args:
        model: content of the .tflite file, which is converted.
        threads: of one inference; only for the device CPU.
        device: CPU, GPU or NPU, as OpenVINO calls them.

    Attributes:
        name: see `PhasedInterpreter`.

    Raises:
        MissingDependencyError: openvino is not installed.
        UsageError: the device is the Neural Compute Stick, which this release no longer has.
        UnknownNameError: this computer has no such device.
        ModelError: the network cannot be written as ONNX, or OpenVINO refuses it.
    """

    def __init__(self, model: bytes, threads: int = 1, device: str = "CPU") -> None:
        library = openvino()
        core = library.Core()
        found = list(core.available_devices)
        if device not in found:
            if device == MYRIAD:
                raise UsageError(
                    f"OpenVINO {version(library)} has no plugin for the Neural Compute Stick.",
                    f"Its last release is {LAST_WITH_MYRIAD}: `pip install openvino=={LAST_WITH_MYRIAD}.*` in an "
                    "environment of its own (Python 3.7 to 3.10), which reads the file of `tinytracker export`.",
                )
            raise UnknownNameError("device of OpenVINO", device, found, "A GPU or NPU also needs its driver.")
        self.name = f"OpenVINO {version(library)} ({device}, {counted(threads, 'thread')})"
        options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if device == "CPU":
            # Without the hint, processors with AMX or bfloat16 compute what is not 8-bit with fewer digits.
            options |= {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        try:
            network = core.compile_model(core.read_model(to_onnx(model)), device, options)
        except RuntimeError as error:
            raise ModelError(
                f"{self.name} refuses this network: {reason_of(error)}.", "Use the runtime tflite."
            ) from error
        self._request = network.create_infer_request()
        self._tensors = [self._request.get_input_tensor(k) for k in range(len(network.inputs))]
        self._count = len(network.outputs)

    def load(self, inputs: Sequence[Array]) -> None:
        """See `PhasedInterpreter.load`."""
        for tensor, array in zip(self._tensors, inputs, strict=True):
            tensor.data[:] = array

    def infer(self) -> None:
        """See `PhasedInterpreter.infer`."""
        try:
            self._request.infer()
        except RuntimeError as error:
            raise ModelError(f"{self.name} fails on this network: {reason_of(error)}.") from error

    def retrieve(self) -> tuple[Array, ...]:
        """See `PhasedInterpreter.retrieve`."""
        return tuple(np.array(self._request.get_output_tensor(k).data) for k in range(self._count))


def openvino() -> Any:
    """Return the module `openvino`.

    Raises:
        MissingDependencyError: it is not installed.
    """
    require("openvino", "OpenVINO", "the runtime openvino", "hosts")
    return import_module("openvino")


def version(library: Any) -> str:
    """Return the release without the build, such as "2025.4.1"."""
    return str(library.__version__).partition("-")[0]
