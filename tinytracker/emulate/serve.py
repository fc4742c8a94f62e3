"""The emulated board for other programs: its serial line stays open until you end it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from tinytracker.cascade.thresholds import Thresholds
from tinytracker.codegen.kernel import KernelSet
from tinytracker.emulate.board import emulated_board
from tinytracker.emulate.tools import ToolError

_POLL_S = 0.2


def serve_board(
    model: bytes,
    announce: Callable[[str], None],
    kernels: KernelSet | None = None,
    finder: bytes | None = None,
    gate: Thresholds | None = None,
    little: bytes | None = None,
) -> float:
    """Run the emulated board until Ctrl-C, SIGTERM or SIGHUP.

    Args:
        model: the network, a .tflite file's content.
        announce: called with the path of the pseudo-terminal when the board runs.
        kernels: see `emulated_board`.
        finder: see `emulated_board`.
        gate: see `emulated_board`.
        little: see `emulated_board`.

    Returns:
        For how many seconds it ran.

    Raises:
        MissingDependencyError: compiler or emulator are not installed.
        ModelError: the network cannot be generated or does not fit.
        ToolError: the emulator did not start, or ended by itself.
    """
    began = time.monotonic()
    try:
        with emulated_board(model, kernels=kernels, finder=finder, gate=gate, little=little) as board:
            announce(board.port)
            began = time.monotonic()
            while not _ended(board.pid):
                time.sleep(_POLL_S)
            raise ToolError("The emulated board ended by itself.")
    except KeyboardInterrupt:
        return time.monotonic() - began


def _ended(pid: int) -> bool:
    """Whether a child has ended; its status is left for who waits for it."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
