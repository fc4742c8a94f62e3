"""Reads the header of a plain JPEG: its size, and where the data of its scan starts.

Pillow reads every header there is, and takes as long for it as `prepare` does for all its arithmetic on boxes. Most
frames have the plainest header of all, whose segments are read here; everything else is left to Pillow.
"""

from __future__ import annotations

from typing import NamedTuple

_START = b"\xff\xd8"
_JFIF, _QUANTIZATION, _FRAME, _HUFFMAN, _RESTARTS, _SCAN = 0xE0, 0xDB, 0xC0, 0xC4, 0xDD, 0xDA
_JFIF_BYTES = 16
"""Length of a JFIF segment without a thumbnail, as its own field counts: without the marker."""
_FRAME_BYTES = 17
"""Length of a frame header for three components."""
_TABLE_BYTES = 65
"""A quantization table of 8 bits, after the byte that says which."""
_MOST_PX = 1 << 24
"""Larger pictures are left to Pillow, which refuses those that would fill the memory."""


class PlainJpeg(NamedTuple):
    """What the header of a plain JPEG says.

    Attributes:
        width, height: px.
        scan: offset of the first byte behind the header of the scan.
    """

    width: int
    height: int
    scan: int


def plain_jpeg(content: bytes) -> PlainJpeg | None:
    """Read the header of a baseline JPEG with three components, as Pillow would.

    Args:
        content: the encoded image.

    Returns:
        What it says; None if there is any segment besides JFIF, quantization tables of 8 bits, one baseline frame
        header, Huffman tables and restart intervals, or anything is out of place (ITU-T T.81, annex B).

    Example:
        >>> plain_jpeg(b"GIF89a") is None
        True
    """
    if content[:2] != _START:
        return None
    at, size = 2, (0, 0)
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], (content[at + 2] << 8) | content[at + 3]
        body, behind = at + 4, at + 2 + length
        if behind > len(content) or length < 2:
            return None
        if marker == _SCAN:
            return PlainJpeg(*size, behind) if 0 < size[0] * size[1] <= _MOST_PX else None
        if marker == _FRAME:
            # 8 bits, height, width, three components; a second frame header is damage.
            if size[0] or length != _FRAME_BYTES or content[body] != 8 or content[body + 5] != 3:
                return None
            height, width = (int.from_bytes(content[body + k : body + k + 2], "big") for k in (1, 3))
            size = width, height
        elif marker == _QUANTIZATION:
            if (length - 2) % _TABLE_BYTES or any(v >> 4 for v in content[body:behind:_TABLE_BYTES]):
                return None
        elif marker == _JFIF:
            if length != _JFIF_BYTES or content[body : body + 5] != b"JFIF\0":
                return None
        elif marker not in (_HUFFMAN, _RESTARTS):
            return None
        at = behind
    return None
