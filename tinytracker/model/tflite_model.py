"""The content of a .tflite file as plain frozen values: `TfliteModel`, its tensors and its operators.

Types only: `tflite_file.read_tflite` creates them from a file. Neither TensorFlow nor the schema package is imported.
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
"""Bytes per element of the dtypes with a numpy equivalent (strings, resources and int4 have none)."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of the graph.

    Attributes:
        index: position in `TfliteModel.tensors`; operators refer to it.
        name: as set by the converter; unique in practice, but this is not relied upon.
        shape: static shape; a batch dimension of -1 is read as 1.
        shape_signature: shape as exported, -1 where a dimension is dynamic; equal to `shape` when none is.
        dtype: numpy name of the element type ("int8"), or "string", "int4", ... where numpy has none.
        scales: quantization scales: none (not quantized), one, or one per channel. real = scale·(q - zero_point).
        zero_points: as many as scales.
        quantized_dimension: axis of the channels when there are several scales.
        data: constant contents with this shape and dtype, or None for a tensor computed at run time.
        is_variable: holds state between runs (recurrent networks).
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
        """Size of the contents in bytes; 0 for dtypes without a fixed size."""
        return self.elements * ITEM_BYTES.get(self.dtype, 0)

    @property
    def is_constant(self) -> bool:
        """True when the file holds the contents."""
        return self.data is not None

    @property
    def is_dynamic(self) -> bool:
        """True when a dimension other than the batch is known only at run time."""
        return any(n < 0 for n in self.shape_signature[1:])

    @property
    def scale(self) -> float:
        """The only scale. Raises `ModelError` when the tensor has none or several."""
        return self._only(self.scales, "scale")

    @property
    def zero_point(self) -> int:
        """The only zero point. Raises `ModelError` when the tensor has none or several."""
        return int(self._only(self.zero_points, "zero point"))

    def _only(self, values: tuple[float, ...], what: str) -> float:
        if len(values) != 1:
            raise ModelError(f"{self.label} has {len(values)} {what}s, but must have exactly one.")
        return values[0]

    @property
    def label(self) -> str:
        """Its name in error messages: index, name, dtype and shape."""
        shape = "x".join(map(str, self.shape)) or "scalar"
        return f"tensor {self.index} {self.name!r} ({self.dtype} {shape})"


@dataclass(frozen=True, eq=False)
class Operator:
    """One node of the graph, in execution order.

    Attributes:
        index: position in `TfliteModel.operators`.
        name: builtin name ("CONV_2D"), or "CUSTOM:<code>".
        version: operator version that the converter wrote.
        inputs: tensor indices, -1 for an omitted optional input.
        outputs: tensor indices.
        options: builtin options by snake-case name; enumerations by name ("SAME", "RELU6"). Empty for operators
            whose options are not known here, and where the file omits them.
        custom_options: raw options of a CUSTOM operator; empty for all others.
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
        """Its name in error messages."""
        return f"operator {self.index} {self.name}"

    def option(self, name: str) -> Option:
        """Return the option with this name. Raises `ModelError` when the file omits it."""
        if name not in self.options:
            raise ModelError(
                f"{self.label} has no option {name!r}.", "The file may be damaged; export it again."
            )
        return self.options[name]

    def int_option(self, name: str) -> int:
        """Return an integer option. Raises `ModelError` when it is missing or of another type."""
        value = self.option(name)
        if not isinstance(value, int):
            raise ModelError(f"{self.label}: option {name!r} is {value!r}, not an integer.")
        return value

    def str_option(self, name: str) -> str:
        """Return the name of an enumeration option. Raises `ModelError` when it is missing or of another type."""
        value = self.option(name)
        if not isinstance(value, str):
            raise ModelError(f"{self.label}: option {name!r} is {value!r}, not a name.")
        return value


@dataclass(frozen=True, eq=False)
class TfliteModel:
    """A .tflite file with one graph.

    Attributes:
        source: path, or a description of the origin, for messages.
        sha256: of the file's bytes, hexadecimal.
        file_bytes: length of the file.
        description: free text that the converter wrote.
        tensors: all tensors. operators: in execution order.
        inputs: tensor indices of the graph's inputs. outputs: tensor indices of its outputs.
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
        """Return the tensors of `inputs`."""
        return tuple(self.tensors[i] for i in self.inputs)

    def output_tensors(self) -> tuple[Tensor, ...]:
        """Return the tensors of `outputs`."""
        return tuple(self.tensors[i] for i in self.outputs)
