"""Writes Protocol Buffers: only what an ONNX file needs, in a fixed order, so that equal content has equal bytes.

The `onnx` package would pin protobuf and ml_dtypes beside TensorFlow's own pins; the wire format is a page.
Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct

_VARINT, _LENGTH, _FIXED32 = 0, 2, 5


def varint(value: int) -> bytes:
    """Encode an integer, 7 bits a byte, lowest first; a negative one as its 64-bit two's complement."""
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def integer(field: int, value: int) -> bytes:
    """Encode an int32, int64 or enumeration field."""
    return varint(field << 3 | _VARINT) + varint(value)


def real(field: int, value: float) -> bytes:
    """Encode a float field."""
    return varint(field << 3 | _FIXED32) + struct.pack("<f", value)


def text(field: int, value: str) -> bytes:
    """Encode a string field."""
    return message(field, value.encode())


def message(field: int, content: bytes) -> bytes:
    """Encode a bytes field, or a message that is encoded already."""
    return varint(field << 3 | _LENGTH) + varint(len(content)) + content
