"""The portable C resize as a shared library for tests."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
from support.host_c import Box, common_library

_GUARD = 16


class Image(ctypes.Structure):
    _fields_ = (("pixels", ctypes.c_char_p), ("width", ctypes.c_int32), ("height", ctypes.c_int32))


class Layout(ctypes.Structure):
    _fields_ = tuple((n, ctypes.c_int32) for n in ("width", "height", "channels", "planes"))


def build_resize(folder: Path) -> ctypes.CDLL:
    """Compile strictly and load; undefined behaviour ends the process."""
    library = common_library("tt_resize.c", folder)
    library.tt_make_input.argtypes = [
        ctypes.POINTER(Image), Box, ctypes.POINTER(Layout), ctypes.c_char_p,
    ]  # fmt: skip
    library.tt_grey.restype = ctypes.c_uint8
    return library


def resize(library, pixels, box, width, height, colours, planes) -> np.ndarray | None:
    """One input, uint8 (height, width, channels); None when the board refuses. Checks that nothing else is written."""
    channels = colours + 2 * planes
    size = height * width * channels
    out = ctypes.create_string_buffer(b"\xa5" * (size + _GUARD), size + _GUARD)
    image = Image(pixels.tobytes(), pixels.shape[1], pixels.shape[0])
    layout = Layout(width, height, colours, planes)
    status = library.tt_make_input(ctypes.byref(image), Box(*box), ctypes.byref(layout), out)
    assert out.raw[size:] == b"\xa5" * _GUARD
    return None if status else np.frombuffer(out.raw[:size], np.uint8).reshape(height, width, channels)
