"""Runs a whole network by the rules of the specification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import ModelError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel
from tinytracker.quant.specification.call import Call
from tinytracker.quant.specification.registry import RULES, SPECIFIED_OPERATORS

_CONTRADICTIONS = (ValueError, IndexError, KeyError, TypeError, OverflowError)


class SpecificationInterpreter:
    """A network computed operator by operator in numpy.

    Args:
        model: content of a .tflite file, or the model already read.

    Raises:
        ModelError: an operator has no rule; names it.
    """

    name = "specification"

    def __init__(self, model: bytes | TfliteModel) -> None:
        self._model = model if isinstance(model, TfliteModel) else read_tflite(model)
        for operator in self._model.operators:
            if operator.name not in RULES:
                raise ModelError(
                    f"{self._model.source}: the specification has no rule for {operator.label}.",
                    f"It covers {', '.join(SPECIFIED_OPERATORS)}.",
                )

    def run(self, inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """Outputs for each frame.

        Variable tensors keep their contents from frame to frame; each call begins with their initial ones.

        Args:
            inputs: one array per input in the order of the file, (frames, *shape of the tensor).

        Returns:
            One array per output, (frames, *shape of the tensor), in the tensor's dtype.

        Raises:
            ModelError: an operator contradicts its tensors.
        """
        state = {t.index: _reset(t) for t in self._model.tensors if t.is_variable}
        rows = [self._frame([array[i] for array in inputs], state) for i in range(len(inputs[0]))]
        return tuple(np.stack([row[k] for row in rows]) for k in range(len(self._model.outputs)))

    def _frame(self, inputs: Sequence[NDArray[Any]], state: dict[int, NDArray[Any]]) -> list[NDArray[Any]]:
        values = dict(state)
        values |= {t.index: np.asarray(t.data) for t in self._model.tensors if t.data is not None}
        for tensor, value in zip(self._model.input_tensors(), inputs, strict=True):
            values[tensor.index] = np.asarray(value, tensor.dtype).reshape(tensor.shape)
        for operator in self._model.operators:
            values |= self._outputs(operator, values)
        return [values[index] for index in self._model.outputs]

    def _outputs(self, operator: Operator, values: dict[int, NDArray[Any]]) -> dict[int, NDArray[Any]]:
        tensors = self._model.tensors
        call = Call(
            operator,
            tuple(tensors[i] if i >= 0 else None for i in operator.inputs),
            tuple(tensors[i] for i in operator.outputs),
            tuple(values.get(i) for i in operator.inputs),
            tensors,
        )
        try:
            result = RULES[operator.name](call)
            results = result if isinstance(result, tuple) else (result,)
            return {
                tensor.index: np.asarray(value, tensor.dtype).reshape(tensor.shape)
                for tensor, value in zip(call.targets, results, strict=True)
            }
        except _CONTRADICTIONS as error:
            raise ModelError(f"{operator.label} contradicts its tensors: {error}.") from error


def _reset(tensor: Tensor) -> NDArray[Any]:
    """A variable tensor before the first run: everything stands for 0."""
    return np.full(tensor.shape, tensor.zero_points[0] if tensor.zero_points else 0, tensor.dtype)
