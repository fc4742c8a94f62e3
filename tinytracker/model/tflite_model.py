"""What a .tflite file holds, as plain frozen values: `TfliteModel`, its tensors and its operators.

Types alone: `tflite_file.read_tflite` makes them from a file. Neither TensorFlow nor the schema package is imported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import ModelError

Option: TypeAlias = "int | float | bool | str | tuple[int, ...]"

ITEM_BYTES = {
    "float32": 4, "float16": 2, "float64": 8, "bool": 1, "complex64": 8, "complex128": 16,
    "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "uint64": 8,
}  # fmt: skip
"""Bytes per element of the dtypes that have a numpy equivalent (strings, resources and int4 have none)."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of the graph.

    Attributes:
        index: position in `TfliteModel.tensors`; operators refer to it.
        name: as the converter called it; unique in practice, never relied upon.
        shape: static shape; a batch dimension of -1 is read as 1.
        shape_signature: shape as exported, -1 where a dimension is dynamic; equal to `shape` when nothing is.
        dtype: numpy name of the element type ("int8"), or "string", "int4", ... where numpy has none.
        scales: quantisation scales, empty (not quantised), one, or one per channel. real = scale·(q -
            zero_point).
        zero_points: as many as scales.
        quantized_dimension: axis of the channels when there are several scales.
        data: constant contents with this shape and dtype, or None for a tensor computed at run time.
        is_variable: state kept between runs (recurrent nets).
    """

    index: int
    name: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    quantized_dimension: int
    data: NDArray[np.generic] | None
    is_variable: bool = False

    @property
    def elements(self) -> int:
        """Number of elements; 1 for a scalar."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the contents; 0 for dtypes without a fixed size."""
        return self.elements * ITEM_BYTES.get(self.dtype, 0)

    @property
    def is_constant(self) -> bool:
        """True when the file holds the contents."""
        return self.data is not None

    @property
    def is_dynamic(self) -> bool:
        """True when a dimension other than the batch is only known at run time."""
        return any(n < 0 for n in self.shape_signature[1:])

    @property
    def scale(self) -> float:
        """The one scale. Raises `ModelError` when the tensor has none or several."""
        return self._only(self.scales, "scale")

    @property
    def zero_point(self) -> int:
        """The one zero point. Raises `ModelError` when the tensor has none or several."""
        return int(self._only(self.zero_points, "zero point"))

    def _only(self, values: tuple[float, ...], what: str) -> float:
        if len(values) != 1:
            raise ModelError(f"{self.label} has {len(values)} {what}s where exactly one is needed.")
        return values[0]

    @property
    def label(self) -> str:
        """How error messages name it: index, name, dtype and shape."""
        shape = "x".join(map(str, self.shape)) or "scalar"
        return f"tensor {self.index} {self.name!r} ({self.dtype} {shape})"


@dataclass(frozen=True, eq=False)
class Operator:
    """One node of the graph, in execution order.

    Attributes:
        index: position in `TfliteModel.operators`.
        name: builtin name ("CONV_2D"), or "CUSTOM:<code>".
        version: operator version that the converter wrote.
        inputs: tensor indices, -1 for an optional input that is left out.
        outputs: tensor indices.
        options: builtin options by snake-case name; enumerations by their name ("SAME", "RELU6"). Only
            operators whose options are known here have any; a file may leave options out, then this is empty.
        custom_options: what a CUSTOM operator carries, as its maker wrote it; empty for all others.
    """

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Option]
    custom_options: bytes = b""

    @property
    def label(self) -> str:
        """How error messages name it."""
        return f"operator {self.index} {self.name}"

    def option(self, name: str) -> Option:
        """The option of this name. Raises `ModelError` when the file leaves it out."""
        if name not in self.options:
            raise ModelError(
                f"{self.label} has no option {name!r}.", "The file may be damaged; export it again."
            )
        return self.options[name]

    def int_option(self, name: str) -> int:
        """An integer option. Raises `ModelError` when missing or of another kind."""
        value = self.option(name)
        if not isinstance(value, int):
            raise ModelError(f"{self.label}: option {name!r} is {value!r}, not an integer.")
        return value

    def str_option(self, name: str) -> str:
        """An enumeration option by its name. Raises `ModelError` when missing or of another kind."""
        value = self.option(name)
        if not isinstance(value, str):
            raise ModelError(f"{self.label}: option {name!r} is {value!r}, not a name.")
        return value


@dataclass(frozen=True, eq=False)
class TfliteModel:
    """A .tflite file with one graph.

    Attributes:
        source: path or description of where it came from, for messages.
        sha256: of the file's bytes, hexadecimal.
        file_bytes: length of the file.
        description: free text that the converter wrote.
        tensors: all tensors. operators: in execution order.
        inputs: tensor indices of the graph's inputs. outputs: of its outputs.
    """

    source: str
    sha256: str
    file_bytes: int
    description: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def input_tensors(self) -> tuple[Tensor, ...]:
        """The tensors behind `inputs`."""
        return tuple(self.tensors[i] for i in self.inputs)

    def output_tensors(self) -> tuple[Tensor, ...]:
        """The tensors behind `outputs`."""
        return tuple(self.tensors[i] for i in self.outputs)
