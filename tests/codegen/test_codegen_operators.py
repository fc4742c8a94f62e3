"""Operators of other people's networks, and layers with state, equal TFLite's reference kernels bit for bit."""

import ctypes
import subprocess
import zlib

import numpy as np
import pytest
from support.host_c import COMPILER, Case, compile_and_run, random_inputs
from support.oracle import builtin_ref
from support.random_recurrent import RANDOM_RECURRENT
from support.random_select import RANDOM_SELECT, cut, resize_bilinear
from support.tflite_builder import Op, T, build_tflite

from tinytracker.codegen import generate
from tinytracker.errors import InputFileError, ModelError
from tinytracker.model.tflite_file import read_tflite

CASES = 25
RUNS = 8
RANDOM = RANDOM_SELECT | RANDOM_RECURRENT
QUANTIZATION = {"scales": (0.1,), "zero_points": (3,)}


@pytest.mark.train
@pytest.mark.parametrize("name", sorted(RANDOM))
def test_equals_the_reference_kernel(name, tmp_path):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    models = [RANDOM[name](rng) for _ in range(CASES)]
    cases = [Case(model, random_inputs(model, rng, RUNS)) for model in models]
    seen = set()
    for i, (case, ours) in enumerate(zip(cases, compile_and_run(cases, tmp_path), strict=True)):
        theirs = builtin_ref(case.model, case.inputs)
        for run, (ours_row, their_row) in enumerate(zip(ours, theirs, strict=True)):
            for mine, reference in zip(ours_row, their_row, strict=True):
                seen.update(reference.reshape(-1).tolist()[:50])
                np.testing.assert_array_equal(mine, reference, err_msg=f"case {i}, run {run}")
    # The outputs are not all saturated; positions of extremes are few whatever the values are.
    assert len(seen) > (3 if name.startswith("arg_") else 20)


def loaded(model: bytes, folder):
    library = generate(model, folder)
    command = [COMPILER, "-std=c99", "-shared", "-fPIC", f"-I{folder}", *map(str, library.sources)]
    subprocess.run([*command, "-o", str(folder / "net.so")], check=True)
    return library, ctypes.CDLL(str(folder / "net.so"))


@pytest.mark.train
@pytest.mark.parametrize("name", sorted(RANDOM_RECURRENT))
def test_a_reset_begins_a_new_sequence(name, tmp_path):
    rng = np.random.default_rng(4)  # an LSTM and filters that are not saturated
    model = RANDOM_RECURRENT[name](rng)
    library, network = loaded(model, tmp_path)
    inputs = random_inputs(model, rng, RUNS)
    expected = [row[0].tobytes() for row in builtin_ref(model, inputs)]
    packed = ctypes.create_string_buffer(read_tflite(model).output_tensors()[0].nbytes)

    def run(frame) -> bytes:
        assert network.model_run_packed(frame[0].tobytes(), packed) == 0
        return packed.raw

    assert "model_reset" in library.functions
    assert [run(frame) for frame in inputs] == expected
    assert [run(frame) for frame in inputs] != expected  # the state of the first pass is still there
    network.model_reset()
    assert [run(frame) for frame in inputs] == expected


def test_networks_without_state_have_no_reset(tmp_path):
    library = generate(cut(np.random.default_rng(0)), tmp_path)
    assert "model_reset" not in library.functions
    assert "reset" not in (tmp_path / "model.h").read_text() + (tmp_path / "model.c").read_text()


def test_positions_are_described_as_integers(tmp_path):
    x = T((1, 9), **QUANTIZATION)
    where = T((), "int32", data=np.array(1, np.int32))
    model = build_tflite(
        [x, where, T((1,), "int64")], [Op("ARG_MAX", [0, 1], [2], {"OutputType": 4})], [0], [2]
    )
    generate(model, tmp_path)
    assert '"t2", TT_INT64, 8, 1, {1}' in (tmp_path / "model.c").read_text()


def one(
    code: str, tensors: list[T], inputs: list[int], options: dict | None = None, version: int = 0
) -> bytes:
    last = len(tensors) - 1
    return build_tflite(tensors, [Op(code, inputs, [last], options or {}, version)], [0], [last])


def ints(*values: int) -> T:
    return T((len(values),), "int32", data=np.array(values, np.int32))


REFUSED = {
    "bilinear beyond the image": (
        one(
            "RESIZE_BILINEAR",
            [T((1, 3, 1, 1), **QUANTIZATION), ints(4096, 1), T((1, 4096, 1, 1), **QUANTIZATION)],
            [0, 1],
            {"AlignCorners": False, "HalfPixelCenters": False},
        ),
        r"enlarges 3 positions to 4096, whose rounded step of 1/1024 leaves the image\. Resize by a factor below 1024",
    ),
    "ellipsis": (
        one(
            "STRIDED_SLICE",
            [T((1, 4), **QUANTIZATION), ints(0), ints(1), ints(1), T((1, 1), **QUANTIZATION)],
            [0, 1, 2, 3],
            {"EllipsisMask": 1},
        ),
        "ellipsis_mask 1; only 0 is supported",
    ),
    "run-time divisor": (
        build_tflite([T((4,), "int32")] * 3, [Op("DIV", [0, 1], [2], {}, 1)], [0, 1], [2]),
        "constant divisor other than 0",
    ),
    "requantizing maximum": (
        one("MAXIMUM", [T((4,), **QUANTIZATION), T((4,), **QUANTIZATION), T((4,), scales=(0.2,))], [0, 0]),
        "they must be equal",
    ),
    "negative slope": (
        one("LEAKY_RELU", [T((4,), **QUANTIZATION), T((4,), **QUANTIZATION)], [0], {"Alpha": -0.5}),
        "slope -0.5; slopes must be 0 or more",
    ),
    "state in another operator": (
        one(
            "SUB",
            [T((4,), **QUANTIZATION), T((4,), **QUANTIZATION, is_variable=True), T((4,), **QUANTIZATION)],
            [0, 1],
        ),
        "only LSTM and SVDF keep state",
    ),
    "permutation": (
        one("TRANSPOSE", [T((2, 2), **QUANTIZATION), ints(0, 0), T((2, 2), **QUANTIZATION)], [0, 1]),
        r"\[0, 0\], which does not permute 2 axes",
    ),
    "uint8 of TensorFlow 1": (
        one("MAX_POOL_2D", [T((1, 4), "uint8", **QUANTIZATION), T((1, 4), "uint8", **QUANTIZATION)], [0]),
        "Convert the float network again with full-integer quantization of TensorFlow 2",
    ),
    "float": (
        one("MAX_POOL_2D", [T((1, 4), "float32"), T((1, 4), "float32")], [0]),
        "Quantize the network to int8: .*representative_dataset",
    ),
    "Edge TPU": (
        one("CUSTOM:edgetpu-custom-op", [T((4,), **QUANTIZATION), T((4,), **QUANTIZATION)], [0]),
        "compiled for the Coral Edge TPU and runs only there",
    ),
    "Vela": (
        one("CUSTOM:ethos-u", [T((4,), **QUANTIZATION), T((4,), **QUANTIZATION)], [0]),
        "compiled for Arm Ethos-U by Vela",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refusals_say_what_and_why(name, tmp_path):
    model, sentence = REFUSED[name]
    with pytest.raises((ModelError, InputFileError), match=sentence):
        generate(model, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_resized_image_is_not_written_over_its_input(tmp_path):
    library = generate(resize_bilinear(np.random.default_rng(5)), tmp_path)
    model = read_tflite(resize_bilinear(np.random.default_rng(5)))
    assert library.arena_bytes >= sum(t.nbytes for t in (*model.input_tensors(), *model.output_tensors()))
