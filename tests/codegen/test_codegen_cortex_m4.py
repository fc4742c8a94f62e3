"""The Cortex-M4 kernels equal TFLite's reference kernels bit for bit: here under sanitizers, and on the emulated M4."""

import zlib

import numpy as np
import pytest
from support.board_c import board_checksums, checksum
from support.host_c import Case, compile_and_run, random_inputs
from support.oracle import builtin_ref
from support.random_ops import CORTEX_M4_OPS, RANDOM_OPS
from support.tflite_builder import Op, T, build_tflite, conv_options
from support.tflite_nets import NetBuilder

from tinytracker.codegen import generate
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.reference_kernels import PORTABLE

CASES = (8, pytest.param(24, marks=pytest.mark.exhaustive))
INPUTS = 4
NARROW, WIDE = CortexM4(0.01), CortexM4(100.0)
OPS = CORTEX_M4_OPS | {
    name: RANDOM_OPS[name] for name in ("add", "conv", "dense", "depthwise", "mean", "padded_conv")
}


def random_cases(name: str, count: int) -> list[Case]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    models = [OPS[name](rng) for _ in range(count)]
    return [Case(model, random_inputs(model, rng, INPUTS)) for model in models]


@pytest.mark.train
@pytest.mark.parametrize("count", CASES)
@pytest.mark.parametrize("name", sorted(OPS))
def test_equals_the_reference_kernel(name, count, tmp_path):
    cases = random_cases(name, count)
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


@pytest.mark.train
@pytest.mark.parametrize("code", ["CONV_2D", "DEPTHWISE_CONV_2D"])
@pytest.mark.parametrize("out_scale", [2.0**-3, 2.0**60])
def test_sums_at_the_ends_of_32_bits(code, out_scale, tmp_path):
    """With ordinary factors, and with one so small that its multiplier is 0."""
    x = T((1, 3, 3, 4), scales=(2.0**-4,), zero_points=(-128,))
    shape = (4, 1, 1, 4) if code == "CONV_2D" else (1, 3, 3, 4)
    weights = T(
        shape, scales=(2.0**-4,), axis=0 if code == "CONV_2D" else 3, data=np.full(shape, 127, np.int8)
    )
    y = T((1, 3, 3, 4), scales=(out_scale,), zero_points=(17,))
    ends = np.array([-(2**31), 2**31 - 1, 2**31 - 140_000, 2**30], np.int64).astype(np.int32)
    bias = T((4,), "int32", (2.0**-8,), data=ends)
    options = conv_options(**({} if code == "CONV_2D" else {"DepthMultiplier": 1}))
    model = build_tflite([x, weights, y, bias], [Op(code, [0, 1, 3], [2], options)], [0], [2])
    case = Case(model, random_inputs(model, np.random.default_rng(2), 5))
    expected = builtin_ref(model, case.inputs)
    assert compile_and_run([case], tmp_path, kernels=WIDE)[0][0][0].tolist() == expected[0][0].tolist()
    assert board_checksums([case], tmp_path, WIDE)[0] == [checksum(row) for row in expected]


@pytest.mark.parametrize("name", sorted(CORTEX_M4_OPS))
def test_most_of_these_shapes_get_a_fast_kernel(name, tmp_path):
    rng = np.random.default_rng(5)
    kernels = [generate(OPS[name](rng), tmp_path, kernels=WIDE).steps[0].kernel for _ in range(40)]
    assert sum(kernel.startswith("m4 ") for kernel in kernels) > 25


def test_a_long_dense_row_takes_no_working_memory(tmp_path):
    tensors = [
        T((1, 4000), scales=(0.1,), zero_points=(-128,)),
        T((4, 4000), scales=(0.01,), data=np.ones((4, 4000), np.int8)),
        T((1, 4), scales=(0.5,), zero_points=(0,)),
    ]
    model = build_tflite(tensors, [Op("FULLY_CONNECTED", [0, 1, -1], [2])], [0], [2])
    library = generate(model, tmp_path, kernels=CortexM4())
    assert library.steps[0].kernel == "m4 long dense"
    assert library.arena_bytes == generate(model, tmp_path, kernels=PORTABLE).arena_bytes == 4000 + 8


def test_a_weights_budget_that_is_too_small_is_said(tmp_path, capsys):
    made = NetBuilder((1, 8, 8, 1))
    made.conv(4, 3, 2)
    generate(made.build(), tmp_path, kernels=CortexM4(0.5))
    said = capsys.readouterr().err
    assert "a weights budget of 0.5 is too small: the smallest code and constants take" in " ".join(
        said.split()
    )
