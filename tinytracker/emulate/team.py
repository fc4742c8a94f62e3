"""Cost of a network that several cores run together, from the counts of all their parts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen import GeneratedLibrary


def barrier_instructions(cores: int) -> int:
    """Return the instructions of a barrier (`tt_team.h`) that all cores have reached; a test counts them."""
    return 5 + 8 * cores


@dataclass(frozen=True)
class RegionCost:
    """Steps between two barriers.

    Attributes:
        first, end: the steps are [first, end).
        instructions: mean per inference, for each core.
    """

    first: int
    end: int
    instructions: tuple[float, ...]


@dataclass(frozen=True)
class TeamCost:
    """What a divided network costs; counted, each core by itself.

    Attributes:
        cores: number of cores. regions: cost of every region.
        scratch_bytes: working memory of each core, outside the arena.
        barriers: instructions of all barriers of one core.
    """

    cores: int
    regions: tuple[RegionCost, ...]
    scratch_bytes: int
    barriers: int

    @property
    def critical_path(self) -> float:
        """Return the instructions of the slowest core of each region, with the barriers.

        Waiting for memory that several cores use at once is not in it.
        """
        return sum(max(region.instructions) for region in self.regions) + self.barriers

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {**asdict(self), "critical_path": self.critical_path}


def team_cost(library: GeneratedLibrary, counts: NDArray[np.int64]) -> TeamCost:
    """Return the cost of a divided network.

    Args:
        library: what was generated.
        counts: instructions (images, steps, cores).
    """
    means = counts.mean(axis=0)
    regions = tuple(
        RegionCost(first, end, tuple(means[first:end].sum(axis=0).tolist())) for first, end in library.regions
    )
    barriers = len(regions) * barrier_instructions(library.cores)
    return TeamCost(library.cores, regions, library.scratch_bytes, barriers)
