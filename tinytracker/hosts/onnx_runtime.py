"""ONNX Runtime: its processor's kernels, or CUDA and TensorRT where they are built in (a Jetson)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tinytracker.errors import ModelError, UnknownNameError
from tinytracker.hosts.onnx_writer import to_onnx
from tinytracker.hosts.reasons import reason_of
from tinytracker.interpreters.base import Array
from tinytracker.interpreters.phased import PhasedInterpreter
from tinytracker.requirements import require
from tinytracker.words import counted

PROVIDERS = {
    "CPU": ("CPUExecutionProvider",),
    "CUDA": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "TENSORRT": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
}
"""Execution providers by the device's name, in the order in which they are asked for each operator."""

_ERRORS_ONLY = 3


class OnnxRuntime(PhasedInterpreter):
    """ONNX Runtime with the network as QDQ.

    Args:
        model: content of the .tflite file, which is converted.
        threads: of one inference.
        device: key of `PROVIDERS`.

    Attributes:
        name: see `PhasedInterpreter`.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
        UnknownNameError: no such device, or this build of ONNX Runtime does not have it.
        ModelError: the network cannot be written as ONNX, or ONNX Runtime refuses it.
    """

    def __init__(self, model: bytes, threads: int = 1, device: str = "CPU") -> None:
        require("onnxruntime", "ONNX Runtime", "the runtime onnx", "hosts")
        library: Any = import_module("onnxruntime")
        built = set(library.get_available_providers())
        known = [name for name, providers in PROVIDERS.items() if providers[0] in built]
        if device not in known:
            raise UnknownNameError(
                "device of ONNX Runtime", device, known,
                "CUDA and TENSORRT need a build with them: on a Jetson, NVIDIA's onnxruntime-gpu.",
            )  # fmt: skip
        self.name = f"ONNX Runtime {library.__version__} ({device}, {counted(threads, 'thread')})"
        options = library.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        self._errors = _errors()
        try:
            self._session = library.InferenceSession(to_onnx(model), options, providers=PROVIDERS[device])
        except self._errors as error:
            raise ModelError(
                f"{self.name} refuses this network: {reason_of(error)}.", "Use the runtime tflite."
            ) from error
        self._names = [node.name for node in self._session.get_inputs()]
        self._feed: dict[str, Array] = {}
        self._found: list[Array] = []

    def load(self, inputs: Sequence[Array]) -> None:
        """See `PhasedInterpreter.load`."""
        self._feed = {
            name: np.ascontiguousarray(array) for name, array in zip(self._names, inputs, strict=True)
        }

    def infer(self) -> None:
        """See `PhasedInterpreter.infer`."""
        try:
            self._found = self._session.run(None, self._feed)
        except self._errors as error:
            raise ModelError(f"{self.name} fails on this network: {reason_of(error)}.") from error

    def retrieve(self) -> tuple[Array, ...]:
        """See `PhasedInterpreter.retrieve`."""
        return tuple(np.array(array) for array in self._found)


def _errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: a class for each of its status codes, which have only Exception in common."""
    state = import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError)
