"""A short, always equal run of the fuzzer; `make fuzz` runs it with networks of its own."""

import pytest
from support.fuzz.compare import Comparison, random_case
from support.host_c import COMPILER

from tinytracker.model.tflite_file import read_tflite


@pytest.mark.train
@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
@pytest.mark.parametrize("count", [5, pytest.param(16, marks=pytest.mark.exhaustive)])
def test_all_runtimes_agree_on_random_networks(count):
    comparison = Comparison()
    try:
        comparison.run(22, range(count))
    finally:
        comparison.close()
    tally = comparison.tally
    assert [failure.what for failure in tally.failures] == []
    assert tally.networks == count
    others = tally.counts["BUILTIN equals"] + tally.counts["BUILTIN differs"]
    assert others > 0.75 * count  # the others did run


def test_a_network_depends_on_its_seed_and_number_alone():
    first, again, other = random_case(3, 7), random_case(3, 7), random_case(3, 8)
    assert first.model == again.model != other.model
    assert all((a == b).all() for a, b in zip(first.inputs[0], again.inputs[0], strict=True))


def test_networks_have_branches_several_operators_and_float_ends():
    models = [read_tflite(random_case(1, index).model) for index in range(120)]
    names = {operator.name for model in models for operator in model.operators}
    assert {
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "ADD",
        "MUL",
        "CONCATENATION",
        "SOFTMAX",
    } <= names
    assert any(len(model.operators) > 5 for model in models)
    assert any(len(model.outputs) > 1 for model in models)
    assert any(model.input_tensors()[0].dtype == "float32" for model in models)
