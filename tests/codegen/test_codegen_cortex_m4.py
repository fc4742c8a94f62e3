"""The Cortex-M4 kernels equal TFLite's reference kernels bit for bit: here under sanitizers, and on the emulated M4."""

import zlib

import numpy as np
import pytest
from support.board_c import board_checksums, checksum
from support.host_c import Case, compile_and_run, random_inputs
from support.oracle import builtin_ref
from support.random_ops import CORTEX_M4_OPS, RANDOM_OPS

from tinytracker.codegen import generate
from tinytracker.codegen.cortex_m4 import CortexM4

CASES = 24
INPUTS = 4
NARROW, WIDE = CortexM4(0.01), CortexM4(100.0)
OPS = CORTEX_M4_OPS | {name: RANDOM_OPS[name] for name in ("add", "conv", "dense", "depthwise", "mean")}


def random_cases(name: str) -> list[Case]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    models = [OPS[name](rng) for _ in range(CASES)]
    return [Case(model, random_inputs(model, rng, INPUTS)) for model in models]


@pytest.mark.train
@pytest.mark.parametrize("name", sorted(OPS))
def test_equals_the_reference_kernel(name, tmp_path):
    cases = random_cases(name)
    expected = [builtin_ref(case.model, case.inputs) for case in cases]
    seen: set[int] = set()
    for label, kernels in (("narrow", NARROW), ("wide", WIDE)):
        folder = tmp_path / label
        folder.mkdir()
        host = compile_and_run(cases, folder, kernels=kernels)
        board = board_checksums(cases, folder, kernels)
        for i, (ours, theirs) in enumerate(zip(host, expected, strict=True)):
            for mine, reference in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(mine[0], reference[0], err_msg=f"{label} case {i}")
                seen.update(reference[0].reshape(-1).tolist()[:50])
            assert board[i] == [checksum(row) for row in theirs], f"{label} case {i} on the board"
    assert len(seen) > 20  # the outputs are not all saturated


@pytest.mark.parametrize("name", sorted(CORTEX_M4_OPS))
def test_most_of_these_shapes_get_a_fast_kernel(name, tmp_path):
    rng = np.random.default_rng(5)
    kernels = [generate(OPS[name](rng), tmp_path, kernels=WIDE).steps[0].kernel for _ in range(40)]
    assert sum(kernel.startswith("m4 ") for kernel in kernels) > 25
