"""Networks divided over 2 to 5 cores equal TFLite's reference kernels, whatever their operators and shapes."""

import numpy as np
import pytest
from support.fuzz import graphs, moves
from support.host_c import Case, compile_and_run, random_inputs
from support.oracle import builtin_ref
from support.random_ops import CORTEX_M4_OPS, RANDOM_OPS
from support.teams import small_team_net
from support.tflite_nets import tinytracker, tinytracker_s

from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.emulate import emulate
from tinytracker.model.tflite_file import read_tflite

pytestmark = pytest.mark.train
OPS = CORTEX_M4_OPS | {
    name: RANDOM_OPS[name] for name in ("add", "conv", "dense", "depthwise", "mean", "padded_conv")
}
FLAGS = ["-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O0"]


def require_equal(models: list[bytes], cores: list[int], folder, kernels: CortexM4) -> None:
    rng = np.random.default_rng(3)
    cases = [Case(model, random_inputs(model, rng, 3)) for model in models]
    found = compile_and_run(cases, folder, FLAGS, kernels, cores)
    for i, (case, outputs) in enumerate(zip(cases, found, strict=True)):
        for mine, reference in zip(outputs, builtin_ref(case.model, case.inputs), strict=True):
            for a, b in zip(mine, reference, strict=True):
                np.testing.assert_array_equal(a, b, err_msg=f"case {i} at {cores[i]} cores")


@pytest.mark.parametrize("each", [1, pytest.param(12, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize(
    "kernels",
    [CortexM4(0.01), pytest.param(CortexM4(100.0), marks=pytest.mark.exhaustive)],
    ids=["narrow", "wide"],
)
def test_one_operator(each, kernels, tmp_path):
    rng = np.random.default_rng(17)
    models = [make(rng) for make in OPS.values() for _ in range(each)]
    require_equal(models, [2 + i % 4 for i in range(len(models))], tmp_path, kernels)


@pytest.mark.parametrize("count", [8, pytest.param(120, marks=pytest.mark.exhaustive)])
def test_random_graphs_with_branches(count, tmp_path):
    rng = np.random.default_rng(23)
    models = [graphs.RandomGraph(rng).build((*graphs.STEPS, *moves.STEPS), moves.ENDS) for _ in range(count)]
    require_equal(models, [2 + i % 4 for i in range(count)], tmp_path, CortexM4())


def test_a_network_with_every_kind_of_part(tmp_path):
    require_equal(
        [small_team_net(size, size) for size in (20, 23, 9, 32)], [2, 3, 4, 5], tmp_path, CortexM4()
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize("make", [tinytracker, lambda: tinytracker_s(ramps=True)])
def test_whole_networks_at_every_number_of_cores(make, tmp_path):
    require_equal([make()] * 4, [2, 3, 4, 5], tmp_path, CortexM4())


@pytest.mark.exhaustive
@pytest.mark.parametrize("cores", [2, 3, 4, 5])
@pytest.mark.parametrize("preset", ["tinytracker-s", "tinytracker", "tinytracker-v2", "tinytracker-s2"])
def test_presets_on_the_emulated_board(preset, cores):
    import keras

    from tinytracker.model.keras_builder import build_keras
    from tinytracker.model.presets import PRESETS
    from tinytracker.quant.ptq import convert

    class Noise:
        def samples(self):
            rng = np.random.default_rng(0)
            for _ in range(3):
                yield {t.name: rng.uniform(-1, 1, (1, *t.shape[1:])).astype(np.float32) for t in model.inputs}

    keras.utils.set_random_seed(0)
    model = build_keras(PRESETS[preset].network())
    report = emulate(convert(model, Noise(), "int8"), 3, kernels=CortexM4(), cores=cores)
    assert (report.equal, report.oracle) == (True, "BUILTIN_REF")


def test_the_random_graphs_have_branches_and_steps_of_core_0():
    rng = np.random.default_rng(23)
    models = [graphs.RandomGraph(rng).build((*graphs.STEPS, *moves.STEPS), moves.ENDS) for _ in range(8)]
    names = {operator.name for model in models for operator in read_tflite(model).operators}
    assert len(names) > 5
