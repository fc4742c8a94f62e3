"""Softmax over many classes: from sums of 512 on TFLite's integer arithmetic shifts by 32 bits, which means nothing."""

import numpy as np
import pytest
from support.board_c import board_checksums, checksum
from support.host_c import Case, compile_and_run, random_inputs
from support.oracle import builtin_ref
from support.random_ops import wide_softmax
from support.tflite_builder import Op, T, build_tflite

from tinytracker.codegen import generate
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.reference_kernels import PORTABLE
from tinytracker.errors import ModelError
from tinytracker.quant.specification import SpecificationInterpreter

WIDTHS = {256: -127, 511: -127, 512: -127, 513: -128, 600: -128, 1024: -128, 4096: -128, 65_536: -128}
"""Classes -> code of 1/classes, to the nearest step of 1/256; half a step (512 classes) is rounded up."""


def softmax(classes: int) -> bytes:
    x = T((1, classes), scales=(0.1,), zero_points=(3,))
    y = T((1, classes), scales=(1 / 256,), zero_points=(-128,))
    return build_tflite([x, y], [Op("SOFTMAX", [0], [1], {"Beta": 1.0})], [0], [1])


def specified(case: Case) -> list[list[np.ndarray]]:
    outputs = SpecificationInterpreter(case.model).run([np.stack([values[0] for values in case.inputs])])
    return [[row] for row in outputs[0]]


def flat(classes: int) -> Case:
    return Case(softmax(classes), [[np.full((1, classes), level, np.int8)] for level in (-128, 0, 127)])


def peaked(classes: int) -> Case:
    """One class in front of all others by a growing distance: from half a step to nearly certain."""
    rows = np.full((12, 1, classes), -100, np.int8)
    rows[:, 0, classes // 2] += np.arange(0, 12 * 9, 9, np.int8)
    return Case(softmax(classes), [[row] for row in rows])


@pytest.mark.parametrize("kernels", [PORTABLE, CortexM4()], ids=lambda k: k.name)
def test_flat_rows_give_the_nearest_step(kernels, tmp_path):
    outputs = compile_and_run([flat(n) for n in WIDTHS], tmp_path, kernels=kernels)
    for (classes, code), rows in zip(WIDTHS.items(), outputs, strict=True):
        assert {int(v) for row in rows for v in np.unique(row[0])} == {code}, classes


def test_the_board_agrees(tmp_path):
    cases = [case for n in (511, 512, 600, 4096) for case in (flat(n), peaked(n))]
    expected = [[checksum(row) for row in specified(case)] for case in cases]
    assert board_checksums(cases, tmp_path, CortexM4()) == expected


@pytest.mark.train
def test_random_rows_equal_the_specification(tmp_path):
    rng = np.random.default_rng(512)
    models = [wide_softmax(rng) for _ in range(30)]
    cases = [Case(model, random_inputs(model, rng, 6)) for model in models]
    cases += [peaked(n) for n in (512, 600, 4096, 65_536)]
    beyond = 0
    for case, rows in zip(cases, compile_and_run(cases, tmp_path), strict=True):
        for row, mine, expected, reference in zip(
            case.inputs, rows, specified(case), builtin_ref(case.model, case.inputs), strict=True
        ):
            np.testing.assert_array_equal(mine[0], expected[0])
            if is_held_by_12_bits(case.model, row[0]):
                np.testing.assert_array_equal(expected[0], reference[0])
            else:
                beyond += 1
                assert set(np.unique(expected[0])) <= {-128, -127}
    assert 10 < beyond < 200  # both kinds of rows occur


def is_held_by_12_bits(model: bytes, values: np.ndarray) -> bool:
    """Whether all rows have a sum of exponentials below 512, with some distance."""
    from tinytracker.model.tflite_file import read_tflite

    scale = read_tflite(model).input_tensors()[0].scale
    differences = values.astype(np.float64) - values.max(axis=-1, keepdims=True)
    sums = np.exp(scale * differences).sum(axis=-1)
    return bool((sums < 511).all())


def test_more_classes_than_were_compared_are_refused(tmp_path):
    with pytest.raises(ModelError, match="has 65537 classes, more than 65536"):
        generate(softmax(65_537), tmp_path)
