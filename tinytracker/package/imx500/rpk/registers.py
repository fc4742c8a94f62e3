"""Register writes that set up the sensor for a network, and the list of those that the kernel driver accepts.

The driver (`imx500.c` of the Raspberry Pi kernel) writes each entry of `imx500_regs` before it loads the
network and fails with EINVAL at the first one outside its list, so we refuse such a file on the PC.
An entry is 7 bytes, little-endian: u16 address, u8 width, u32 value.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tinytracker.package.imx500.rpk.errors import RpkError
from tinytracker.package.imx500.rpk.layout import LINE_BYTES, ColorOrder, Register, RpkNetwork, Tensor

INPUT_LINES = 0x305E
OUTPUT_LINES = 0x3060
MAX_LINES = 2046
"""Limit of the driver: it refuses line counts of 2046 and more."""

_ENTRY = struct.Struct("<HBI")
_FORMAT, _FORMAT_RGB_TENSOR, _MAX_FORMAT = 0xD750, 2, 5
_MATRICES, _MATRIX_BYTES, _MATRICES_END = 0xD76C, 36, 0xD7D8
_CLIPS_END = 0xD7FC
_Y_NORMALIZATION = (0xD62A, 0xD632, 0xD63A)
UNITY = 0x400
"""A factor of 1 in the conversion matrix."""
_SIGNED_OFFSET = 0x1800  # -2048 in 13 bits: half of the 12-bit pixel range


def input_lines(tensor: Tensor) -> int:
    """Return how many lines of 2560 bytes the sensor needs to send the input tensor, including its header line.

    Rows are padded to 32 bytes and the height to 2.
    """
    height, width, channels = image_shape(tensor)
    padded = -(-width // 32) * 32 * (-(-height // 2) * 2) * channels
    return -(-padded // LINE_BYTES) + 1


def output_lines(tensors: Sequence[Tensor]) -> int:
    """Return the lines of 2560 bytes for all output tensors, each starting on a new line, plus one."""
    return sum(-(-(t.elements * t.bits // 8) // LINE_BYTES) for t in tensors) + 1


def image_shape(tensor: Tensor) -> tuple[int, int, int]:
    """Return (height, width, channels) of an image input.

    Raises:
        RpkError: the tensor does not have three axes.
    """
    axes = {d.serialization: d.size for d in tensor.dimensions}
    if len(tensor.dimensions) != 3 or set(axes) != {0, 1, 2}:
        raise RpkError(f"input tensor {tensor.name!r}", f"shape {tensor.shape} is not an image", _IMAGE)
    return axes[1], axes[0], axes[2]


_IMAGE = "The sensor fills one input of height x width x channels."


def color_matrix(order: ColorOrder) -> tuple[int, int, int, int]:
    """Return (K00, K02, K20, K22): corners of the matrix that sorts R, G, B into the tensor's channels."""
    return (UNITY, 0, 0, UNITY) if order == "RGB" else (0, UNITY, UNITY, 0)


def normalization(unsigned: bool) -> tuple[int, int, int, int]:
    """Return (offset, clip, minimum, maximum) as the registers need them: pixels 0..255, or pixels minus 128."""
    return (0, 0x00FF_0000, 0, 0xFF) if unsigned else (_SIGNED_OFFSET, 0x007F_0180, 0x180, 0x7F)


def registers_for(network: RpkNetwork, order: ColorOrder) -> tuple[Register, ...]:
    """Return the 56 writes for an RGB or BGR network, in the order of public packages.

    Raises:
        RpkError: the driver would refuse one, because the tensors take too many lines.
    """
    k00, k02, k20, k22 = color_matrix(order)
    offset, clip, minimum, maximum = normalization(network.inputs[0].unsigned)
    matrix = (k00, 0, k02, offset, 0, UNITY, 0, offset, k20, 0, k22, offset)
    writes = [Register(_FORMAT, 1, _FORMAT_RGB_TENSOR)]
    writes += [Register(_MATRICES + 2 * i, 2, value) for i, value in enumerate(matrix)]
    writes += [Register(address, 4, clip) for address in (0xD784, 0xD788, 0xD78C)]
    for base in (0xD708, 0xD710, 0xD718):
        writes += _channel(base, minimum, maximum)
    writes += [Register(address, 4, clip) for address in (0xD7D8, 0xD7DC, 0xD7E0)]
    for wide, flag in zip(_Y_NORMALIZATION, (0xD629, 0xD630, 0xD638), strict=True):
        writes += [Register(wide, 2, 0), Register(flag, 1, 0)]
    writes.append(Register(0xD600, 1, 0x20))
    for base in (0xD684, 0xD68C, 0xD694, 0xD69C):
        writes += _channel(base, 0, 0)
    writes.append(Register(INPUT_LINES, 2, input_lines(network.inputs[0])))
    writes.append(Register(OUTPUT_LINES, 2, output_lines(network.outputs)))
    for register in writes:
        if reason := refusal(register):
            raise RpkError(f"register 0x{register.address:04X}", reason, _LARGE)
    return tuple(writes)


_LARGE = "Use a network with a smaller input or output."


def _channel(base: int, minimum: int, maximum: int) -> list[Register]:
    """Return the normalization of one channel: offset, shift, and the two clip values."""
    return [
        Register(base, 2, minimum),
        Register(base + 2, 1, 0),
        Register(base + 4, 2, maximum),
        Register(base + 6, 2, minimum),
    ]


def _allow_list() -> dict[tuple[int, int], int]:
    """Return a map from (address, width in bytes) to the mask of the bits that may be set."""
    allowed: dict[tuple[int, int], int] = {}
    y_nine_bit = (*_Y_NORMALIZATION, 0xD644, 0xD648, 0xD64C, 0xD650, 0xD654, 0xD658)
    y_one_bit = (0xD629, 0xD630, 0xD638, 0xD643, 0xD647, 0xD64B, 0xD64F, 0xD653, 0xD657)
    allowed.update({(a, 2): 0x1FF for a in y_nine_bit})
    allowed.update({(a, 1): 0x1 for a in y_one_bit})
    allowed.update({(a, 1): 0xFF for a in (0xD600, 0xD601, 0xD602)})
    allowed.update({(a, 1): 0x7 for a in range(_FORMAT, _FORMAT + 3)})
    for first, end in ((0xD684, 0xD6E4), (0xD708, 0xD750)):  # one channel of 8 bytes after the other
        for base in range(first, end, 8):
            allowed.update({(base, 2): 0x1FF, (base + 2, 1): 0x1, (base + 4, 2): 0x1FF, (base + 6, 2): 0x1FF})
    for word in range(_MATRICES, _CLIPS_END, 4):
        mask = _word_mask(word)
        allowed.update({(word, 4): mask, (word, 2): mask >> 16, (word + 2, 2): mask & 0xFFFF})
    allowed.update({(INPUT_LINES, 2): 0x7FF, (OUTPUT_LINES, 2): 0x7FF})
    return allowed


def _word_mask(word: int) -> int:
    """Return the mask of a 32-bit word of the matrices: six words of factors and offsets, then three of clips."""
    row = (word - _MATRICES) % _MATRIX_BYTES // 4
    if word >= _MATRICES_END or row >= 6:
        return 0x01FF_01FF
    return 0x0FFF_1FFF if row % 2 else 0x0FFF_0FFF


_ALLOWED = _allow_list()


def refusal(register: Register) -> str:
    """Return why the driver would refuse this write; "" when it would not."""
    mask = _ALLOWED.get((register.address, register.width))
    if mask is None:
        widths = [w for (address, w) in _ALLOWED if address == register.address]
        if not widths:
            return "the address is outside the driver's list"
        return f"the width is {register.width} bytes; {' or '.join(map(str, widths))} is allowed"
    if register.address in (INPUT_LINES, OUTPUT_LINES) and register.value >= MAX_LINES:
        return f"{register.value} lines; the limit is {MAX_LINES - 1}"
    if register.value & ~mask or (mask == 0x7 and register.value > _MAX_FORMAT):
        return f"the value {register.value:#x} has bits outside {mask:#x}"
    return ""


def encode_registers(registers: Sequence[Register]) -> bytes:
    """Return the archive member `imx500_regs`."""
    return b"".join(_ENTRY.pack(r.address, r.width, r.value) for r in registers)


def decode_registers(data: bytes) -> tuple[Register, ...]:
    """Parse the archive member; the inverse of `encode_registers`.

    Raises:
        RpkError: the length is not a multiple of an entry.
    """
    if len(data) % _ENTRY.size:
        raise RpkError(
            "imx500_regs", f"{len(data)} bytes are not a multiple of {_ENTRY.size}, the size of an entry"
        )
    return tuple(Register(*entry) for entry in _ENTRY.iter_unpack(data))
