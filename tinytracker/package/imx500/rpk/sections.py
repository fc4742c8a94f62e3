"""Sections and blocks: the part of the file that the driver sends to the sensor. All integers are big-endian.

A block is `'9464' | u32 body length | u16 number of blocks | u16 index from 1 | u32 flags | 16 zero bytes |
body | 28 zero bytes | '3695'`, one MiB in total except the last one: the driver transfers one MiB at a time.

A section is `u32 kind | u32 load address | u32 length | u32 0 | 4 bytes version | 12 zero bytes | data`. The
sensor takes little-endian words: text and data are stored with every 32-bit word reversed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tinytracker.package.imx500.rpk.errors import RpkError

BLOCK_BYTES = 1 << 20
HEADER_BYTES = 32
FOOTER_BYTES = 32
SECTION_HEADER_BYTES = 32
IDENTITY_BYTES = 32
SECTION_KINDS = 7
COEFFICIENTS = 16

_MAGIC, _END_MAGIC = b"9464", b"3695"
_FIRST_BLOCK, _DEVICE_LOCK = 1, 1 << 8
_BODY_BYTES = BLOCK_BYTES - HEADER_BYTES - FOOTER_BYTES


@dataclass(frozen=True)
class Section:
    """One part of the firmware as stored in a block; `data` is padded and in natural byte order."""

    kind: int
    address: int
    data: bytes


def swap_words(data: bytes) -> bytes:
    """Reverse the bytes of every 32-bit word; its own inverse. The length must be a multiple of 4."""
    count = len(data) // 4
    return struct.pack(f">{count}I", *struct.unpack(f"<{count}I", data))


def pad(data: bytes) -> bytes:
    """Pad to a multiple of 16 with n bytes of value n; nothing is added when the length already fits."""
    missing = -len(data) % 16
    return data + bytes([missing]) * missing


def encode_blocks(identity: str, version_tag: str, sections: list[Section]) -> bytes:
    """Return all sections as blocks.

    Args:
        identity: 16 digits: converter version, network id, model version.
        version_tag: two digits repeated in each section header.
        sections: sections in file order, each padded; only the last one, the coefficients, may span blocks.

    Raises:
        RpkError: the parts before the coefficients do not fit into the first block.
    """
    *fixed, coefficients = sections
    body = struct.pack(">I12x", SECTION_KINDS) + swap_words(identity.encode("ascii"))
    for section in fixed:
        body += _section(section, version_tag)
    bodies: list[bytes] = []
    address, rest = coefficients.address, coefficients.data
    while rest or not bodies:
        room = _BODY_BYTES - len(body) - SECTION_HEADER_BYTES
        if room < 16:
            raise RpkError(
                "block 1",
                f"the network's program takes {len(body)} bytes; the limit is {_BODY_BYTES}",
                _SMALLER,
            )
        chunk, rest = rest[:room], rest[room:]
        bodies.append(body + _section(Section(COEFFICIENTS, address, chunk), version_tag))
        address += len(chunk)
        body = b""
    return b"".join(_block(b, i + 1, len(bodies)) for i, b in enumerate(bodies))


_SMALLER = "Use a network with fewer layers, which has a shorter program."


def _section(section: Section, version_tag: str) -> bytes:
    header = struct.pack(">IIII", section.kind, section.address, len(section.data), 0)
    return header + swap_words(version_tag.encode("ascii") + b"\0\0") + bytes(12) + swap_words(section.data)


def _block(body: bytes, index: int, count: int) -> bytes:
    flags = _FIRST_BLOCK if index == 1 else 0
    header = _MAGIC + struct.pack(">IHHI", len(body), count, index, flags) + bytes(16)
    return header + body + bytes(28) + _END_MAGIC


def decode_blocks(data: bytes) -> tuple[str, str, list[Section], int]:
    """Parse blocks; the inverse of `encode_blocks`.

    Returns:
        Identity, version tag, sections (with the coefficients joined again) and the number of bytes in the blocks.

    Raises:
        RpkError: the bytes contain anything that `encode_blocks` would not have written.
    """
    bodies, end = _decode_bodies(data)
    first_start, first = bodies[0]
    if len(first) < IDENTITY_BYTES:
        raise RpkError(
            f"byte {first_start}", f"the first block's body has {len(first)} bytes, too few for its identity"
        )
    kinds, reserved = struct.unpack_from(">I12s", first)
    if kinds != SECTION_KINDS or any(reserved):
        raise RpkError(
            f"byte {first_start}",
            f"the package claims {kinds} kinds of sections instead of {SECTION_KINDS}",
        )
    identity = _digits(swap_words(first[16:IDENTITY_BYTES]), f"byte {first_start + 16}")
    found = _decode_sections(first, IDENTITY_BYTES, first_start)
    for start, body in bodies[1:]:
        found += _decode_sections(body, 0, start)
    tags = {tag for tag, _ in found}
    if len(tags) != 1:
        raise RpkError(f"byte {first_start}", f"the sections have {len(tags)} different versions")
    return identity, tags.pop(), _join_coefficients([section for _, section in found]), end


def _decode_bodies(data: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """Return (position, body) of each block, and where the last one ends."""
    bodies: list[tuple[int, bytes]] = []
    position, count = 0, 1
    while len(bodies) < count:
        index = len(bodies) + 1
        where = f"byte {position}, block {index}"
        if len(data) - position < HEADER_BYTES + FOOTER_BYTES:
            raise RpkError(where, f"the file ends after {len(data)} bytes, inside a block", _CUT)
        magic, size, total, number, flags, reserved = struct.unpack_from(">4sIHHI16s", data, position)
        if magic != _MAGIC:
            raise RpkError(
                where,
                f"a block starts with {magic!r} instead of {_MAGIC!r}",
                _NOT_RPK if index == 1 else _CUT,
            )
        if flags & _DEVICE_LOCK:
            raise RpkError(
                where, "the package is locked to one device", "Only unlocked packages can be read."
            )
        if index == 1:
            count = max(total, 1)
        if (total, number, flags) != (count, index, _FIRST_BLOCK if index == 1 else 0) or any(reserved):
            raise RpkError(where, f"the header says block {number} of {total} with flags {flags:#x}", _CUT)
        start, end = position + HEADER_BYTES, position + HEADER_BYTES + size + FOOTER_BYTES
        if size % 4 or size > _BODY_BYTES or (index < count and size != _BODY_BYTES):
            raise RpkError(
                where,
                f"the body has {size} bytes; {_BODY_BYTES} are expected, or fewer in the last block",
                _CUT,
            )
        if end > len(data):
            raise RpkError(where, f"the block needs {end} bytes; the file has {len(data)}", _CUT)
        footer = data[end - FOOTER_BYTES : end]
        if footer != bytes(28) + _END_MAGIC:
            raise RpkError(
                f"byte {end - FOOTER_BYTES}, block {index}",
                f"the block does not end with {_END_MAGIC!r}",
                _CUT,
            )
        bodies.append((start, data[start : start + size]))
        position = end
    return bodies, position


_CUT = "The file is damaged; copy or package it again."
_NOT_RPK = "This is not an .rpk network package."


def _decode_sections(body: bytes, position: int, start: int) -> list[tuple[str, Section]]:
    """Return (version tag, section) pairs of a body, read from `position`; `start` is its place in the file."""
    found: list[tuple[str, Section]] = []
    while position < len(body):
        where = f"byte {start + position}, section {len(found) + 1} of its block"
        if len(body) - position < SECTION_HEADER_BYTES:
            raise RpkError(where, f"the {len(body) - position} bytes left are too few for a section", _CUT)
        kind, address, size, zero, tag, reserved = struct.unpack_from(">IIII4s12s", body, position)
        natural = swap_words(tag)
        position += SECTION_HEADER_BYTES
        if zero or any(reserved) or natural[2:] != b"\0\0":
            raise RpkError(where, "reserved bytes of the section header are not zero", _CUT)
        if size % 16 or size > len(body) - position:
            raise RpkError(
                where, f"a section has {size} bytes; the block has {len(body) - position} left", _CUT
            )
        found.append(
            (
                _digits(natural[:2], where),
                Section(kind, address, swap_words(body[position : position + size])),
            )
        )
        position += size
    return found


def _join_coefficients(sections: list[Section]) -> list[Section]:
    """Return the first sections, then all chunks of the coefficients as one."""
    head, chunks = sections[: SECTION_KINDS - 1], sections[SECTION_KINDS - 1 :]
    if not chunks:
        raise RpkError(
            "block 1", f"the package has {len(sections)} sections instead of {SECTION_KINDS}", _CUT
        )
    address = chunks[0].address
    for chunk in chunks:
        if chunk.kind != COEFFICIENTS or chunk.address != address:
            where = f"section of kind {chunk.kind} at address {chunk.address:#x}"
            raise RpkError(where, f"the coefficients must continue at {address:#x}", _CUT)
        address += len(chunk.data)
    return [*head, Section(COEFFICIENTS, chunks[0].address, b"".join(c.data for c in chunks))]


def _digits(text: bytes, where: str) -> str:
    if not text.isdigit():
        raise RpkError(where, f"the version digits are {text!r}", _CUT)
    return text.decode("ascii")
