"""Places every run-time tensor in one static arena.

Tensors that are never needed at the same time share bytes. Steps that read each value before they write the
same place (element-wise ones, tables, reshapes) overwrite an input that nothing needs afterwards. Offsets
are found first-fit or best-fit over several orders of placement, among them the order that TensorFlow Lite
for Microcontrollers uses (largest first), so that the result is never worse than TFLM's. The search stops when
it reaches the largest sum of bytes that are alive together, below which no plan exists.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinytracker.codegen.graph import Add, Alias, Graph, Lookup, Mul, Node
from tinytracker.codegen.graph_values import Pairwise, QuantizedPair
from tinytracker.model.tflite_model import Tensor

ALIGNMENT = 8
"""Offsets are multiples of this; enough for float32 tensors and for 64-bit loads."""

_RANDOM_ORDERS = 2000


@dataclass(frozen=True)
class Buffer:
    """Bytes that one or more tensors share.

    Attributes:
        tensors: indices of the tensors that are stored here, one after the other in time.
        size: bytes, a multiple of `ALIGNMENT`.
        first: step that first writes or needs it. last: last step that needs it.
    """

    tensors: tuple[int, ...]
    size: int
    first: int
    last: int


@dataclass(frozen=True)
class MemoryPlan:
    """The arena.

    Attributes:
        offsets: byte offset per tensor index.
        scratch_offsets: byte offset of the working memory, for each step that asked for some.
        arena_bytes: size of the arena.
        lower_bound: largest number of bytes alive in one step after sharing; no plan of the same steps can be smaller.
        buffers: what was placed.
    """

    offsets: dict[int, int]
    scratch_offsets: dict[int, int]
    arena_bytes: int
    lower_bound: int
    buffers: tuple[Buffer, ...]


def plan_memory(
    graph: Graph, scratch_bytes: Sequence[int] = (), regions: Sequence[int] | None = None
) -> MemoryPlan:
    """Place every run-time tensor of the graph, its inputs and outputs included.

    Args:
        graph: steps in execution order.
        scratch_bytes: working memory per step; may be empty when no step needs any.
        regions: number of the region of each step, from 0 in steps of one, when several cores may run different steps
            of a region at the same time; then nothing in the arena may depend on the order inside a region.
    """
    numbers = range(len(graph.nodes)) if regions is None else regions
    buffers = _buffers(graph, scratch_bytes, numbers)
    bound = _lower_bound(buffers, _count(numbers))
    placed, size = _best_placement(buffers, bound)
    offsets = {tensor: offset for buffer, offset in placed for tensor in buffer.tensors if tensor >= 0}
    scratch_offsets = {-1 - t: offset for buffer, offset in placed for t in buffer.tensors if t < 0}
    return MemoryPlan(offsets, scratch_offsets, size, bound, tuple(buffer for buffer, _ in placed))


def peak_bytes(graph: Graph, scratch_bytes: Sequence[int] = ()) -> int:
    """Return the largest number of bytes alive in one step: `MemoryPlan.lower_bound` without searching for a plan."""
    numbers = range(len(graph.nodes))
    return _lower_bound(_buffers(graph, scratch_bytes, numbers), len(numbers))


def plan_buffers(graph: Graph) -> list[Buffer]:
    """Return what has to be placed for one core, without working memory."""
    return _shared_buffers(graph, range(len(graph.nodes)))


def _buffers(graph: Graph, scratch_bytes: Sequence[int], numbers: Sequence[int]) -> list[Buffer]:
    scratch = {step: size for step, size in enumerate(scratch_bytes) if size}
    working = [
        Buffer((-1 - step,), _aligned(size), numbers[step], numbers[step]) for step, size in scratch.items()
    ]
    return _shared_buffers(graph, numbers) + working


def _count(numbers: Sequence[int]) -> int:
    return numbers[-1] + 1 if len(numbers) else 0


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _lifetimes(graph: Graph, numbers: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return the first and last step (or region) of each run-time tensor.

    Inputs exist from step 0, outputs past the last step.
    """
    spans: dict[int, tuple[int, int]] = {t.index: (0, 0) for t in graph.inputs}
    for step, node in zip(numbers, graph.nodes, strict=True):
        for tensor in node.inputs:
            if not tensor.is_constant:
                spans[tensor.index] = (spans[tensor.index][0], step)
        spans[node.output.index] = (step, step)
    for tensor in graph.outputs:
        spans[tensor.index] = (spans[tensor.index][0], _count(numbers))
    return spans


def _shared_buffers(graph: Graph, numbers: Sequence[int]) -> list[Buffer]:
    """Return one buffer per tensor, merged where a step can overwrite an input that dies there."""
    spans = _lifetimes(graph, numbers)
    sizes = {t.index: _aligned(t.nbytes) for t in _runtime_tensors(graph)}
    chains: dict[int, list[int]] = {index: [index] for index in spans}
    ends = {index: span[1] for index, span in spans.items()}  # last use of the whole chain
    for step, node in enumerate(graph.nodes):
        for tensor in _overwritable(node):
            chain = chains.get(tensor.index)
            if chain is None or chain is chains[node.output.index]:
                continue
            alias = isinstance(node, Alias)
            if not alias and (
                ends[chain[0]] > numbers[step]
                or sizes[node.output.index] > max(sizes[t] for t in chain)
                or _read_beside(graph, numbers, step, chain)
            ):
                continue
            chain.append(node.output.index)
            chains[node.output.index] = chain
            ends[chain[0]] = max(ends[chain[0]], spans[node.output.index][1])
            break
    unique = {id(chain): chain for chain in chains.values()}.values()
    return [
        Buffer(tuple(chain), max(sizes[t] for t in chain), min(spans[t][0] for t in chain), ends[chain[0]])
        for chain in unique
    ]


def _read_beside(graph: Graph, numbers: Sequence[int], step: int, chain: Sequence[int]) -> bool:
    """Return True when another step of the same region, perhaps later on another core, reads a tensor of a chain."""
    return any(
        numbers[other] == numbers[step] and other != step and tensor.index in chain
        for other, node in enumerate(graph.nodes)
        for tensor in node.inputs
    )


def _runtime_tensors(graph: Graph) -> Iterable[Tensor]:
    yield from graph.inputs
    for node in graph.nodes:
        yield node.output


def _overwritable(node: Node) -> list[Tensor]:
    """Return the inputs that this step may overwrite with its output: it reads element i before it writes element i."""
    if isinstance(node, Alias | Lookup):
        return [node.inputs[0]]
    if isinstance(node, Add | Mul | Pairwise | QuantizedPair):
        return [t for t in node.inputs if t.shape == node.output.shape and not t.is_constant]
    return []


def _lower_bound(buffers: Sequence[Buffer], steps: int) -> int:
    alive = [0] * (steps + 2)
    for buffer in buffers:
        alive[buffer.first] += buffer.size
        alive[buffer.last + 1] -= buffer.size
    total = peak = 0
    for change in alive:
        total += change
        peak = max(peak, total)
    return peak


def _best_placement(buffers: Sequence[Buffer], bound: int) -> tuple[list[tuple[Buffer, int]], int]:
    orders = [
        sorted(buffers, key=lambda b: (-b.size, b.first)),
        sorted(buffers, key=lambda b: (-(b.last - b.first), -b.size)),
        sorted(buffers, key=lambda b: (-b.size * (b.last - b.first + 1), b.first)),
        sorted(buffers, key=lambda b: (b.first, -b.size)),
        sorted(buffers, key=lambda b: (-b.last, -b.size)),
    ]
    best: list[tuple[Buffer, int]] = []
    best_size: int | None = None
    rng = random.Random(0)  # the same model always gives the same plan
    for attempt in range(len(orders) + _RANDOM_ORDERS):
        if attempt < len(orders):
            order = orders[attempt]
        else:
            # Swap two neighbours of the best order so far: small changes keep most of what fits.
            order = [buffer for buffer, _ in best]
            i, j = rng.randrange(len(order)), rng.randrange(len(order))
            order.insert(j, order.pop(i))
        for best_fit in (False, True):
            placed, size = _place(order, best_fit)
            if best_size is None or size < best_size:
                best, best_size = placed, size
        if best_size == bound:
            break
    return best, best_size or 0


def _place(order: Sequence[Buffer], best_fit: bool) -> tuple[list[tuple[Buffer, int]], int]:
    """Put each buffer into the first (or tightest) gap between those that live at the same time."""
    placed: list[tuple[Buffer, int]] = []
    end = 0
    for buffer in order:
        rivals = sorted(
            (offset, offset + other.size)
            for other, offset in placed
            if other.first <= buffer.last and buffer.first <= other.last
        )
        offset = _gap(rivals, buffer.size, best_fit)
        placed.append((buffer, offset))
        end = max(end, offset + buffer.size)
    return placed, end


def _gap(rivals: Sequence[tuple[int, int]], size: int, best_fit: bool) -> int:
    """Return the offset of a gap of at least `size` between the occupied ranges (sorted), or behind them."""
    top, chosen, chosen_room = 0, -1, 0
    for start, end in rivals:
        room = start - top
        if room >= size and (chosen < 0 or room < chosen_room):
            chosen, chosen_room = top, room
            if not best_fit:
                break
        top = max(top, end)
    return chosen if chosen >= 0 else top
