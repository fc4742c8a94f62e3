"""The emulated board as a source of frames: built for a network, started, and reached like any board on a port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tinytracker.errors import UsageError
from tinytracker.measure.link import Link, open_link
from tinytracker.measure.opening import Request
from tinytracker.targets import Target


@contextmanager
def open_source(target: Target, request: Request) -> Iterator[Link]:
    """Build and start the emulated board.

    Raises:
        UsageError: no network was given.
        MissingDependencyError: the emulator or the cross compiler is not installed.
    """
    if request.content is None:
        raise UsageError("The emulated board needs a network.", "Give --run or --model.")
    from tinytracker.emulate import emulated_board

    patience_s = request.patience_s(target)
    gate = None if request.cascade is None else request.cascade.thresholds(little=request.little is not None)
    with (
        emulated_board(request.content, finder=request.finder, gate=gate, little=request.little) as board,
        open_link(board.port, silence_s=patience_s, keep_raw=request.keep_raw) as link,
    ):
        yield link
