"""Whether processes that are not our children have ended."""

from __future__ import annotations

import time
from pathlib import Path

LIMIT_S = 60.0
"""Long enough for any machine; a process that ends does not make a test wait for it."""


def is_alive(pid: int) -> bool:
    """Whether a process runs. One that has ended stays as a zombie until its parent, often a new one, looks."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def has_ended(pid: int) -> bool:
    """Wait until a process has ended; False when it is still alive after a minute."""
    end = time.monotonic() + LIMIT_S
    while is_alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
