"""Divides steps over cores, and decides where the cores wait for each other: dynamic programming over a cost function.

A region is a run of steps between two barriers. Inside it, a core may only read what it has written itself, or what was
there before the region. All tensors of a region exist at the same time, so long regions need a larger arena.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinytracker.codegen.graph import Alias, Graph, Node
from tinytracker.codegen.multicore.parts import Division, Part, Split, view, whole
from tinytracker.codegen.planner import Buffer, plan_buffers

BARRIER_INSTRUCTIONS = 200.0
"""Price of a barrier. Passing it takes `5 + 8 * cores` instructions; the rest stands for the time until a core sees the
flags of the others, which nobody has measured on a Spresense: an assumption."""

MORE_ARENA_BYTES = 15 * 1024
"""Limit of what regions may add to the bytes that the largest single step needs."""

_PRICE_OF_ARENA = 0.001
"""A kilobyte of arena has to shorten the critical path by this share."""

_PRICE_OF_WORK = 0.05
"""Weight of the mean work of the cores beside the work of the slowest one."""

_MAX_STEPS = 6
_MAX_CANDIDATES = 24


@dataclass(frozen=True)
class Region:
    """Steps [first, end) between two barriers, and the split of each."""

    first: int
    end: int
    splits: tuple[Split, ...]


@dataclass(frozen=True)
class _Candidate:
    """The steps of a region so far: their splits, the work of each core, and which part of a tensor each core wrote."""

    splits: tuple[Split, ...]
    work: tuple[float, ...]
    written: dict[int, tuple[tuple[Part, ...], ...]]

    @property
    def cost(self) -> float:
        return max(self.work) + _PRICE_OF_WORK * sum(self.work) / len(self.work)


def choose_regions(graph: Graph, divisions: Sequence[Division], cores: int) -> tuple[Region, ...]:
    """Return the regions of a network and the splits of its steps, with the least estimated time and little memory."""
    if not graph.nodes:
        return ()
    possible = _possible_regions(graph, divisions, cores)
    floor = max(option.alive for option in possible if option.region.end == option.region.first + 1)
    limits = sorted({max(option.alive, floor) for option in possible})
    choices = []
    for limit in (limit for limit in limits if limit <= floor + MORE_ARENA_BYTES):
        cost, regions = _cheapest(len(graph.nodes), [option for option in possible if option.alive <= limit])
        choices.append((cost * (1 + _PRICE_OF_ARENA * (limit - floor) / 1024), limit, regions))
    return min(choices, key=lambda choice: choice[:2])[2]


@dataclass(frozen=True)
class _Option:
    """A region with its cheapest splits, their cost, and the bytes of the tensors that exist during it."""

    region: Region
    cost: float
    alive: int


def _possible_regions(graph: Graph, divisions: Sequence[Division], cores: int) -> list[_Option]:
    """Return every run of steps that needs no barrier inside."""
    buffers = plan_buffers(graph)
    table = _work_table(divisions, cores)
    count = len(graph.nodes)
    found = []
    for first in range(count):
        candidates = [_Candidate((), (0.0,) * cores, {})]
        for step in range(first, min(first + _MAX_STEPS, count)):
            candidates = _extended(candidates, graph.nodes[step], divisions[step], table[step])
            if not candidates:
                break
            region = Region(first, step + 1, candidates[0].splits)
            found.append(_Option(region, candidates[0].cost, _alive(buffers, first, step + 1)))
    return found


def _cheapest(count: int, possible: Sequence[_Option]) -> tuple[float, tuple[Region, ...]]:
    """Return the cheapest sequence of regions that covers `count` steps: dynamic programming over where they end."""
    best: list[tuple[float, tuple[Region, ...]] | None] = [(0.0, ()), *(None,) * count]
    for option in possible:  # in the order of their first steps
        start, region = best[option.region.first], option.region
        assert start is not None  # every step alone is a region
        cost = start[0] + option.cost + BARRIER_INSTRUCTIONS
        known = best[region.end]
        if known is None or cost < known[0]:
            best[region.end] = cost, (*start[1], region)
    last = best[count]
    assert last is not None
    return last


def _alive(buffers: Sequence[Buffer], first: int, end: int) -> int:
    """Return the bytes that exist during steps [first, end)."""
    return sum(b.size for b in buffers if b.first < end and b.last >= first)


def _work_table(divisions: Sequence[Division], cores: int) -> list[list[tuple[Split, tuple[float, ...]]]]:
    """Return, for each step, its splits and the estimated work of every core."""
    return [
        [
            (split, tuple(sum(division.instructions(p) for p in split.of_core(c)) for c in range(cores)))
            for split in division.splits(cores)
        ]
        for division in divisions
    ]


def _extended(
    candidates: Sequence[_Candidate],
    node: Node,
    division: Division,
    options: Sequence[tuple[Split, tuple[float, ...]]],
) -> list[_Candidate]:
    """Return the cheapest candidates with one more step."""
    longer = []
    for candidate in candidates:
        for split, work in options:
            parts = tuple(split.of_core(core) for core in range(len(work)))
            written = _after(candidate.written, node, division, parts)
            if written is not None:
                total = tuple(a + b for a, b in zip(candidate.work, work, strict=True))
                longer.append(_Candidate((*candidate.splits, split), total, written))
    return sorted(longer, key=lambda c: c.cost)[:_MAX_CANDIDATES]


def _after(
    written: dict[int, tuple[tuple[Part, ...], ...]],
    node: Node,
    division: Division,
    parts: tuple[tuple[Part, ...], ...],
) -> dict[int, tuple[tuple[Part, ...], ...]] | None:
    """Return what each core has written after this step; None when a core needs what another one writes."""
    if isinstance(node, Alias):
        source = node.inputs[0]
        if source.index not in written:
            return written
        same = view(source) == view(node.output)
        renamed = [_renamed(own, same, whole(source), whole(node.output)) for own in written[source.index]]
        known = tuple(own for own in renamed if own is not None)
        return written | {node.output.index: known} if len(known) == len(renamed) else None
    inputs = [tensor for tensor in node.inputs if not tensor.is_constant]
    for core, own in enumerate(parts):
        for part in own:
            for tensor, needed in zip(inputs, division.needs(part), strict=True):
                there = written.get(tensor.index)
                if there is not None and not any(p.contains(needed) for p in there[core]):
                    return None
    return written | {node.output.index: parts}


def _renamed(own: tuple[Part, ...], same: bool, source: Part, output: Part) -> tuple[Part, ...] | None:
    """Return parts of a tensor as parts of the same bytes under another shape; None when they are not such parts."""
    if same or not own:
        return own
    return (output,) if source in own else None
