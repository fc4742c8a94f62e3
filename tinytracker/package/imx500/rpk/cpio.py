"""The archive behind the blocks: cpio "newc"; the kernel looks for `imx500_regs`, clients for the rest."""

from __future__ import annotations

from collections.abc import Sequence

from tinytracker.package.imx500.rpk.errors import RpkError

_MAGIC = b"070701"
_HEADER_BYTES = 110
_TRAILER = "TRAILER!!!"
_REGULAR_FILE = 0o100644
_DAMAGED = "The file is damaged; copy or package it again."


def encode_archive(files: Sequence[tuple[str, bytes]]) -> bytes:
    """Return an archive of (name, bytes); owner, time and inode are 0, so equal content gives equal bytes."""
    members = [_member(name, data, _REGULAR_FILE, links=0) for name, data in files]
    return b"".join([*members, _member(_TRAILER, b"", 0, links=1)])


def _member(name: str, data: bytes, mode: int, links: int) -> bytes:
    raw = name.encode("ascii") + b"\0"
    fields = (0, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(raw), 0)
    header = _MAGIC + b"".join(b"%08x" % field for field in fields) + raw
    return header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4)


def decode_archive(data: bytes, start: int) -> list[tuple[str, bytes]]:
    """Return the members of the archive that begins at byte `start` and extends to the end of the file.

    Whole words of zeros may follow the trailer: other tools pad to 512 bytes.

    Raises:
        RpkError: the archive is cut off, damaged, or followed by something else.
    """
    files: list[tuple[str, bytes]] = []
    position = start
    while True:
        where = f"byte {position}, archive member {len(files) + 1}"
        header = data[position : position + _HEADER_BYTES]
        if len(header) < _HEADER_BYTES:
            raise RpkError(where, f"the file ends after {len(data)} bytes, before the archive does", _DAMAGED)
        size, name_size = _sizes(header, where)
        name_start = position + _HEADER_BYTES
        data_start = _aligned(name_start + name_size, start)
        data_end = data_start + size
        position = _aligned(data_end, start)
        if position > len(data):
            raise RpkError(where, f"the member needs {position} bytes; the file has {len(data)}", _DAMAGED)
        name = _name(data[name_start : name_start + name_size], where)
        if any(data[name_start + name_size : data_start]) or any(data[data_end:position]):
            raise RpkError(where, f"the padding of {name!r} is not zero", _DAMAGED)
        if name == _TRAILER:
            if size or any(data[position:]) or (len(data) - position) % 4:
                raise RpkError(where, f"{len(data) - position} bytes follow the end of the archive", _DAMAGED)
            return files
        files.append((name, data[data_start:data_end]))


def _aligned(position: int, start: int) -> int:
    return start + -(-(position - start) // 4) * 4


def _sizes(header: bytes, where: str) -> tuple[int, int]:
    """Return (data size, name size) of a member header."""
    digits = header[len(_MAGIC) :]
    # int() alone would also accept signs, spaces and underscores.
    if not header.startswith(_MAGIC) or not all(c in b"0123456789abcdefABCDEF" for c in digits):
        raise RpkError(
            where,
            f"a member starts with {header[:6]!r} instead of {_MAGIC!r} and hexadecimal digits",
            _DAMAGED,
        )
    return int(digits[48:56], 16), int(digits[88:96], 16)


def _name(raw: bytes, where: str) -> str:
    if not raw.endswith(b"\0") or not raw[:-1].isascii() or not raw[:-1].decode("ascii").isprintable():
        raise RpkError(where, f"the member's name is {raw[:20]!r}", _DAMAGED)
    return raw[:-1].decode("ascii")
