"""The subject of a rule: one operator with its tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel

PARAMETER_INPUTS: dict[str, tuple[int, ...]] = {
    "CONV_2D": (1, 2), "DEPTHWISE_CONV_2D": (1, 2), "FULLY_CONNECTED": (1, 2), "TRANSPOSE_CONV": (0, 1, 3),
    "PAD": (1,), "MEAN": (1,), "SUM": (1,), "REDUCE_MAX": (1,), "REDUCE_MIN": (1,), "RESHAPE": (1,),
    "RESIZE_BILINEAR": (1,), "RESIZE_NEAREST_NEIGHBOR": (1,), "STRIDED_SLICE": (1, 2, 3), "SLICE": (1, 2),
    "TRANSPOSE": (1,), "SPLIT": (0,), "PRELU": (1,), "EXPAND_DIMS": (1,), "TILE": (1,),
}  # fmt: skip
"""Operator -> inputs that are parameters (weights, axes, sizes), not activations."""


@dataclass(frozen=True, eq=False)
class Node:
    """An operator in its graph."""

    model: TfliteModel
    operator: Operator

    @property
    def name(self) -> str:
        """Return the builtin name."""
        return self.operator.name

    def input(self, position: int) -> Tensor | None:
        """Return the input tensor at a position; None when it is omitted."""
        inputs = self.operator.inputs
        index = inputs[position] if position < len(inputs) else -1
        return self.model.tensors[index] if index >= 0 else None

    @property
    def output(self) -> Tensor | None:
        """Return the first output tensor; None without outputs."""
        outputs = self.operator.outputs
        return self.model.tensors[outputs[0]] if outputs else None

    @property
    def parameters(self) -> list[Tensor]:
        """Return weights, biases, axes and sizes."""
        if self.name.endswith("_LSTM"):
            positions: tuple[int, ...] = tuple(range(1, 18))
        else:
            positions = PARAMETER_INPUTS.get(self.name, ())
        return [t for p in positions if (t := self.input(p)) is not None]

    @property
    def activations(self) -> list[Tensor]:
        """Return the inputs that are not parameters, and the outputs."""
        parameters = {t.index for t in self.parameters}
        indices = [i for i in self.operator.inputs if i >= 0 and i not in parameters]
        return [self.model.tensors[i] for i in (*indices, *self.operator.outputs)]

    @property
    def fused_activation(self) -> str:
        """Return the name of the fused activation; "NONE" without one."""
        return str(self.operator.options.get("fused_activation_function", "NONE"))

    def integer(self, option: str, default: int) -> int:
        """Return an integer option, or the schema's default when the file omits the options."""
        value = self.operator.options.get(option, default)
        return int(value) if isinstance(value, int) else default

    def constant(self, position: int) -> list[int] | None:
        """Return the integers of a constant parameter; None when it is omitted or not constant."""
        tensor = self.input(position)
        if tensor is None or tensor.data is None:
            return None
        return [int(v) for v in np.ravel(tensor.data)]

    def axes(self) -> list[int] | None:
        """Return the axes of a reduction, counted from the front."""
        tensor, axes = self.input(0), self.constant(1)
        if tensor is None or axes is None:
            return None
        rank = len(tensor.shape)
        return [a % rank if rank else a for a in axes]
