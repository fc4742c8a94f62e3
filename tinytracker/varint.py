"""Integers as Protocol Buffers write them, for records and ONNX files."""

from __future__ import annotations


def varint(number: int) -> bytes:
    """Encode an integer in groups of seven bits, the lowest first; a negative one as its 64-bit two's complement.

    Source: protobuf.dev/programming-guides/encoding.

    Example:
        >>> varint(300).hex(" ")
        'ac 02'
    """
    if 0 <= number < 0x80:
        return bytes((number,))
    number &= (1 << 64) - 1
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)
