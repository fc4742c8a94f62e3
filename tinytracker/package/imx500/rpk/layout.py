"""The content of a network package as plain data; every other module here reads or writes one part of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

ColorOrder = Literal["RGB", "BGR"]
"""Order in which the sensor fills the channels of the input tensor. The format also has Y and BayerRGB, but no public
package uses them, so their register values would be a guess."""

COLOR_ORDERS = cast(tuple[ColorOrder, ...], get_args(ColorOrder))

LINE_BYTES = 2560
"""Payload of one line on the sensor's tensor channel."""


@dataclass(frozen=True)
class Dimension:
    """One axis of a tensor.

    Attributes:
        ordinal: position of the axis in the network's own order.
        size: number of elements.
        serialization: 0 for the axis that varies fastest in the sensor's output.
        padding: elements added after each row.
    """

    ordinal: int
    size: int
    serialization: int
    padding: int = 0


@dataclass(frozen=True)
class Tensor:
    """An input or output tensor; its value is `(q - shift) * scale`.

    Attributes:
        ordinal: position among the inputs, or among the outputs.
        name: at most the last 20 characters of the converter's name.
        dimensions: the axes.
        bits: 8, 16 or 32 per element.
        shift: zero point.
        scale: one step, exactly representable as float32.
        unsigned: True when elements are unsigned.
        l2_offset: address in the sensor's memory, in bytes.
        persistency: 1 when the input must survive the inference (inputs only; 0 for outputs).
    """

    ordinal: int
    name: str
    dimensions: tuple[Dimension, ...]
    bits: int
    shift: int
    scale: float
    unsigned: bool
    l2_offset: int
    persistency: int = 0

    @property
    def elements(self) -> int:
        """Return the number of elements."""
        return math.prod(d.size for d in self.dimensions)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the sizes, slowest axis first: an image is (channels, height, width) on the sensor."""
        return tuple(d.size for d in sorted(self.dimensions, key=lambda d: -d.serialization))


@dataclass(frozen=True)
class RpkNetwork:
    """The tensors of one network. The sensor fills only the first input."""

    ordinal: int
    name: str
    type: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True)
class Memory:
    """Use of the sensor's L2 memory, in bytes."""

    total: int
    coefficients: int
    reserved: int
    runtime: int


@dataclass(frozen=True)
class Part:
    """One binary part made by the converter: its load address and its bytes, padded to a multiple of 16."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Firmware:
    """The converter's parts, in the order of the file; their content is opaque and copied verbatim."""

    config_a: Part
    config_c: Part
    program_a: Part
    program_c: Part
    coefficients: Part


@dataclass(frozen=True)
class Register:
    """One register write: 16-bit address, width in bytes, value."""

    address: int
    width: int
    value: int


@dataclass(frozen=True)
class Rpk:
    """A whole network package.

    Attributes:
        converter_version: six digits, two each for major, minor and patch.
        network_id: six digits.
        model_version: four digits, two each for major and minor; no reader uses them.
        networks: networks in the order of the package; `parse` returns tensors by ordinal.
        memory: memory of all networks together.
        firmware: the binary parts.
        registers: register writes in the driver's order.
        network_info: keys and values of `network_info.txt`, in order.
        intrinsics: the JSON object of `network_intrinsics`, or None when the package has none.
        extra_files: further archive members that no reader uses, as (name, bytes).
    """

    converter_version: str
    network_id: str
    model_version: str
    networks: tuple[RpkNetwork, ...]
    memory: Memory
    firmware: Firmware
    registers: tuple[Register, ...]
    network_info: Mapping[str, str]
    intrinsics: dict[str, Any] | None = None
    extra_files: tuple[tuple[str, bytes], ...] = ()

    @property
    def network(self) -> RpkNetwork:
        """Return the first network, the only one that the sensor's clients use."""
        return self.networks[0]
