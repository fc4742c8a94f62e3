"""What a rule is given: the operator, the tensors around it and the values of one inference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import Operator, Tensor

Array: TypeAlias = NDArray[Any]
Int64s: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Call:
    """One operator of one inference.

    Attributes:
        operator: with its options.
        sources: input tensors in the operator's order; None where an optional one is omitted.
        targets: output tensors.
        values: contents of the sources, constants included, with the shapes of the tensors; a rule may write to
            the values of a variable tensor, which are kept for the next inference.
        tensors: all of the network, for options that name some by their index.
    """

    operator: Operator
    sources: tuple[Tensor | None, ...]
    targets: tuple[Tensor, ...]
    values: tuple[Array | None, ...]
    tensors: tuple[Tensor, ...]

    def source(self, position: int) -> Tensor:
        """Input tensor `position`. Raises `ModelError` when it is missing."""
        tensor = self.sources[position] if position < len(self.sources) else None
        if tensor is None:
            raise ModelError(f"{self.operator.label}: input {position} is missing.")
        return tensor

    def value(self, position: int) -> Array:
        """Contents of input `position`. Raises `ModelError` when it is missing."""
        value = self.values[position] if position < len(self.values) else None
        if value is None:
            raise ModelError(f"{self.operator.label}: input {position} is missing.")
        return value

    def optional(self, position: int) -> Array | None:
        """Contents of input `position`, None when it is omitted."""
        return self.values[position] if position < len(self.values) else None

    def ints(self, position: int) -> list[int]:
        """Contents of a small integer input (axes, sizes, paddings), flattened."""
        return [int(v) for v in self.value(position).reshape(-1)]

    @property
    def target(self) -> Tensor:
        """The first output tensor."""
        return self.targets[0]

    @property
    def activation(self) -> str:
        """Name of the fused activation; "NONE" when the file does not name one."""
        return str(self.operator.options.get("fused_activation_function", "NONE"))


Rule: TypeAlias = Callable[[Call], "Array | tuple[Array, ...]"]
"""Values of the outputs; a single array when there is one output. Shapes and dtypes are the targets'."""
