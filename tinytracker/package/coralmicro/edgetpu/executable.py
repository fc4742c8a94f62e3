"""The package inside a compiled model: what is sent to the chip, how often, and what it returns.

Source of field numbers and enumerations: executable/executable.fbs of libedgetpu (Apache-2.0).
"""

from __future__ import annotations

from dataclasses import dataclass

from tinytracker.flatbuffer import DamagedError, Table

MARK = b"DWN1"
"""At bytes 4 to 8 of the package; neither the list of executables nor the executables have a mark."""

TYPES = {0: "STAND_ALONE", 1: "PARAMETER_CACHING", 2: "EXECUTION_ONLY"}
DATA_TYPES = {
    0: "FIXED_POINT8", 1: "FIXED_POINT16", 2: "SIGNED_FIXED_POINT32", 3: "BFLOAT", 4: "HALF", 5: "SINGLE",
    8: "SIGNED_FIXED_POINT8", 9: "SIGNED_FIXED_POINT16",
}  # fmt: skip
_TARGETS = {0: "output", 1: "input", 2: "parameters", 3: "scratch"}
_DESCRIPTOR, _INSTRUCTION, _INTERRUPT, _FENCE = 1, 2, 3, 4


@dataclass(frozen=True)
class Layer:
    """An input or output of an executable.

    Attributes:
        name: tensor. data_type: one of the names in `DATA_TYPES`.
        shape: y, x, z. padded_bytes: bytes as transferred.
        executions: how often it is filled per inference (more than once in recurrent networks).
        zero_point, scale: real = scale · (code - zero_point).
    """

    name: str
    data_type: str
    shape: tuple[int, int, int]
    padded_bytes: int
    executions: int
    zero_point: int
    scale: float

    @property
    def is_signed_byte_or_short(self) -> bool:
        """Return True for the types whose top bit the board's driver flips during the transfer."""
        return self.data_type in ("SIGNED_FIXED_POINT8", "SIGNED_FIXED_POINT16")


@dataclass(frozen=True)
class DmaHint:
    """One step of an inference as the host sees it.

    Attributes:
        kind: "input", "output", "parameters", "scratch", "instructions", "interrupt" or "fence".
        name: layer, for inputs and outputs.
        bytes: bytes transferred in this step.
    """

    kind: str
    name: str
    bytes: int


@dataclass(frozen=True)
class Executable:
    """A program for the chip.

    Attributes:
        type: "STAND_ALONE", "PARAMETER_CACHING" (run once, fills the chip's memory) or "EXECUTION_ONLY".
        chip: "beagle" for the Edge TPU of all Coral products.
        parameter_bytes: weights in it. instruction_bytes: size of each instruction stream.
        scratch_bytes: host memory that it asks for. used_memory_per_tile_bytes: memory on the chip.
        caching_token: executables with the same token can share the chip's memory.
        estimated_cycles: the compiler's estimate; 0 in files of newer compilers.
        hints: the transfers in order. is_deterministic: True when these are all.
    """

    type: str
    chip: str
    name: str
    batch_size: int
    parameter_bytes: int
    instruction_bytes: tuple[int, ...]
    scratch_bytes: int
    used_memory_per_tile_bytes: int
    caching_token: int
    estimated_cycles: int
    inputs: tuple[Layer, ...]
    outputs: tuple[Layer, ...]
    hints: tuple[DmaHint, ...]
    is_deterministic: bool

    def hinted_bytes(self, kind: str) -> int:
        """Return the bytes of all transfers of one kind."""
        return sum(h.bytes for h in self.hints if h.kind == kind)


@dataclass(frozen=True)
class TpuPackage:
    """The content of one custom operator.

    Attributes:
        min_runtime_version: oldest Edge TPU runtime that runs it. compiler_version: as the compiler writes it.
        model_identifier: free text. signature_bytes: length of the signature.
        executables: one, or one that caches and one that executes.
    """

    min_runtime_version: int
    compiler_version: str
    model_identifier: str
    signature_bytes: int
    executables: tuple[Executable, ...]


def read_package(data: bytes) -> TpuPackage:
    """Decode a package.

    Raises:
        DamagedError: not a package, or an offset, a length or an enumeration is out of range.
    """
    if data[4:8] != MARK:
        raise DamagedError(f"the package does not have the mark {MARK.decode()}")
    package = Table.root(data)
    multi = package.content(1)
    if not multi:
        raise DamagedError("the package has no executables")
    executables = tuple(_executable(e) for e in Table.root(multi).contents(0))
    if not executables:
        raise DamagedError("the package has no executables")
    return TpuPackage(
        min_runtime_version=package.i32(0),
        compiler_version=package.shown_text(4),
        model_identifier=package.shown_text(7),
        signature_bytes=package.length(2),
        executables=executables,
    )


def _executable(data: bytes) -> Executable:
    # No file has a mark at bytes 4 to 8 here.
    table = Table.root(data)
    streams = tuple(stream.length(0) for stream in table.tables(5))
    hints = table.table(7)
    return Executable(
        type=_named(TYPES, table.i16(13), "executable type"),
        chip=table.shown_text(10),
        name=table.shown_text(1),
        batch_size=table.i32(3),
        parameter_bytes=table.length(6),
        instruction_bytes=streams,
        scratch_bytes=_count(table.i32(4), "scratch bytes"),
        used_memory_per_tile_bytes=table.i32(12),
        caching_token=table.u64(14),
        estimated_cycles=table.i64(16) or table.i32(11),
        inputs=tuple(_layer(layer) for layer in table.tables(8)),
        outputs=tuple(_layer(layer) for layer in table.tables(9)),
        hints=tuple(_hint(h, streams) for h in hints.tables(0)) if hints else (),
        is_deterministic=bool(hints and hints.u8(1)),
    )


def _layer(table: Table) -> Layer:
    numerics = table.table(5)
    return Layer(
        name=table.shown_text(0),
        data_type=_named(DATA_TYPES, table.i16(6), "data type"),
        shape=(table.i32(2), table.i32(3), table.i32(4)),
        padded_bytes=_count(table.i32(1), "bytes in a layer"),
        executions=table.i32(9, 1),
        zero_point=numerics.i32(0) if numerics else 0,
        scale=numerics.f32(1) if numerics else 0.0,
    )


def _hint(table: Table, streams: tuple[int, ...]) -> DmaHint:
    kind, value = table.u8(0), table.table(1)
    if kind == _DESCRIPTOR and value is not None:
        meta = value.table(0)
        if meta is None:
            raise DamagedError("a transfer has no target")
        target = _named(_TARGETS, meta.i16(0), "target of a transfer")
        return DmaHint(target, meta.shown_text(2), _count(value.i32(2), "bytes in a transfer"))
    if kind == _INSTRUCTION and value is not None:
        chunk = value.i32(0)
        if not 0 <= chunk < len(streams):
            raise DamagedError(f"instruction stream {chunk} of {len(streams)}")
        return DmaHint("instructions", "", streams[chunk])
    if kind in (_INTERRUPT, _FENCE):
        return DmaHint("interrupt" if kind == _INTERRUPT else "fence", "", 0)
    raise DamagedError(f"transfer of kind {kind}")


def _named(names: dict[int, str], value: int, what: str) -> str:
    if value not in names:
        raise DamagedError(f"{what} {value}")
    return names[value]


def _count(value: int, what: str) -> int:
    if value < 0:
        raise DamagedError(f"{value} {what}")
    return value
