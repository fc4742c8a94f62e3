"""TensorFlow Lite as a computer uses it: optimized kernels, XNNPACK, threads, and the Edge TPU's delegate.

The interpreter comes from TensorFlow, or from one of the two small packages that have only the interpreter
(`ai-edge-litert`, `tflite-runtime`), for a Raspberry Pi.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from tinytracker.capture import captured_output
from tinytracker.errors import MissingDependencyError, ModelError, UsageError
from tinytracker.interpreters.base import Array
from tinytracker.interpreters.phased import PhasedInterpreter
from tinytracker.interpreters.refusals import explain_refusal, refuse_fatal
from tinytracker.model.tflite_file import read_tflite
from tinytracker.requirements import require_tensorflow
from tinytracker.words import counted

EDGE_TPU_LIBRARY = "libedgetpu.so.1"
EDGE_TPU_OPERATOR = "CUSTOM:edgetpu-custom-op"
INSTALL_EDGE_TPU = "apt-get install libedgetpu1-std (from Coral's package repository, coral.ai/software)"

_REFUSALS = (RuntimeError, ValueError, TypeError)
_KERNELS = {True: "AUTO", False: "BUILTIN_WITHOUT_DEFAULT_DELEGATES"}

_LIBRARIES = (
    ("tensorflow", "tensorflow", "tensorflow.lite.python.interpreter"),
    ("ai_edge_litert", "ai-edge-litert", "ai_edge_litert.interpreter"),
    ("tflite_runtime", "tflite-runtime", "tflite_runtime.interpreter"),
)
"""Top-level module, distribution, and module that defines `Interpreter`, in the order of preference."""


@dataclass(frozen=True)
class TfliteLibrary:
    """A package that has TensorFlow Lite's interpreter. label: its name and version."""

    label: str
    module: ModuleType


def tflite_library() -> TfliteLibrary:
    """Return the first installed package with the interpreter.

    Raises:
        MissingDependencyError: none is installed.
    """
    for top, distribution, module in _LIBRARIES:
        if find_spec(top) is not None:
            if top == "tensorflow":
                require_tensorflow("running a model with TensorFlow Lite")
            return TfliteLibrary(f"{distribution} {metadata.version(distribution)}", import_module(module))
    raise MissingDependencyError(
        "TensorFlow Lite", "running a .tflite file on this computer", "pip install ai-edge-litert"
    )


class HostTflite(PhasedInterpreter):
    """TensorFlow Lite with its optimized kernels.

    Args:
        model: content of the .tflite file.
        threads: of its thread pool.
        xnnpack: whether the XNNPACK delegate may take operators; without it, TensorFlow Lite's own kernels run.
        edge_tpu: hand the compiled operator to a Coral Edge TPU on USB or PCIe.

    Attributes:
        name: see `PhasedInterpreter`.

    Raises:
        MissingDependencyError: the interpreter or the Edge TPU's library is not installed.
        InputFileError: the file is damaged.
        UsageError: the file is not compiled for the Edge TPU, or it is and this is not one.
        ModelError: TensorFlow Lite refuses the model, or no Edge TPU is connected.
    """

    def __init__(self, model: bytes, threads: int = 1, xnnpack: bool = True, edge_tpu: bool = False) -> None:
        self._model = read_tflite(model)
        _require_matching_file([o.name for o in self._model.operators], edge_tpu)
        refuse_fatal(self._model)
        library = tflite_library()
        delegates = [_edge_tpu(library)] if edge_tpu else []
        kernels = "Edge TPU" if edge_tpu else "XNNPACK" if xnnpack else "without XNNPACK"
        self.name = f"TFLite, {library.label} ({kernels}, {counted(threads, 'thread')})"
        options: dict[str, Any] = {"experimental_delegates": delegates} if delegates else {}
        try:
            with captured_output():  # it announces its delegate
                self._interpreter = library.module.Interpreter(
                    model_content=model,
                    experimental_op_resolver_type=library.module.OpResolverType[_KERNELS[xnnpack]],
                    num_threads=threads,
                    **options,
                )
                self._interpreter.allocate_tensors()
        except _REFUSALS as error:
            raise self._refusal(error) from error
        self._inputs = [detail["index"] for detail in self._interpreter.get_input_details()]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def load(self, inputs: Sequence[Array]) -> None:
        """See `PhasedInterpreter.load`."""
        try:
            for index, values in zip(self._inputs, inputs, strict=True):
                self._interpreter.set_tensor(index, values)
        except _REFUSALS as error:
            raise self._refusal(error) from error

    def infer(self) -> None:
        """See `PhasedInterpreter.infer`."""
        try:
            self._interpreter.invoke()
        except _REFUSALS as error:
            raise self._refusal(error) from error

    def retrieve(self) -> tuple[Array, ...]:
        """See `PhasedInterpreter.retrieve`."""
        return tuple(np.array(self._interpreter.get_tensor(index)) for index in self._outputs)

    def reset(self) -> None:
        """See `PhasedInterpreter.reset`."""
        self._interpreter.reset_all_variables()

    def _refusal(self, error: Exception) -> ModelError:
        reason, hint = explain_refusal(self._model, str(error))
        return ModelError(f"{self.name} refuses this model: {reason}", hint)


def _require_matching_file(operators: Sequence[str], edge_tpu: bool) -> None:
    compiled = EDGE_TPU_OPERATOR in operators
    if edge_tpu and not compiled:
        raise UsageError(
            "The network is not compiled for the Edge TPU: it has no operator edgetpu-custom-op.",
            "Compile it: edgetpu_compiler model.tflite; then give model_edgetpu.tflite.",
        )
    if compiled and not edge_tpu:
        raise UsageError(
            "The network is compiled for the Edge TPU, which this runtime is not.",
            "Give the uncompiled file, or --runtime edgetpu.",
        )


def _edge_tpu(library: TfliteLibrary) -> Any:
    """The delegate of Coral's library.

    Raises:
        MissingDependencyError: the library is not there.
        ModelError: it is, and finds no Edge TPU.
    """
    import ctypes

    try:
        ctypes.CDLL(EDGE_TPU_LIBRARY)
    except OSError as error:
        raise MissingDependencyError(EDGE_TPU_LIBRARY, "the runtime edgetpu", INSTALL_EDGE_TPU) from error
    try:
        return library.module.load_delegate(EDGE_TPU_LIBRARY)
    except ValueError as error:
        raise ModelError(
            f"{EDGE_TPU_LIBRARY} finds no Edge TPU.",
            "Connect the Coral USB Accelerator, wait for its LED, and check that `lsusb` lists 1a6e:089a or 18d1:9302.",
        ) from error
