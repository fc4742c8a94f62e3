"""One way to compile the renderer's inner loops: no Python in them, cached between runs.

Importing this imports numba; only the renderer's own modules do.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba
import numpy as np

Function = TypeVar("Function", bound=Callable[..., object])

_FAST = {"nsz", "arcp", "contract", "afn", "reassoc"}
"""Float rules that may be relaxed; NaN and infinity keep their meaning."""

F = cast("type[float]", np.float32)
"""32-bit number: what the loops compute with; Python's own integers would widen everything to 64 bits."""


def compiled(function: Function) -> Function:
    """Compile on first call; keep the machine code beside the source or in a cache folder.

    numba looks at the file of the function alone: after a change to a function that another file's loops call,
    delete the `__pycache__` folders.

    A package in a read-only place used by an account without a home has none of the first two, and numba then
    refuses to cache at all; a folder of our own under the system's temporary folder serves instead.
    """
    try:
        jitted: Function = numba.njit(cache=True, fastmath=_FAST, error_model="numpy")(function)
    except RuntimeError:
        folder = (
            Path(tempfile.gettempdir())
            / f"tinytracker-numba-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
        )
        numba.config.CACHE_DIR = str(folder)
        jitted = numba.njit(cache=True, fastmath=_FAST, error_model="numpy")(function)
    return jitted


def inlined(function: Function) -> Function:
    """A part of a `compiled` loop, in whose place its statements are compiled: as fast and exact as written there."""
    jitted: Function = numba.njit(inline="always", fastmath=_FAST, error_model="numpy")(function)
    return jitted


@compiled
def floor(x: float) -> int:
    """The largest whole number not above x, for |x| < 2**31: `math.floor` would be a call in compiled code."""
    whole = int(x)
    return whole - 1 if F(whole) > x else whole
