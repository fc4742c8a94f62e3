"""Writes Protocol Buffers: only what an ONNX file needs, in a fixed order, so that equal content has equal bytes.

The `onnx` package would pin protobuf and ml_dtypes beside TensorFlow's own pins; the wire format is a page.
Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct

from tinytracker.varint import varint

_VARINT, _LENGTH, _FIXED32 = 0, 2, 5


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
