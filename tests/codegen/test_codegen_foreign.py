"""Networks as others write them: float inputs, scales along odd axes, dead channels, several images at once."""

import numpy as np
import pytest
from support.host_c import Case, compile_and_run, random_inputs
from support.tflite_builder import Op, T, build_tflite, conv_options

from tinytracker.codegen import generate
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.edges import with_integer_ends
from tinytracker.codegen.host import GeneratedRuntime
from tinytracker.codegen.reference_kernels import PORTABLE
from tinytracker.errors import ModelError
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract
from tinytracker.quant.parity import compare_with_oracle, patterns
from tinytracker.quant.specification import SpecificationInterpreter

KERNELS = [PORTABLE, CortexM4()]
CHANNELS = 8


def network(
    batches: int = 1, is_float: bool = False, bias_axis: int = 0, dead: tuple[int, ...] = ()
) -> bytes:
    """A depthwise convolution, with QUANTIZE in front and DEQUANTIZE behind when it is a float network outside.

    Args:
        batches: images per inference.
        is_float: inputs and outputs.
        bias_axis: which the file says for the scales of the bias; old converters wrote that of the weights.
        dead: channels with weights of 0 and the scale 0.
    """
    rng = np.random.default_rng(7)
    shape = (batches, 6, 5, CHANNELS)
    x = T(shape, scales=(1 / 64,), zero_points=(-3,))
    scales = np.where(np.isin(np.arange(CHANNELS), dead), 0, rng.uniform(0.01, 0.02, CHANNELS))
    data = rng.integers(-127, 128, (1, 3, 3, CHANNELS)) * (scales > 0)
    weights = T((1, 3, 3, CHANNELS), scales=tuple(scales.tolist()), axis=3, data=data.astype(np.int8))
    bias_scales = tuple((scales / 64).astype(np.float32).tolist())
    bias_data = rng.integers(-900, 900, CHANNELS).astype(np.int32)
    bias = T((CHANNELS,), "int32", bias_scales, axis=bias_axis, data=bias_data)
    y = T(shape, scales=(0.05,), zero_points=(11,))
    options = conv_options(DepthMultiplier=1)
    convolution = Op("DEPTHWISE_CONV_2D", [0, 1, 2], [3], options)
    if not is_float:
        return build_tflite([x, weights, bias, y], [convolution], [0], [3])
    ends = [T(shape, "float32"), T(shape, "float32")]
    operators = [Op("QUANTIZE", [4], [0]), convolution, Op("DEQUANTIZE", [3], [5])]
    return build_tflite([x, weights, bias, y, *ends], operators, [4], [5])


NETWORKS = {
    "float_ends": (network(is_float=True), "BUILTIN_REF"),
    "bias_axis_3": (network(bias_axis=3), "specification"),
    "dead_channels": (network(dead=(0, 5)), "BUILTIN_REF"),
    "three_images": (network(batches=3), "BUILTIN_REF"),
}
"""Model, and the oracle that it is compared with."""


@pytest.mark.train
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_generated_c_and_the_microcontroller_runtime_equal_the_oracle(name):
    model, oracle = NETWORKS[name]
    codes = patterns(IoContract.of(read_tflite(model)), 32)
    for runtime in (*(GeneratedRuntime(model, kernels) for kernels in KERNELS), MicroInterpreter(model)):
        parity = compare_with_oracle(runtime, model, codes, "patterns")
        assert (parity.oracle, parity.exact, parity.distinct_outputs) == (oracle, True, 32)


@pytest.mark.parametrize("kernels", KERNELS, ids=lambda k: k.name)
def test_a_dead_channel_answers_its_zero_point(kernels, tmp_path):
    model = network(dead=(0, 5))
    inputs = random_inputs(model, np.random.default_rng(1), 4)
    outputs = np.stack(
        [row[0] for row in compile_and_run([Case(model, inputs)], tmp_path, kernels=kernels)[0]]
    )
    assert set(np.unique(outputs[..., [0, 5]])) == {11}
    assert len(np.unique(outputs[..., 1])) > 20


def test_a_float_input_is_declared_as_float(tmp_path):
    library = generate(network(is_float=True), tmp_path)
    header = (library.directory / "model.h").read_text()
    assert "int model_run(const float *input, float *output);" in header
    assert library.steps[0].name == "QUANTIZE"


def test_integer_ends_leave_conversions_to_the_caller(tmp_path):
    model = network(is_float=True)
    library = generate(model, tmp_path / "library", integer_ends=True)
    header = (library.directory / "model.h").read_text()
    assert "int model_run(const int8_t *input, int8_t *output);" in header
    assert [step.name for step in library.steps] == ["DEPTHWISE_CONV_2D"]
    # Codes are exact multiples of the scale, so that the network's own QUANTIZE gives them back.
    codes = np.random.default_rng(2).integers(-128, 128, (5, 1, 6, 5, CHANNELS))
    real = (codes.astype(np.float32) + 3) * np.float32(1 / 64)
    (outside,) = SpecificationInterpreter(model).run([real])
    (inside,) = SpecificationInterpreter(with_integer_ends(read_tflite(model))).run([codes.astype(np.int8)])
    np.testing.assert_array_equal(outside, np.float32(0.05) * (inside.astype(np.float32) - 11))


def test_float_arithmetic_at_the_ends_cannot_be_left_to_the_caller(tmp_path):
    tensors = [T((1, 4), "float32"), T((1, 4), "float32")]
    model = build_tflite(tensors, [Op("TANH", [0], [1])], [0], [1])
    with pytest.raises(
        ModelError,
        match="a float input read by operator 0 TANH; the caller can replace only a single QUANTIZE",
    ):
        generate(model, tmp_path, integer_ends=True)


def test_a_float_input_takes_pixels_as_real_values():
    contract = IoContract.of(read_tflite(network(is_float=True)))
    codes = {contract.inputs[0].name: np.full((1, 6, 5, CHANNELS), 192, np.uint8)}
    (tensor,) = contract.encode(codes, 0)
    assert (tensor.dtype, set(tensor.reshape(-1).tolist())) == (np.float32, {0.5})
    assert not contract.is_pixel_exact
