"""Memory of a network that several cores of a Spresense run: the constraint that a package has to keep."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinytracker.errors import ModelError
from tinytracker.package.rules import Rule, judge, rule

TARGET = "spresense"

RAM_BYTES = 1536 * 1024
"""Bytes of Spresense's main RAM, which holds code, constants and data (the SDK's ramconfig.ld)."""

WORKER_BLOCK_BYTES = 64 * 1024
"""Memory of a worker: one block of ASMP with CONFIG_ASMP_SMALL_BLOCK. Its code and stack take less than a third."""

WORKER_FILE_BYTES = 24 * 1024
"""Bytes of the worker's file inside the main image, rounded up."""

STACK_BYTES = 2048
"""Stack of a core for the network, besides the worker's own."""

SYSTEM_BYTES = 250 * 1024
"""NuttX, its drivers and the application: an assumption, because it depends on the configuration."""

FRAME_BYTES = 320 * 240 * 2
"""A frame buffer of the camera."""


@dataclass(frozen=True)
class Team:
    """The subject of the rules: a network divided over cores, in bytes.

    Attributes:
        cores: number of cores, the main one included.
        constant_bytes, arena_bytes: of the network. scratch_bytes: working memory of each core.
    """

    cores: int
    constant_bytes: int
    arena_bytes: int
    scratch_bytes: int

    @property
    def reserved_bytes(self) -> int:
        """Return what the SDK has to reserve for workers (CONFIG_ASMP_MEMSIZE)."""
        return (self.cores - 1) * WORKER_BLOCK_BYTES

    @property
    def needed_bytes(self) -> int:
        """Return the bytes of everything that has to be in the RAM."""
        network = self.constant_bytes + self.arena_bytes + self.cores * (self.scratch_bytes + STACK_BYTES)
        workers = self.reserved_bytes + (WORKER_FILE_BYTES if self.cores > 1 else 0)
        return network + workers + SYSTEM_BYTES + FRAME_BYTES


@rule(TARGET)
def memory_of_cores(team: Team) -> str | None:
    """Network, workers (64 KB each), a frame buffer and 250 KB for NuttX (assumed) fit into 1,572,864 bytes of RAM.

    Fix: Package for fewer cores, or choose a smaller network.
    Source: ramconfig.ld and CONFIG_ASMP_SMALL_BLOCK of the Spresense SDK.
    """
    return None if team.needed_bytes <= RAM_BYTES else f"{team.needed_bytes:,} bytes at {team.cores} cores"


RULES: tuple[Rule[Team], ...] = (memory_of_cores,)


def require_room(team: Team) -> None:
    """Refuse a network that does not fit with its workers.

    Raises:
        ModelError: names the bytes, and the largest number of cores that fits.
    """
    for verdict in judge(RULES, team):
        if not verdict.ok:
            fewer = (replace(team, cores=n) for n in range(team.cores - 1, 0, -1))
            fitting = next((other.cores for other in fewer if not memory_of_cores.check(other)), None)
            found = verdict.details[0]
            raise ModelError(
                f"The network and its workers need {found}; Spresense has {RAM_BYTES:,}.",
                f"Use --cores {fitting}, which fits."
                if fitting
                else "No number of cores fits; choose a smaller network.",
            )
