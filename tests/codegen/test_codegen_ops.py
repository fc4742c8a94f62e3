"""Every operator in C equals TFLite's reference kernel bit for bit over random cases, under sanitizers."""

import zlib

import numpy as np
import pytest
from support.host_c import Case, compile_and_run, random_inputs
from support.oracle import builtin_ref
from support.random_ops import RANDOM_OPS

CASES = 80
INPUTS = 20
ALL_BYTES = {"tanh", "logistic", "relu", "requantize", "dequantize"}


def all_bytes(dtype: str) -> list[list[np.ndarray]]:
    return [[np.arange(256, dtype=np.uint8).view(dtype).reshape(1, 256)]]


@pytest.mark.train
@pytest.mark.parametrize("name", sorted(RANDOM_OPS))
def test_equals_the_reference_kernel(name, tmp_path):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    cases = []
    for _ in range(CASES):
        model = RANDOM_OPS[name](rng)
        inputs = random_inputs(model, rng, INPUTS)
        cases.append(Case(model, all_bytes(str(inputs[0][0].dtype)) if name in ALL_BYTES else inputs))
    outputs = compile_and_run(cases, tmp_path)
    seen = set()
    for i, (case, ours) in enumerate(zip(cases, outputs, strict=True)):
        theirs = builtin_ref(case.model, case.inputs)
        for ours_row, their_row in zip(ours, theirs, strict=True):
            for mine, reference in zip(ours_row, their_row, strict=True):
                seen.update(reference.reshape(-1).tolist()[:50])
                np.testing.assert_array_equal(mine, reference, err_msg=f"case {i}")
    assert len(seen) > 20  # the outputs are not all saturated
