"""`tinytracker collect --source BOARD`: opens the board whose frames are recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tinytracker.errors import UsageError
from tinytracker.targets import find_target

if TYPE_CHECKING:
    from tinytracker.collect.shots import Shots


@contextmanager
def shots_of(source: str, port: str | None, rpc: str | None, network: Path | None) -> Iterator[Shots]:
    """Open a board and yield its frames.

    Args:
        source: name of its target.
        port: serial port; None for the only one with hardware behind it.
        rpc: URL for commands; None for the target's.
        network: package that is loaded into the sensor, for the AI Camera.

    Raises:
        UsageError: it has no aim, or something is missing.
        DeviceError: it does not answer.
    """
    from tinytracker.collect.shots import SensorShots, SerialShots
    from tinytracker.measure.imx500_frames import Imx500
    from tinytracker.measure.link import Link
    from tinytracker.measure.opening import Request, open_board

    loads = find_target(source).loads
    if loads and network is None:
        raise UsageError(f"No network was named for {source}.", f"Give --network {loads}.")
    if network is not None and not loads:
        raise UsageError(
            f"--network is for boards that are given one; {source} has its network in its firmware.",
            "Omit --network.",
        )
    with open_board(source, Request(port=port, rpc=rpc, network=network, whole=True)) as opened:
        if isinstance(opened, Imx500):
            yield SensorShots(opened)
        else:
            assert isinstance(opened, Link)
            yield SerialShots(opened)
