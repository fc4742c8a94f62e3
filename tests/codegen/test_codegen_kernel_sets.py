"""Choosing kernels: names, budgets, what the budget buys; and the rounding that they rest on, as numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tflite_builder import Op, T, build_tflite, conv_options
from support.tflite_nets import NetBuilder, tinytracker_s

from tinytracker.codegen import generate
from tinytracker.codegen.arithmetic import INT8_MAX, INT8_MIN, clamp, scale_by, wrap32
from tinytracker.codegen.cortex_m4 import DEFAULT_WEIGHTS_BUDGET, CortexM4
from tinytracker.codegen.cortex_m4.packing import divide, patch_order, position_order, window_quads
from tinytracker.codegen.cortex_m4.requantize import rounding_factors
from tinytracker.codegen.kernel_sets import KERNEL_SETS, kernel_set
from tinytracker.emulate import emulate
from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.package.spresense import options


def smmlar(a: int, b: int, c: int) -> int:
    """The instruction as ARM's manual has it."""
    return wrap32(((c << 32) + a * b + 2**31) >> 32)


@given(
    st.integers(-(2**31), 2**31 - 1),
    st.integers(2**30, 2**31 - 1),
    st.integers(-31, -2),
    st.integers(-128, 127),
    st.booleans(),
)
def test_two_instructions_round_as_the_reference(total, multiplier, shift, zero, near_tie):
    if near_tie:  # few significant bits, so that products lie on ties
        multiplier, total = 2**30, total >> 12
    factor, power = rounding_factors(multiplier, shift)
    h = smmlar(total, factor, total)
    expected = clamp(scale_by(total, multiplier, shift) + zero, INT8_MIN, INT8_MAX)
    assert clamp(smmlar(h + (h >> 31), power, zero), INT8_MIN, INT8_MAX) == expected
    limited = clamp(smmlar(h, power, zero), zero, INT8_MAX)  # ties need no care when negative values are cut
    assert limited == max(expected, zero)


def test_small_right_shifts_have_no_fast_rounding():
    assert rounding_factors(2**30, -1) is None
    assert rounding_factors(2**30, 3) is None


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-128, 127))
def test_a_multiplier_of_zero_gives_the_zero_point(total, zero):
    factor, power = rounding_factors(0, 0)
    h = smmlar(total, factor, total)
    assert smmlar(wrap32(h + (h >> 31)), power, zero) == zero


@given(st.integers(1, 5), st.integers(1, 50))
def test_a_patch_holds_every_value_once(rows, length):
    passes = divide(window_quads(rows, length))
    assert passes.total >= window_quads(rows, length)
    places = patch_order(rows, length, passes.total).reshape(-1)
    assert sorted(places[places >= 0]) == list(range(rows * length))


def test_a_position_is_read_in_order():
    assert position_order(5, 2).tolist() == [[0, 1, 2, 3], [4, -1, -1, -1]]


def test_names():
    assert [kernel_set(name).name for name in KERNEL_SETS] == list(KERNEL_SETS)
    with pytest.raises(UnknownNameError, match=r"Unknown kernel set 'cortex-m5'"):
        kernel_set("cortex-m5")
    for budget in (0, -1.0, float("nan")):
        with pytest.raises(UsageError, match="weights budget"):
            kernel_set("cortex-m4", budget)


def test_the_options_of_packages_say_the_same():
    assert options.KERNEL_SETS == KERNEL_SETS
    assert options.Options().weights_budget == DEFAULT_WEIGHTS_BUDGET
    with pytest.raises(UnknownNameError, match=r"Unknown kernel set 'protable'. Did you mean 'portable'"):
        options.Options(runtime="c", kernels="protable")


def test_the_budget_buys_wide_weights_where_they_are_used_most(tmp_path):
    model = tinytracker_s(ramps=True)
    wide, constants = [], []
    for budget in (0.1, 1.0, 1.15, 10.0):
        library = generate(model, tmp_path, kernels=CortexM4(budget))
        wide.append(
            [step.kernel == "m4 conv 16" for step in library.steps if step.kernel.startswith("m4 conv")]
        )
        constants.append(library.constant_bytes)
        assert budget < 1 or library.constant_bytes < budget * len(model)
    assert not any(wide[0])
    assert all(wide[-1])
    assert sum(wide[1]) < sum(wide[2]) < sum(wide[3])
    assert wide[1][0]  # the first layers have the most positions
    assert constants == sorted(constants)


def test_the_same_bytes_twice(tmp_path):
    for folder in ("a", "b"):
        generate(tinytracker_s(ramps=True), tmp_path / folder, kernels=CortexM4())
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_constants_along_both_directions_stay_a_concatenation(tmp_path):
    straight = generate(tinytracker_s(ramps=True), tmp_path, kernels=CortexM4())
    random = generate(tinytracker_s(ramps=False), tmp_path, kernels=CortexM4())
    assert "concat" not in {step.kernel for step in straight.steps}
    assert "concat" in {step.kernel for step in random.steps}


def coarse(shift: int) -> bytes:
    """A 1x1 convolution whose factor has this shift."""
    x, y = T((1, 2, 2, 4), scales=(1.0,)), T((1, 2, 2, 2), scales=(float(2.0**-shift) * 0.75,))
    weights = T((2, 1, 1, 4), scales=(0.5,), data=np.ones((2, 1, 1, 4), np.int8))
    bias = T((2,), "int32", (0.5,), data=np.zeros(2, np.int32))
    return build_tflite([x, weights, y, bias], [Op("CONV_2D", [0, 1, 3], [2], conv_options())], [0], [2])


def test_a_layer_that_does_not_fit_takes_the_portable_kernel(tmp_path):
    kernels = [generate(coarse(s), tmp_path, kernels=CortexM4(10.0)).steps[0].kernel for s in (-4, -2, 0, 1)]
    assert kernels[0] == "m4 conv 8"  # the code alone is beyond the budget of a file this small
    assert kernels[-2:] == ["conv2d", "conv2d"]


@pytest.mark.parametrize("optimise", ["-O0", "-Os", "-O3"])
def test_any_optimisation_gives_the_same(optimise):
    net = NetBuilder((1, 9, 9, 3))
    net.conv(7, 3, 2)
    net.depthwise()
    net.conv(12, activation="NONE")
    net.depthwise(2, activation="NONE")
    net.mean()
    net.dense(3)
    report = emulate(net.build(), 3, kernels=CortexM4(), optimise=optimise)
    assert report.equal is True
    assert {step.kernel for step in report.steps} == {"m4 conv 8", "m4 depthwise", "m4 mean"}
