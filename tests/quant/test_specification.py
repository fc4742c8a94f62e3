"""The specification in numpy equals TFLite's reference kernels, except where those are wrong themselves."""

import zlib

import numpy as np
import pytest
from support.host_c import random_inputs
from support.oracle import builtin_ref
from support.random_ops import CORTEX_M4_OPS, RANDOM_OPS

from tinytracker.codegen import SUPPORTED_OPERATORS
from tinytracker.quant.specification import SPECIFIED_OPERATORS, SpecificationInterpreter

OPS = {**RANDOM_OPS, **CORTEX_M4_OPS}
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
