"""Nodes on values: pairs without quantization, SUB, PRELU, CAST, SQRT, and the position of an extreme."""

from __future__ import annotations

from dataclasses import dataclass

from tinytracker.codegen.graph import Node


@dataclass(frozen=True, eq=False)
class Pairwise(Node):
    """Two tensors of one type that broadcast, combined without any quantization.

    Attributes:
        function: maximum, minimum (any type), add, subtract, multiply, divide (int32, float32), floor_divide (int32).
    """

    function: str


@dataclass(frozen=True, eq=False)
class QuantizedPair(Node):
    """SUB or PRELU on int8.

    Attributes:
        function: subtract or prelu.
        offsets: minus the zero points of the two inputs.
        multipliers, shifts: SUB: of input 0, input 1 and the output. PRELU: unused, of the product with the slope,
            and of values from the zero point up.
        zero_point: zero point of the output. act_min, act_max: limits of the output.
    """

    function: str
    offsets: tuple[int, int]
    multipliers: tuple[int, int, int]
    shifts: tuple[int, int, int]
    zero_point: int
    act_min: int
    act_max: int


@dataclass(frozen=True, eq=False)
class Cast(Node):
    """CAST: the stored number as another type; scales and zero points do not matter."""


@dataclass(frozen=True, eq=False)
class ArgExtreme(Node):
    """ARG_MAX or ARG_MIN: first position of the extreme of `size` values, `outer` times `inner` times."""

    is_max: bool
    outer: int
    size: int
    inner: int


@dataclass(frozen=True, eq=False)
class SquareRoot(Node):
    """SQRT of float32."""
