"""Networks with state see their frames in order and begin anew with each call, wherever they run."""

import json

import numpy as np
import pytest
from support.host_c import COMPILER, random_inputs
from support.random_recurrent import lstm, svdf

from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.host import GeneratedRuntime
from tinytracker.errors import ParityError
from tinytracker.interpreters.base import run_in_parts
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.interpreters.tflite import ReferenceInterpreter
from tinytracker.package import package
from tinytracker.package.spresense.options import Options
from tinytracker.quant.specification import SpecificationInterpreter

FRAMES = 40
NETWORKS = {"lstm": (lstm, 4), "svdf": (svdf, 4)}
"""With seeds that give state which matters: outputs are not saturated."""

pytestmark = [pytest.mark.train, pytest.mark.skipif(COMPILER is None, reason="no C compiler")]


@pytest.fixture(params=sorted(NETWORKS))
def network(request):
    make, seed = NETWORKS[request.param]
    rng = np.random.default_rng(seed)
    content = make(rng)
    inputs = [np.stack(frames) for frames in zip(*random_inputs(content, rng, FRAMES), strict=True)]
    return content, inputs, request.param == "svdf"  # TFLM's LSTM takes logistic and tanh from tables


def test_every_runtime_carries_the_state_through_a_call_and_forgets_it_after(network):
    content, inputs, micro_equals = network
    reference = ReferenceInterpreter(content)
    (expected,) = reference.run(inputs)
    backwards = [array[::-1] for array in inputs]
    assert not np.array_equal(reference.run(backwards)[0][::-1], expected)  # the order matters
    runtimes = [
        reference, SpecificationInterpreter(content), GeneratedRuntime(content), GeneratedRuntime(content, CortexM4()),
        *([MicroInterpreter(content)] if micro_equals else []),
    ]  # fmt: skip
    for runtime in runtimes:
        for _ in range(2):
            np.testing.assert_array_equal(runtime.run(inputs)[0], expected, err_msg=runtime.name)
    parts = {runtime.name: run_in_parts(runtime, inputs)[0].tobytes() for runtime in runtimes}
    assert len(set(parts.values())) == 1, parts.keys()


@pytest.mark.parametrize("runtime", ["c", "tflm"])
def test_a_package_proves_it(network, tmp_path, runtime):
    content, _, micro_equals = network
    model = tmp_path / "sequence.tflite"
    model.write_bytes(content)
    if runtime == "tflm" and not micro_equals:
        with pytest.raises(ParityError, match=r"TFLM differs from BUILTIN_REF .* generated C instead"):
            package(model, "spresense", tmp_path / "out", options=Options(runtime=runtime))
        return
    folder = package(model, "spresense", tmp_path / "out", options=Options(runtime=runtime)).folder
    parity = json.loads((folder / "manifest.json").read_text())["parity"]
    assert (parity["oracle"], parity["images"], parity["differing"]) == ("BUILTIN_REF", 64, 0)
    assert parity["distinct_outputs"] > 16
    reset = {"c": "`model_reset()`", "tflm": "`interpreter.Reset()`"}[runtime]
    assert f"{reset} begins a new sequence" in (folder / "README.md").read_text()
    if runtime == "c":
        assert "void model_reset(void);" in (folder / "run" / "network" / "model.h").read_text()
