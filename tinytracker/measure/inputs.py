"""The answer to `tt inputs`: what a network saw in its last frame, in lines of base64 (docs/protocol.md)."""

from __future__ import annotations

import binascii
import zlib
from collections.abc import Iterable


def join_inputs(values: Iterable[str], size: int) -> bytes | None:
    """Return the packed inputs; None unless every byte has arrived, with the right checksum.

    Args:
        values: of the lines m-tt-inputs-[OFFSET,BASE64,CRC], in order.
        size: bytes that there must be.
    """
    found = b""
    for value in values:
        body, _, crc = value.rpartition(",")
        offset, _, text = body.partition(",")
        if crc.lower() != f"{zlib.crc32(body.encode()):08x}" or offset != str(len(found)):
            return None
        try:
            found += binascii.a2b_base64(text, strict_mode=True)
        except binascii.Error:
            return None
    return found if len(found) == size else None
