"""What reading a damaged ZIP archive raises; .npz files are such archives."""

from __future__ import annotations

import struct
import zipfile
import zlib

try:
    from lzma import LZMAError
except ImportError:  # a Python that was built without it; zipfile refuses its archives with a RuntimeError
    LZMAError = zlib.error  # type: ignore[assignment, misc]

DAMAGED: tuple[type[Exception], ...] = (
    zipfile.BadZipFile, EOFError, LookupError, OverflowError, struct.error,
    ValueError,  # also what numpy says about the arrays inside
    # One wrong byte names another compression. Its decompressor, or the lack of one, speaks for itself:
    zlib.error, LZMAError,
    OSError,  # bzip2
    RuntimeError,  # encrypted, or NotImplementedError for an unknown method
    MemoryError,  # LZMA with a dictionary of gigabytes
)  # fmt: skip
"""Exceptions of zipfile and of `numpy.load` for a file that is no archive, cut or damaged, or lacks a member."""
