"""How a network is divided: every element once, nothing read too early, and one core's output as it was."""

import numpy as np
import pytest
from support.random_ops import CORTEX_M4_OPS, RANDOM_OPS
from support.teams import small_team_net
from support.tflite_nets import tinytracker, tinytracker_s

from tinytracker.codegen import generate
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.fuse import fuse
from tinytracker.codegen.importer import import_graph
from tinytracker.codegen.multicore import divide
from tinytracker.codegen.multicore.division import divisions
from tinytracker.codegen.multicore.parts import Split, view
from tinytracker.codegen.planner import plan_memory
from tinytracker.codegen.reference_kernels import PORTABLE
from tinytracker.errors import UsageError
from tinytracker.model.tflite_file import read_tflite

NETS = {
    "small": small_team_net,
    "TinyTracker": tinytracker,
    "TinyTrackerS": lambda: tinytracker_s(ramps=True),
}
OPS = CORTEX_M4_OPS | {name: RANDOM_OPS[name] for name in ("add", "conv", "dense", "depthwise", "mean")}


def chosen(model: bytes):
    kernels = CortexM4()
    graph, found = kernels.choose(fuse(import_graph(read_tflite(model))))
    return kernels, graph, found


def times_computed(split: Split, shape: tuple[int, int]) -> np.ndarray:
    counts = np.zeros(shape, int)
    for parts in split.rounds:
        for part in parts:
            counts[part.first_position : part.end_position, part.first_channel : part.end_channel] += 1
    return counts


@pytest.mark.parametrize("cores", [2, 3, 4, 5])
def test_every_split_computes_every_element_once(cores):
    rng = np.random.default_rng(cores)
    models = [make() for make in NETS.values()] + [make(rng) for make in OPS.values() for _ in range(3)]
    names = set()
    for model in models:
        kernels, graph, found = chosen(model)
        for node, division in zip(graph.nodes, divisions(kernels, found, graph), strict=True):
            for split in division.splits(cores):
                counts = times_computed(split, view(node.output))
                assert (counts == 1).all(), (node.operator.label, split.name)
                assert all(len(parts) == cores for parts in split.rounds)
                names.add(split.name)
    assert {"positions", "rows", "rows, rest by columns", "channels, rest by rows", "alone"} <= names


@pytest.mark.parametrize("name", sorted(NETS))
@pytest.mark.parametrize("cores", [2, 5])
def test_a_core_reads_only_what_it_wrote_or_what_was_there_before_the_region(name, cores):
    kernels, graph, found = chosen(NETS[name]())
    divided = divide(kernels, found, graph, cores)
    assert [region.first for region in divided.regions[1:]] == [r.end for r in divided.regions[:-1]]
    assert divided.regions[-1].end == len(graph.nodes)
    for region in divided.regions:
        written = {}
        for step, split in zip(range(region.first, region.end), region.splits, strict=True):
            node, division = graph.nodes[step], divided.divisions[step]
            if not division.parameters:
                continue  # core 0 alone; what it aliases is checked by running the network
            inputs = [tensor for tensor in node.inputs if not tensor.is_constant]
            for core in range(cores):
                for part in split.of_core(core):
                    for tensor, needed in zip(inputs, division.needs(part), strict=True):
                        if tensor.index in written:
                            assert any(p.contains(needed) for p in written[tensor.index].of_core(core))
            written[node.output.index] = split


@pytest.mark.parametrize("name", sorted(NETS))
def test_tensors_of_a_region_have_bytes_of_their_own(name):
    """Inside a region the cores are at different steps, so nothing in it may lie where something else of it lies."""
    kernels, graph, found = chosen(NETS[name]())
    divided = divide(kernels, found, graph, 4)
    plan = plan_memory(graph, regions=divided.region_of_steps)
    placed = [(b, plan.offsets[b.tensors[0]]) for b in plan.buffers]
    for i, (one, start) in enumerate(placed):
        for other, place in placed[i + 1 :]:
            together = one.first <= other.last and other.first <= one.last
            assert not together or start + one.size <= place or place + other.size <= start


def test_one_core_is_what_generate_writes_without_the_option(tmp_path):
    model = tinytracker_s(ramps=True)
    for folder, options in (("plain", {}), ("one", {"cores": 1})):
        generate(model, tmp_path / folder, kernels=CortexM4(), **options)
    plain, one = ({p.name: p.read_bytes() for p in (tmp_path / f).iterdir()} for f in ("plain", "one"))
    assert plain == one
    text = b"".join(plain.values())
    assert not [word for word in (b"TT_PARTS", b"tt_part", b"tt_team", b"_CORES") if word in text]


def test_the_same_bytes_every_time(tmp_path):
    for folder in ("a", "b"):
        generate(small_team_net(), tmp_path / folder, kernels=CortexM4(), cores=5)
    a, b = ({p.name: p.read_bytes() for p in (tmp_path / f).iterdir()} for f in "ab")
    assert a == b
    assert b"TT_PARTS" not in b"".join(a.values())


def test_refusals(tmp_path):
    with pytest.raises(UsageError, match="The number of cores is 6; it must be 1 to 5"):
        generate(small_team_net(), tmp_path, kernels=CortexM4(), cores=6)
    with pytest.raises(UsageError, match="portable kernels compute whole layers"):
        generate(small_team_net(), tmp_path, kernels=PORTABLE, cores=2)
