"""Writes the bytes of a `tf.train.Example`, equal to those of TensorFlow, without its objects.

The objects took 0.13 ms a frame. The format is fixed: protocol buffers (https://protobuf.dev/programming-guides/encoding),
messages as in tensorflow/core/example/feature.proto. A feature is a bytes_list (field 1), a float_list (2) or an
int64_list (3). Names come in the order of protobuf's own deterministic serialization: alphabetical, but a name before
the names that it begins with.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np

Value = bytes | tuple[float, ...] | int
"""One byte string, float32 numbers, or one int64."""

_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = b"\x0a", b"\x12", b"\x1a"
_FIRST, _SECOND = b"\x0a", b"\x12"
"""Tags of fields 1 and 2 that have a length: key and value of a map entry, and the only field of the rest."""

_BEHIND_ALL = "\U0010ffff"


def example_bytes(features: Mapping[str, Value]) -> bytes:
    """Serialize one example.

    Args:
        features: a byte string, a tuple of floats or a whole number by name.

    Returns:
        What `tf.train.Example(...).SerializeToString(deterministic=True)` returns for the same lists.

    Example:
        >>> example_bytes({"frame": 7}).hex(" ")
        '0a 10 0a 0e 0a 05 66 72 61 6d 65 12 05 1a 03 0a 01 07'
    """
    entries = []
    for name in sorted(features, key=lambda name: name + _BEHIND_ALL):
        value = features[name]
        if isinstance(value, bytes):
            kind, content = _BYTES_LIST, _field(_FIRST, value)
        elif isinstance(value, tuple):
            kind, content = _FLOAT_LIST, _field(_FIRST, _float32(value)) if value else b""
        else:
            kind, content = _INT64_LIST, _field(_FIRST, varint(value & 0xFFFFFFFFFFFFFFFF))
        entry = _field(_FIRST, name.encode()) + _field(_SECOND, _field(kind, content))
        entries.append(_field(_FIRST, entry))
    return _field(_FIRST, b"".join(entries))


def varint(number: int) -> bytes:
    """Encode a number from 0 to 2^64 - 1 in groups of seven bits, the lowest first.

    Example:
        >>> varint(300).hex(" ")
        'ac 02'
    """
    if number < 0x80:
        return bytes((number,))
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + varint(len(content)) + content


def _float32(numbers: tuple[float, ...]) -> bytes:
    try:
        return struct.pack(f"<{len(numbers)}f", *numbers)
    except OverflowError:  # beyond float32; TensorFlow stores infinity
        with np.errstate(over="ignore"):
            return np.array(numbers, "<f4").tobytes()
