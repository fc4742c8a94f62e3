"""An ONNX graph under construction, and its bytes.

Numbers of fields and types: onnx.proto of ONNX 1.18. Operator set 13 is the first whose DequantizeLinear takes a scale
per channel, and old enough for every runtime that is named in docs/platforms.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinytracker.hosts import protobuf as pb

OPERATOR_SET = 13
_IR_VERSION = 7
"""Of files with operator set 13."""

_ELEMENTS = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7}
_FLOAT, _INT, _STRING, _INTS = 1, 2, 3, 7

Attribute: TypeAlias = "int | float | str | Sequence[int]"


@dataclass
class OnnxGraph:
    """Nodes and constants in the order in which they are added.

    Attributes:
        name: of the graph.
        metadata: properties of the file, by name.
    """

    name: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    _nodes: list[bytes] = field(default_factory=list)
    _constants: dict[str, bytes] = field(default_factory=dict)
    _inputs: list[bytes] = field(default_factory=list)
    _outputs: list[bytes] = field(default_factory=list)
    _names: int = 0

    def input(self, name: str, dtype: str, shape: Sequence[int]) -> str:
        """Declare an input of the graph and return its name."""
        self._inputs.append(_value(name, dtype, shape))
        return name

    def output(self, name: str, dtype: str, shape: Sequence[int]) -> None:
        """Declare an output of the graph."""
        self._outputs.append(_value(name, dtype, shape))

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add a constant and return its name; a second one of the same name is the first."""
        if name not in self._constants:
            array = np.ascontiguousarray(values)
            dims = b"".join(pb.integer(1, n) for n in np.shape(values))
            self._constants[name] = (
                dims
                + pb.integer(2, _ELEMENTS[str(array.dtype)])
                + pb.text(8, name)
                + pb.message(9, array.astype(array.dtype.newbyteorder("<")).tobytes())
            )
        return name

    def node(
        self, operator: str, inputs: Sequence[str], output: str | None = None, **attributes: Attribute
    ) -> str:
        """Add a node and return the name of its only output.

        Args:
            operator: ONNX name.
            inputs: names.
            output: name; None for a new one.
            attributes: integers, floats, texts or lists of integers by name.
        """
        if output is None:
            self._names += 1
            output = f"v{self._names}"
        self._nodes.append(
            b"".join(pb.text(1, name) for name in inputs)
            + pb.text(2, output)
            + pb.text(3, f"n{len(self._nodes)}")
            + pb.text(4, operator)
            + b"".join(pb.message(5, _attribute(name, value)) for name, value in sorted(attributes.items()))
        )
        return output

    def encode(self, producer_version: str) -> bytes:
        """Return the file's bytes."""
        graph = (
            b"".join(pb.message(1, node) for node in self._nodes)
            + pb.text(2, self.name)
            + b"".join(pb.message(5, tensor) for tensor in self._constants.values())
            + b"".join(pb.message(11, value) for value in self._inputs)
            + b"".join(pb.message(12, value) for value in self._outputs)
        )
        return (
            pb.integer(1, _IR_VERSION)
            + pb.text(2, "tinytracker")
            + pb.text(3, producer_version)
            + pb.message(7, graph)
            + pb.message(8, pb.text(1, "") + pb.integer(2, OPERATOR_SET))
            + b"".join(
                pb.message(14, pb.text(1, key) + pb.text(2, value))
                for key, value in sorted(self.metadata.items())
            )
        )


def _value(name: str, dtype: str, shape: Sequence[int]) -> bytes:
    dims = b"".join(pb.message(1, pb.integer(1, n)) for n in shape)
    tensor = pb.integer(1, _ELEMENTS[dtype]) + pb.message(2, dims)
    return pb.text(1, name) + pb.message(2, pb.message(1, tensor))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, float):
        return pb.text(1, name) + pb.real(2, value) + pb.integer(20, _FLOAT)
    if isinstance(value, int):
        return pb.text(1, name) + pb.integer(3, value) + pb.integer(20, _INT)
    if isinstance(value, str):
        return pb.text(1, name) + pb.text(4, value) + pb.integer(20, _STRING)
    return pb.text(1, name) + b"".join(pb.integer(8, n) for n in value) + pb.integer(20, _INTS)
