"""The specification in numpy equals TFLite's reference kernels, except where those are wrong themselves."""

import zlib

import numpy as np
import pytest
from support.host_c import Case, compile_and_run, random_inputs
from support.oracle import builtin_ref
from support.random_ops import CORTEX_M4_OPS, RANDOM_OPS, SPECIFIED_OPS, rows_dense
from support.random_recurrent import RANDOM_RECURRENT
from support.random_select import RANDOM_SELECT
from support.tflite_builder import Op, T, build_tflite

from tinytracker.codegen import SUPPORTED_OPERATORS
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.host import GeneratedRuntime
from tinytracker.errors import ModelError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.oracle import oracle_of
from tinytracker.quant.parity import compare_with_oracle, patterns
from tinytracker.quant.specification import (
    SPECIFIED_OPERATORS,
    SpecificationInterpreter,
    reference_is_wrong,
)

OPS = RANDOM_OPS | CORTEX_M4_OPS | RANDOM_SELECT | RANDOM_RECURRENT
MODELS = 20


def specified(model: bytes, inputs: list[list[np.ndarray]]) -> tuple[np.ndarray, ...]:
    return SpecificationInterpreter(model).run([np.stack(of_one) for of_one in zip(*inputs, strict=True)])


@pytest.mark.train
@pytest.mark.parametrize("name", sorted(OPS))
def test_equals_the_reference_kernel(name):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for case in range(MODELS):
        model = OPS[name](rng)
        inputs = random_inputs(model, rng, 6)
        reference = zip(*builtin_ref(model, inputs), strict=True)
        for mine, theirs in zip(specified(model, inputs), reference, strict=True):
            np.testing.assert_array_equal(mine, np.stack(theirs), err_msg=f"case {case}")


def test_covers_every_operator_that_c_is_generated_for():
    assert set(SUPPORTED_OPERATORS) <= set(SPECIFIED_OPERATORS)


def per_channel_rows() -> bytes:
    """Fully connected, weights per channel, three rows of one image that are kept apart."""
    rng = np.random.default_rng(4)
    x = T((1, 3, 4), scales=(0.1,), zero_points=(5,))
    weights = rng.integers(-127, 128, (6, 4)).astype(np.int8)
    filters = T((6, 4), scales=tuple(rng.uniform(0.01, 0.02, 6).tolist()), data=weights)
    y = T((1, 3, 6), scales=(0.3,), zero_points=(-3,))
    op = Op("FULLY_CONNECTED", [0, 1, -1], [2], {"KeepNumDims": True})
    return build_tflite([x, filters, y], [op], [0], [2])


@pytest.mark.train
@pytest.mark.parametrize("name", sorted(SPECIFIED_OPS))
def test_differs_from_the_reference_kernel_in_documented_cases_only(name):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    wrong = 0
    for case in range(40):
        model = SPECIFIED_OPS[name](rng)
        inputs = random_inputs(model, rng, 4)
        (mine,) = specified(model, inputs)
        equal = np.array_equal(mine, np.stack([row[0] for row in builtin_ref(model, inputs)]))
        wrong += not equal
        assert equal or reference_is_wrong(read_tflite(model)), f"case {case}"
    assert wrong > 5


@pytest.mark.parametrize("kernels", [None, CortexM4()], ids=["portable", "cortex-m4"])
def test_dense_on_rows_in_c_equals_the_specification(kernels, tmp_path):
    rng = np.random.default_rng(31)
    models = [rows_dense(rng) for _ in range(40)]
    cases = [Case(model, random_inputs(model, rng, 4)) for model in models]
    options = {} if kernels is None else {"kernels": kernels}
    for case, rows in zip(cases, compile_and_run(cases, tmp_path, **options), strict=True):
        np.testing.assert_array_equal(
            np.stack([row[0] for row in rows]), specified(case.model, case.inputs)[0]
        )


@pytest.mark.train
def test_the_oracle_is_the_specification_where_the_reference_kernels_are_wrong():
    model = per_channel_rows()
    runtime = GeneratedRuntime(model)
    parity = compare_with_oracle(runtime, model, patterns(runtime.contract, 32), "patterns")
    assert (parity.oracle, parity.exact) == ("specification", True)
    assert "operator 0 FULLY_CONNECTED has weights per channel" in reference_is_wrong(read_tflite(model))[0]
    assert oracle_of(RANDOM_OPS["conv"](np.random.default_rng(1))).name == "BUILTIN_REF"


def test_an_operator_without_a_rule_is_named():
    tensors = [T((1, 4), "float32"), T((1, 4), "float32")]
    model = build_tflite(tensors, [Op("COS", [0], [1])], [0], [1])
    with pytest.raises(ModelError, match="the specification has no rule for operator 0 COS"):
        SpecificationInterpreter(model)
