"""Networks with float32 inputs and outputs, packaged with the codes behind them (`--io int8`)."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cli import run as command_line
from support.tflite_builder import Op, T, build_tflite, conv_options
from support.tflite_nets import NetBuilder

from tinytracker.codegen.edges import dequantized_output, quantized_input
from tinytracker.errors import UsageError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package import package
from tinytracker.package.spresense.options import Options
from tinytracker.quant.specification import SpecificationInterpreter

SHAPE = (1, 6, 5, 4)


def float_ends() -> bytes:
    rng = np.random.default_rng(7)
    x = T(SHAPE, scales=(1 / 64,), zero_points=(-3,))
    weights = T(
        (1, 3, 3, 4), scales=(0.01,) * 4, axis=3, data=rng.integers(-127, 128, (1, 3, 3, 4)).astype(np.int8)
    )
    bias = T((4,), "int32", (0.01 / 64,) * 4, data=rng.integers(-900, 900, 4).astype(np.int32))
    y = T(SHAPE, scales=(0.05,), zero_points=(11,))
    convolution = Op("DEPTHWISE_CONV_2D", [0, 1, 2], [3], conv_options(DepthMultiplier=1))
    tensors = [x, weights, bias, y, T(SHAPE, "float32"), T(SHAPE, "float32")]
    return build_tflite(
        tensors, [Op("QUANTIZE", [4], [0]), convolution, Op("DEQUANTIZE", [3], [5])], [4], [5]
    )


@pytest.mark.train
def test_the_package_takes_codes_and_proves_the_float_network(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(float_ends())
    options = ["--target", "spresense", "--runtime", "c", "--io", "int8", "--out", tmp_path / "out"]
    answer = command_line("package", path, *options)
    assert answer.code == 0, answer.err
    header = (tmp_path / "out/run/network/model.h").read_text()
    assert "int model_run(const int8_t *input, int8_t *output);" in header
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert [t["dtype"] for t in (*manifest["io"]["inputs"], *manifest["io"]["outputs"])] == ["int8", "int8"]
    assert (manifest["io"]["inputs"][0]["scale"], manifest["io"]["inputs"][0]["zero_point"]) == (1 / 64, -3)
    assert (manifest["parity"]["oracle"], manifest["parity"]["differing"]) == ("BUILTIN_REF", 0)
    as_in_the_file = package(path, "spresense", tmp_path / "float", options=Options(runtime="c"))
    assert as_in_the_file.content["io"]["inputs"][0]["dtype"] == "float32"


@pytest.mark.train
def test_a_network_without_float_ends_stays_as_it_is(tmp_path):
    made = NetBuilder((1, 8, 8, 1))
    made.conv(4, 3, 2)
    path = tmp_path / "net.tflite"
    path.write_bytes(made.build())
    written = [
        package(path, "spresense", tmp_path / io, options=Options("c", io=io)).folder
        for io in ("file", "int8")
    ]
    files = [{p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in written]
    assert files[0] == files[1]


def test_tflm_takes_what_the_file_has():
    with pytest.raises(UsageError, match="--io int8 needs generated C"):
        Options(io="int8")


@given(st.lists(st.floats(-8, 8, width=32), min_size=120, max_size=120))
def test_the_ends_are_those_of_the_operators(values):
    """The specification's QUANTIZE and DEQUANTIZE, which the suite compares with BUILTIN_REF."""
    real = np.array(values, np.float32).reshape(1, *SHAPE)
    code, zero = T(SHAPE, scales=(1 / 64,), zero_points=(-3,)), T(SHAPE, "float32")
    there = build_tflite([zero, code], [Op("QUANTIZE", [0], [1])], [0], [1])
    back = build_tflite([code, zero], [Op("DEQUANTIZE", [0], [1])], [0], [1])
    tensor = read_tflite(back).input_tensors()[0]
    (codes,) = SpecificationInterpreter(there).run([real])
    np.testing.assert_array_equal(quantized_input(real, tensor), codes)
    np.testing.assert_array_equal(
        dequantized_output(codes, tensor), SpecificationInterpreter(back).run([codes])[0]
    )
