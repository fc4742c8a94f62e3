"""Memory plans: nothing alive is overwritten, sharing is found, never worse than largest-first."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tflite_builder import Op, T, build_tflite

from tinytracker.codegen.importer import import_graph
from tinytracker.codegen.planner import ALIGNMENT, Buffer, _best_placement, _lower_bound, plan_memory
from tinytracker.model.tflite_file import read_tflite

STEPS = 12


@st.composite
def buffers(draw):
    rows = draw(
        st.lists(
            st.tuples(st.integers(1, 50), st.integers(0, STEPS), st.integers(0, 5)), min_size=1, max_size=25
        )
    )
    return [
        Buffer((i,), size * ALIGNMENT, first, min(first + length, STEPS))
        for i, (size, first, length) in enumerate(rows)
    ]


def largest_first(items: list[Buffer]) -> int:
    """The greedy planner of the microcontroller runtime, written independently."""
    placed: list[tuple[int, Buffer]] = []
    for item in sorted(items, key=lambda b: (-b.size, b.first)):
        offset = 0
        for start, other in sorted(placed, key=lambda p: p[0]):
            if other.last < item.first or item.last < other.first:
                continue
            if start - offset >= item.size:
                break
            offset = max(offset, start + other.size)
        placed.append((offset, item))
    return max(start + item.size for start, item in placed)


@settings(max_examples=60, deadline=None)
@given(buffers())
def test_no_two_living_buffers_overlap_and_greedy_is_never_better(items):
    bound = _lower_bound(items, STEPS)
    placed, size = _best_placement(items, bound)
    for i, (a, at) in enumerate(placed):
        assert at % ALIGNMENT == 0
        assert at + a.size <= size
        for b, bt in placed[i + 1 :]:
            if a.first <= b.last and b.first <= a.last:
                assert at + a.size <= bt or bt + b.size <= at
    assert bound <= size <= largest_first(items)


def q(shape=(1, 64)):
    return T(shape, scales=(0.1,))


def test_elementwise_chains_run_in_place():
    operators = [Op("RELU", [0], [1]), Op("TANH", [1], [2]), Op("ADD", [2, 2], [3])]
    plan = plan_memory(import_graph(read_tflite(build_tflite([q(), q(), q(), q()], operators, [0], [3]))))
    assert plan.arena_bytes == 64


def test_an_input_that_is_needed_later_is_not_overwritten():
    operators = [Op("RELU", [0], [1]), Op("ADD", [0, 1], [2])]
    plan = plan_memory(import_graph(read_tflite(build_tflite([q(), q(), q()], operators, [0], [2]))))
    assert plan.offsets[0] != plan.offsets[1]
    assert plan.arena_bytes == 128


def test_a_reshaped_tensor_that_is_read_under_both_shapes_is_not_overwritten():
    tensors = [q(), q(), q((8, 8)), q((8, 8)), q((1, 64))]
    operators = [
        Op("RELU", [0], [1]),
        Op("RESHAPE", [1], [2], {"NewShape": [8, 8]}),
        Op("RELU6", [2], [3]),
        Op("ADD", [1, 1], [4]),
    ]
    model = build_tflite(tensors, operators, [0], [3, 4])
    plan = plan_memory(import_graph(read_tflite(model)))
    assert plan.offsets[1] == plan.offsets[2]
    assert plan.offsets[3] != plan.offsets[2]


def test_a_broadcast_operand_is_not_the_place_of_the_result():
    small = T((1, 1, 1, 4), scales=(0.1,))
    tensors = [T((1, 4, 4, 4), scales=(0.1,)), small, T((1, 4, 4, 4), scales=(0.1,))]
    plan = plan_memory(
        import_graph(read_tflite(build_tflite(tensors, [Op("MUL", [0, 1], [2])], [0, 1], [2])))
    )
    assert plan.offsets[2] == plan.offsets[0]


def test_scratch_memory_is_placed_for_its_step_only():
    operators = [Op("RELU", [0], [1]), Op("TANH", [1], [2])]
    graph = import_graph(read_tflite(build_tflite([q(), q(), q()], operators, [0], [2])))
    plan = plan_memory(graph, [0, 100])
    assert list(plan.scratch_offsets) == [1]
    assert plan.arena_bytes == 64 + 104
    assert np.all(np.array(list(plan.scratch_offsets.values())) % ALIGNMENT == 0)
