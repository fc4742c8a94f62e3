"""Writes .tflite files as edgetpu_compiler does: the layout of real files, the instructions in them are noise.

What the public compiled files of compilers 1 to 16 have in common, and this writes too:
- Only the package carries the mark DWN1. The list of executables in it and the executables themselves carry none.
- Package, list and executables are whole pages of 4096 bytes; the list and the parameters begin on a page.
- The executable of every inference comes first, the one that caches parameters second; or there is one STAND_ALONE.
- Signature and serialized model are there and empty; the compiler version is mostly just "cl/".
- Transfers have a direction; an output's target is the default and therefore absent.
- The FlexBuffer around it has keys 1, 4, 5 (oldest files: also 2), newer ones also 6 and 7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import flatbuffers
import numpy as np
from flatbuffers import flexbuffers
from support.tflite_builder import Op, T, build_tflite
from support.tflite_nets import NetBuilder

FIXED_POINT8, SIGNED_FIXED_POINT8 = 0, 8
STAND_ALONE, PARAMETER_CACHING, EXECUTION_ONLY = 0, 1, 2
OUTPUT, INPUT, PARAMETER = 0, 1, 2
PAGE = 4096
_INFEED, _OUTFEED = 0, 1


@dataclass
class L:
    """A layer to write."""

    name: str
    shape: tuple[int, int, int]
    data_type: int = FIXED_POINT8
    scale: float = 1 / 128
    zero_point: int = 128


@dataclass
class H:
    """A transfer to write: to or from `target`, or instruction stream `chunk`; neither is an interrupt or a fence."""

    bytes: int = 0
    target: int | None = None
    name: str = ""
    chunk: int | None = None
    offset: int = 0
    fence: bool = False


@dataclass
class E:
    """An executable to write."""

    type: int
    parameters: bytes = b""
    instructions: tuple[bytes, ...] = (b"\x55" * 64,)
    inputs: list[L] = field(default_factory=list)
    outputs: list[L] = field(default_factory=list)
    hints: list[H] = field(default_factory=list)
    deterministic: bool = True
    chip: str = "beagle"
    token: int = 0x1234
    name: str = "model"
    cycles: int = 0
    scratch: int = 0


Slot = tuple[int, Callable[[flatbuffers.Builder, int], None]]


def _offset(number: int, value: int) -> Slot:
    return number, lambda b, n: b.PrependUOffsetTRelativeSlot(n, value, 0)


def _int32(number: int, value: int, default: int = 0) -> Slot:
    return number, lambda b, n: b.PrependInt32Slot(n, value, default)


def _int16(number: int, value: int) -> Slot:
    return number, lambda b, n: b.PrependInt16Slot(n, value, 0)


def _byte(number: int, value: int) -> Slot:
    return number, lambda b, n: b.PrependUint8Slot(n, value, 0)


def _table(b: flatbuffers.Builder, *slots: Slot) -> int:
    b.StartObject(20)
    for number, write in slots:
        write(b, number)
    return b.EndObject()


def _offsets(b: flatbuffers.Builder, offsets: list[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()


def _pages(b: flatbuffers.Builder, content: bytes) -> int:
    """A vector of bytes that begins on a page of the finished buffer."""
    b.StartVector(1, len(content), PAGE)
    b.head = b.head - len(content)
    b.Bytes[b.head : b.head + len(content)] = content
    return b.EndVector()


def _finish(b: flatbuffers.Builder, root: int, mark: bytes | None = None) -> bytes:
    """The finished buffer; whole pages long, as the strictest alignment in it is a page."""
    b.Finish(root, file_identifier=mark)
    return bytes(b.Output())


def _layer(b: flatbuffers.Builder, layer: L, is_output: bool) -> int:
    name = b.CreateString(layer.name)
    numerics = _table(
        b, _int32(0, layer.zero_point), (1, lambda b, n: b.PrependFloat32Slot(n, layer.scale, 0.0))
    )
    kind, value = (2, _table(b, _byte(0, 0))) if is_output else (1, _table(b, _byte(0, 0)))
    y, x, z = layer.shape
    return _table(
        b, _offset(0, name), _int32(1, -(-y * x * z // 8) * 8), _int32(2, y), _int32(3, x), _int32(4, z),
        _offset(5, numerics), _int16(6, layer.data_type), _byte(7, kind), _offset(8, value), _int32(9, 1, 1),
    )  # fmt: skip


def _hint(b: flatbuffers.Builder, hint: H) -> int:
    if hint.chunk is not None:
        return _table(b, _byte(0, 2), _offset(1, _table(b, _int32(0, hint.chunk))))
    if hint.target is None:
        direction = _INFEED if hint.fence else _OUTFEED
        kind = 4 if hint.fence else 3
        return _table(b, _byte(0, kind), _offset(1, _table(b)), _int16(2, direction))
    name = b.CreateString(hint.name)
    meta = _table(b, _int16(0, hint.target), _offset(2, name))
    descriptor = _table(b, _offset(0, meta), _int32(1, hint.offset), _int32(2, hint.bytes))
    direction = _OUTFEED if hint.target == OUTPUT else _INFEED
    return _table(b, _byte(0, 1), _offset(1, descriptor), _int16(2, direction))


def build_executable(e: E) -> bytes:
    """The bytes of one executable."""
    b = flatbuffers.Builder(1024)
    parameters = _pages(b, e.parameters)
    streams = _offsets(
        b, [_table(b, _offset(0, b.CreateByteVector(i)), _offset(1, _offsets(b, []))) for i in e.instructions]
    )  # fmt: skip
    hints = _table(
        b, _offset(0, _offsets(b, [_hint(b, h) for h in e.hints])), _byte(1, int(e.deterministic))
    )  # fmt: skip
    chip, name = b.CreateString(e.chip), b.CreateString(e.name)
    slots = [
        _offset(1, name), _int32(3, 1), _int32(4, e.scratch), _offset(5, streams), _offset(6, parameters),
        _offset(7, hints), _offset(10, chip), _int16(13, e.type), (14, lambda b, n: b.PrependUint64Slot(n, e.token, 0)),
        (16, lambda b, n: b.PrependInt64Slot(n, e.cycles, 0)),
    ]  # fmt: skip
    if e.type != PARAMETER_CACHING:
        inputs = _offsets(b, [_layer(b, layer, False) for layer in e.inputs])
        outputs = _offsets(b, [_layer(b, layer, True) for layer in e.outputs])
        model = b.CreateByteVector(b"")
        slots += [_offset(2, model), _offset(8, inputs), _offset(9, outputs), _int32(12, 832)]
    return _finish(b, _table(b, *slots))


def build_package(executables: list[E], min_runtime: int = 14, compiler: str = "cl/") -> bytes:
    """The bytes of a package."""
    m = flatbuffers.Builder(1024)
    # CreateString would append a zero byte; a vector of bytes is what is read, and aligned to a page.
    parts = [_pages(m, build_executable(e)) for e in executables]
    multi = _finish(m, _table(m, _offset(0, _offsets(m, parts))))
    b = flatbuffers.Builder(1024)
    list_ = _pages(b, multi)
    signature, version, identifier = b.CreateByteVector(b""), b.CreateString(compiler), b.CreateString("")
    root = _table(
        b, _int32(0, min_runtime), _offset(1, list_), _offset(2, signature), _int32(3, 0, -1),
        _offset(4, version), _int32(5, 0, -1), _offset(7, identifier),
    )  # fmt: skip
    return _finish(b, root, b"DWN1")


def build_bare_options(running: E, caching: E) -> bytes:
    """The FlexBuffer map of compilers before 1.0: executables without a package around them."""
    b = flexbuffers.Builder()
    with b.Map():
        b.Int("1", 0)
        b.String("2", "beagle")
        b.String("3", _Raw(build_executable(caching)))
        b.String("4", _Raw(build_executable(running)))
    return bytes(b.Finish())


def build_options(package: bytes, further: list[bytes] | None = None, generation: int = 16) -> bytes:
    """The FlexBuffer map around a package, as compilers of a generation (1, 2 or 16) write it."""
    b = flexbuffers.Builder()
    with b.Map():
        b.Int("1", 0)
        if generation == 1:
            b.String("2", "")
        b.String("4", _Raw(package))
        b.Int("5", -1)
        if generation == 16:
            b.TypedVectorFromElements("6", [18])
            with b.Vector("7"):
                for p in further or []:
                    b.String(_Raw(p))
    return bytes(b.Finish())


class _Raw(str):
    """Bytes where flexbuffers wants text: it only calls `encode`, and compilers do not write UTF-8 here."""

    content: bytes

    def __new__(cls, content: bytes) -> _Raw:
        self = super().__new__(cls)
        self.content = content
        return self

    def encode(self, *_: object) -> bytes:
        return self.content


def gaze_executables(
    cached: bytes = b"\x11" * 4096, streamed: bytes = b"", io: int = FIXED_POINT8, input_pieces: int = 1
) -> list[E]:
    """What the compiler makes of a small network: one executable that caches, one that runs."""
    size = 16 * 16
    image, gaze = L("image", (16, 16, 1), io), L("gaze", (1, 1, 2), io, 0.1, 120)
    inputs = [H(size // input_pieces, INPUT, "image") for _ in range(input_pieces)]
    parameters = [H(len(streamed), PARAMETER)] if streamed else []
    running = E(
        EXECUTION_ONLY, streamed, (b"\x55" * 320, b"\x66" * 80), [image], [gaze],
        [H(chunk=0), *inputs, *parameters, H(chunk=1), H(8, OUTPUT, "gaze"), H()],
    )  # fmt: skip
    caching = E(
        PARAMETER_CACHING, cached, (b"\x44" * 128,), hints=[H(chunk=0), H(len(cached), PARAMETER), H()],
        name="Unknown",
    )  # fmt: skip
    return [running, caching]


def compiled_net(
    executables: list[E] | None = None,
    min_runtime: int = 14,
    options: bytes | None = None,
    dtype: str = "uint8",
    inputs: int = 1,
    operators: int = 1,
    dequantize: bool = False,
    image_shape: tuple[int, ...] = (1, 16, 16, 1),
    further: list[bytes] | None = None,
    cpu_tail: str = "",
    gaze: tuple[float, int] | None = None,
    image: tuple[float, int] | None = None,
) -> bytes:
    """A whole compiled file; `cpu_tail` stays on the CPU, `image` and `gaze` are scale and zero of input and output."""
    package = build_package(executables or gaze_executables(), min_runtime)
    carried = build_options(package, further) if options is None else options
    image_scale, image_zero = image or (1 / 128, 128 if dtype == "uint8" else 0)
    tensors = [T(image_shape, dtype, (image_scale,), (image_zero,), name="image") for _ in range(inputs)]
    ops = []
    sources = list(range(inputs))
    scale, zero_point = gaze or (0.1, 120 if dtype == "uint8" else -8)
    for _ in range(operators):
        tensors.append(T((1, 2), dtype, (scale,), (zero_point,), name="gaze"))
        ops.append(
            Op("CUSTOM:edgetpu-custom-op", sources, [len(tensors) - 1], version=1, custom_options=carried)
        )
        sources = [len(tensors) - 1]
    if cpu_tail:
        tensors.append(T((1, 2), dtype, (scale,), (zero_point,), name="gaze_cpu"))
        ops.append(Op(cpu_tail, sources, [len(tensors) - 1]))
        sources = [len(tensors) - 1]
    if dequantize:
        tensors.append(T((1, 2), "float32", name="gaze_float"))
        ops.append(Op("DEQUANTIZE", sources, [len(tensors) - 1]))
    return build_tflite(tensors, ops, list(range(inputs)), [len(tensors) - 1])


def random_parameters(count: int, seed: int = 0) -> bytes:
    """Bytes that do not compress, as weights."""
    return np.random.default_rng(seed).integers(0, 256, count, np.uint8).tobytes()


def gaze_net(shape: tuple[int, ...] = (1, 16, 16, 1), outputs: int = 2, dtype: str = "uint8") -> bytes:
    """A small uncompiled network with inputs and outputs of a dtype (without the QUANTIZE that real ones have)."""
    net = NetBuilder(shape)
    net.conv(8, 3, 2)
    net.depthwise()
    net.mean()
    net.dense(outputs)
    if dtype == "uint8":
        for tensor in net.tensors:
            if tensor.data is None:
                tensor.dtype, tensor.zero_points = "uint8", (tensor.zero_points[0] + 128,)
    return net.build()
