"""Damage that random bytes find too rarely."""

from __future__ import annotations

OTHER_COMPRESSION = (9, 12, 14, 99)
"""Methods of ZIP archives that deflated members (8) do not have: Deflate64, bzip2, LZMA, encrypted."""


def recompressed(archive: bytes, method: int) -> bytes:
    """The archive whose directory names another compression of its first member: one wrong byte."""
    damaged = bytearray(archive)
    damaged[archive.index(b"PK\x01\x02") + 10] = method
    return bytes(damaged)
