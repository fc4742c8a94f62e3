"""What several cores lose to each other in memory: a bound, under an assumption that we could not test on a board.

The assumption: memory consists of tiles of 128 KB, as in a Spresense, and a tile serves one access (up to a word, of
one core) per cycle; the others wait, in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinytracker.emulate.work import Work

TILE_BYTES = 128 * 1024

ASSUMPTION = (
    "assuming one access per 128 KB tile and cycle, and code and scratch memory of its own for each core"
)


@dataclass(frozen=True)
class ParallelCycles:
    """Modelled cycles of an inference on several cores, without wait states.

    Attributes:
        cores: that take part.
        alone: critical path: the slowest core of each region, summed, if no core ever waited for another.
        at_most: the same if every access to data waited for all other cores.
        shared_code_at_least: cycles that fetching alone takes if all cores run the same copy of the code from one tile.
    """

    cores: int
    alone: int
    at_most: int
    shared_code_at_least: int


def parallel_cycles(regions: Sequence[Sequence[Work]]) -> ParallelCycles:
    """Return the cycles of regions that end with a barrier.

    An access that finds its tile busy waits at most until each other core has had its turn: `cores - 1` cycles. So a
    core needs at most its own cycles plus `cores - 1` for each of its accesses to data, whatever the tiles hold.

    Args:
        regions: one row per region, with the work of each core in it.
    """
    cores = max((len(region) for region in regions), default=1)
    waits = cores - 1
    return ParallelCycles(
        cores=cores,
        alone=sum(max(work.cycles for work in region) for region in regions),
        at_most=sum(max(work.cycles + waits * work.data_words for work in region) for region in regions),
        shared_code_at_least=sum(work.fetched_words for region in regions for work in region),
    )
