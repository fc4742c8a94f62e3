"""Compilation of the renderer's inner loops: no Python in them, cached between runs.

Importing this module imports numba; only the renderer's modules do so.
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
"""Relaxed floating-point rules; NaN and infinity keep their meaning."""

F = cast("type[float]", np.float32)
"""32-bit float type of the loops; Python's integers would widen everything to 64 bits."""


def compiled(function: Function) -> Function:
    """Compile on first call; the machine code is cached beside the source or in the user's cache folder.

    numba checks only the file of the function itself: after changing a function that loops in other files call,
    delete the `__pycache__` folders.

    Where the package folder is read-only and the account has no home, neither place exists, and numba refuses to
    cache; then a folder below the system's temporary folder is used.
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
    """Mark a part of a `compiled` loop to be inlined: as fast and bit-exact as if written in the loop."""
    jitted: Function = numba.njit(inline="always", fastmath=_FAST, error_model="numpy")(function)
    return jitted


@compiled
def floor(x: float) -> int:
    """Return the largest integer not above x, for |x| < 2**31: `math.floor` would be a call in compiled code."""
    whole = int(x)
    return whole - 1 if F(whole) > x else whole
