"""The two FlatBuffers that tell the sensor and its clients what tensors the network has.

`dnn_params` goes to the sensor's inference engine. `ap_params` is returned in the header of every tensor that the
sensor sends, so that libcamera knows shapes and scales; it has the same tables without the engine's fields. Fields
are listed by their slot:

    Dim      0 ordinal u8, 1 size u16, 2 serialization u8, 3 padding u8
    Tensor   0 ordinal u8, 1 name, 2 number of dims u8, 3 dims, then
             dnn in:   4 l2 offset u32, 5 bits u8, 6 shift u16, 7 scale f32, 8 unsigned u8, 9 persistency u8
             dnn out:  4 l2 offset u32, 5 bits u8, 6 shift u16, 7 scale f32, 8 unsigned u8
             ap in:    4 shift u16, 5 scale f32, 6 unsigned u8
             ap out:   4 bits u8, 5 shift u16, 6 scale f32, 7 unsigned u8
    RpkNetwork  0 ordinal u8, 1 name, 2 type, 3 inputs, 4 outputs
    Memory   0 total u32, 1 reserved u32, 2 runtime u32, 3 coefficients u32
    Root     0 networks, 1 memory (dnn only)

The order of the writes below is that of the vendor's own packager, so that the bytes can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tinytracker.flatbuffer import DamagedError, Table
from tinytracker.package.imx500.rpk.errors import RpkError
from tinytracker.package.imx500.rpk.layout import Dimension, Memory, RpkNetwork, Tensor

MAX_NETWORKS = 8
MAX_TENSORS = 16
MAX_DIMENSIONS = 16
"""Length of libcamera's arrays for tensors and dimensions."""


@dataclass(frozen=True)
class _Slots:
    """Slots of the fields that differ between the four kinds of tensor table; None for an absent field."""

    count: int
    shift: int
    scale: int
    unsigned: int
    l2_offset: int | None = None
    bits: int | None = None
    persistency: int | None = None


_DNN_IN = _Slots(10, shift=6, scale=7, unsigned=8, l2_offset=4, bits=5, persistency=9)
_DNN_OUT = _Slots(9, shift=6, scale=7, unsigned=8, l2_offset=4, bits=5)
_AP_IN = _Slots(7, shift=4, scale=5, unsigned=6)
_AP_OUT = _Slots(8, shift=5, scale=6, unsigned=7, bits=4)


def encode_dnn_params(networks: Sequence[RpkNetwork], memory: Memory) -> bytes:
    """Return the FlatBuffer for the inference engine."""
    return _encode(networks, memory, _DNN_IN, _DNN_OUT)


def encode_ap_params(networks: Sequence[RpkNetwork]) -> bytes:
    """Return the FlatBuffer for the clients."""
    return _encode(networks, None, _AP_IN, _AP_OUT)


def decode_dnn_params(data: bytes) -> tuple[tuple[RpkNetwork, ...], Memory]:
    """Parse the engine's FlatBuffer, with tensors by ordinal; the inverse of `encode_dnn_params`.

    Raises:
        RpkError: the bytes are not such a FlatBuffer.
    """
    with _named("dnn_params"):
        root = Table.root(data)
        memory = root.required_table(1, "memory")
        return _networks(root, _DNN_IN, _DNN_OUT), Memory(
            total=memory.u32(0), reserved=memory.u32(1), runtime=memory.u32(2), coefficients=memory.u32(3)
        )


def check_ap_params(data: bytes, networks: Sequence[RpkNetwork]) -> None:
    """Refuse clients' parameters that differ from the engine's.

    Raises:
        RpkError: the bytes are not such a FlatBuffer, or a network differs.
    """
    with _named("ap_params"):
        found = _networks(Table.root(data), _AP_IN, _AP_OUT)
    expected = tuple(
        replace(
            network,
            inputs=tuple(replace(t, l2_offset=0, bits=0, persistency=0) for t in network.inputs),
            outputs=tuple(replace(t, l2_offset=0) for t in network.outputs),
        )
        for network in networks
    )
    if found != expected:
        raise RpkError(
            "ap_params", "the tensors differ from those in dnn_params", "Package the network again."
        )


def _encode(networks: Sequence[RpkNetwork], memory: Memory | None, inputs: _Slots, outputs: _Slots) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    parts = []
    for network in networks:
        ins = _tensors(builder, network.inputs, inputs)
        outs = _tensors(builder, network.outputs, outputs)
        name, kind = builder.CreateString(network.name), builder.CreateString(network.type)
        parts.append((network, _vector(builder, ins), _vector(builder, outs), name, kind))
    tables = []
    for network, ins_at, outs_at, name, kind in parts:
        builder.StartObject(5)
        for slot, offset in ((4, outs_at), (3, ins_at), (2, kind), (1, name)):
            builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
        builder.PrependUint8Slot(0, network.ordinal, 0)
        tables.append(builder.EndObject())
    networks_at = _vector(builder, tables)
    memory_at = None if memory is None else _memory(builder, memory)
    builder.StartObject(1 if memory_at is None else 2)
    if memory_at is not None:
        builder.PrependUOffsetTRelativeSlot(1, memory_at, 0)
    builder.PrependUOffsetTRelativeSlot(0, networks_at, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def _memory(builder: Any, memory: Memory) -> int:
    builder.StartObject(4)
    for slot, value in (
        (3, memory.coefficients),
        (2, memory.runtime),
        (1, memory.reserved),
        (0, memory.total),
    ):
        builder.PrependUint32Slot(slot, value, 0)
    return int(builder.EndObject())


def _vector(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _tensors(builder: Any, tensors: Sequence[Tensor], slots: _Slots) -> list[int]:
    """Return the offsets of the tensor tables by ordinal; they are written in the converter's order."""
    written = [(tensor.ordinal, _tensor(builder, tensor, slots)) for tensor in tensors]
    return [offset for _, offset in sorted(written)]


def _tensor(builder: Any, tensor: Tensor, slots: _Slots) -> int:
    dims_at = _vector(builder, [_dimension(builder, d) for d in tensor.dimensions])
    name_at = builder.CreateString(tensor.name)
    builder.StartObject(slots.count)
    # Widest fields first, higher slots first among equals: the layout that flatc generates.
    builder.PrependFloat32Slot(slots.scale, tensor.scale, 0.0)
    if slots.l2_offset is not None:
        builder.PrependUint32Slot(slots.l2_offset, tensor.l2_offset, 0)
    builder.PrependUOffsetTRelativeSlot(3, dims_at, 0)
    builder.PrependUOffsetTRelativeSlot(1, name_at, 0)
    builder.PrependUint16Slot(slots.shift, tensor.shift, 0)
    if slots.persistency is not None:
        builder.PrependUint8Slot(slots.persistency, tensor.persistency, 0)
    builder.PrependUint8Slot(slots.unsigned, int(tensor.unsigned), 0)
    if slots.bits is not None:
        builder.PrependUint8Slot(slots.bits, tensor.bits, 0)
    builder.PrependUint8Slot(2, len(tensor.dimensions), 0)
    builder.PrependUint8Slot(0, tensor.ordinal, 0)
    return int(builder.EndObject())


def _dimension(builder: Any, dimension: Dimension) -> int:
    builder.StartObject(4)
    builder.PrependUint16Slot(1, dimension.size, 0)
    builder.PrependUint8Slot(3, dimension.padding, 0)
    builder.PrependUint8Slot(2, dimension.serialization, 0)
    builder.PrependUint8Slot(0, dimension.ordinal, 0)
    return int(builder.EndObject())


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Turn an error of the FlatBuffer reader into this format's error, with the section's name."""
    try:
        yield
    except DamagedError as error:
        where = name if error.position is None else f"{name}, byte {error.position}"
        raise RpkError(where, error.problem, "The file is damaged; copy or package it again.") from error


def _networks(root: Table, inputs: _Slots, outputs: _Slots) -> tuple[RpkNetwork, ...]:
    return tuple(
        RpkNetwork(
            ordinal=table.u8(0),
            name=table.text(1),
            type=table.text(2),
            inputs=tuple(_decode_tensor(t, inputs) for t in table.tables(3, MAX_TENSORS)),
            outputs=tuple(_decode_tensor(t, outputs) for t in table.tables(4, MAX_TENSORS)),
        )
        for table in root.tables(0, MAX_NETWORKS)
    )


def _decode_tensor(table: Table, slots: _Slots) -> Tensor:
    dimensions = tuple(
        Dimension(ordinal=d.u8(0), size=d.u16(1), serialization=d.u8(2), padding=d.u8(3))
        for d in table.tables(3, MAX_DIMENSIONS)
    )
    if table.u8(2) != len(dimensions):
        raise DamagedError(
            f"a tensor claims {table.u8(2)} dimensions and lists {len(dimensions)}", table.position
        )
    unsigned = table.u8(slots.unsigned)
    if unsigned > 1:
        raise DamagedError(f"a tensor's format is {unsigned}; 0 is signed, 1 is unsigned", table.position)
    return Tensor(
        ordinal=table.u8(0),
        name=table.text(1),
        dimensions=dimensions,
        bits=0 if slots.bits is None else table.u8(slots.bits),
        shift=table.u16(slots.shift),
        scale=table.f32(slots.scale),
        unsigned=bool(unsigned),
        l2_offset=0 if slots.l2_offset is None else table.u32(slots.l2_offset),
        persistency=0 if slots.persistency is None else table.u8(slots.persistency),
    )
