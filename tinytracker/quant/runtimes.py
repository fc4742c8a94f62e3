"""The reference kernels behind a model's contract, from camera codes to raw outputs; used to measure errors.

`tinytracker.interpreters` runs the model; `quant.contract` converts codes to its inputs and its first output to gaze.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from tinytracker.interpreters.base import Step, ignore, run_in_parts
from tinytracker.interpreters.tflite import ReferenceInterpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import Codes, IoContract


class ReferenceRuntime:
    """TensorFlow Lite's reference kernels with codes as input.

    Args:
        model: the .tflite file's content.
        inner: index of an inner tensor that `run_with_inner` returns in addition to the output; this keeps all tensors,
            which costs memory.

    Attributes:
        contract: the model's inputs and outputs.

    Raises:
        MissingDependencyError: TensorFlow is not installed.
        ModelError: TensorFlow Lite refuses the model, or its inputs are not codes.
    """

    def __init__(self, model: bytes, inner: int | None = None) -> None:
        self.contract = IoContract.of(read_tflite(model))
        self._interpreter = ReferenceInterpreter(model, () if inner is None else (inner,))

    def run(self, codes: Codes, advance: Step = ignore) -> NDArray[Any]:
        """Return raw values of the first output for each frame, (N, outputs), in the model's output dtype."""
        return _flat(run_in_parts(self._interpreter, self.contract.encode_all(codes), advance)[0])

    def run_with_inner(self, codes: Codes, advance: Step = ignore) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return raw values of the first output (N, outputs) and of the inner tensor (N, elements)."""
        values = run_in_parts(self._interpreter, self.contract.encode_all(codes), advance)
        return _flat(values[0]), _flat(values[-1])


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(len(values), -1)
