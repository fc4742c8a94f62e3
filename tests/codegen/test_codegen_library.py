"""What is written: the same bytes every time, strict C99, a usable interface; what is refused and how."""

import random
import re
import struct
import subprocess

import numpy as np
import pytest
from support.host_c import STRICT
from support.random_ops import RANDOM_OPS
from support.tflite_builder import Op, T, build_tflite, conv_options
from support.tflite_nets import NetBuilder, tinytracker_s

from tinytracker.codegen import SUPPORTED_OPERATORS, generate
from tinytracker.errors import InputFileError, ModelError, OutputError, TinyTrackerError, UsageError
from tinytracker.model.output import OUTPUT_SCALE
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract


def small_net(output_scale: float = 1 / 128) -> bytes:
    net = NetBuilder((1, 8, 8, 3))
    net.conv(4, 3, 2)
    net.depthwise()
    net.mean()
    net.dense(2)
    net.emit("TANH", [net.last], T((1, 2), scales=(output_scale,)))
    return net.build()


def test_same_model_same_bytes(tmp_path):
    first, second = generate(small_net(), tmp_path / "a"), generate(small_net(), tmp_path / "b")
    assert first.files == second.files
    for name in first.files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_banner_names_the_source_model(tmp_path):
    library = generate(small_net(), tmp_path, name="gaze")
    for name in ("gaze.c", "gaze.h"):
        text = (tmp_path / name).read_text()
        assert text.startswith("/* AUTOGEN by tinytracker")
        assert library.model_sha256 in text
    assert library.functions == ("gaze_run", "gaze_run_packed", "gaze_input", "gaze_gaze")


def test_only_the_kernels_in_use_are_written(tmp_path):
    files = generate(small_net(), tmp_path).files
    assert "tt_depthwise.c" in files
    assert "tt_softmax.c" not in files


def test_every_file_compiles_strictly_on_its_own(tmp_path):
    library = generate(tinytracker_s(), tmp_path)
    for source in library.sources:
        command = ["gcc", *STRICT, "-O2", "-c", str(source), "-o", "/dev/null"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_constant_bytes_match_the_object_file(tmp_path):
    library = generate(tinytracker_s(), tmp_path)
    subprocess.run(["gcc", "-O2", "-c", "model.c", "-o", "model.o"], cwd=tmp_path, check=True)
    size = subprocess.run(
        ["size", "-A", "model.o"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    rodata = sum(int(n) for n in re.findall(r"^\.(?:data\.rel\.ro\S*|rodata\S*)\s+(\d+)", size, re.M))
    assert library.constant_bytes == pytest.approx(rodata, rel=0.03)  # alignment and the tensor table differ


def test_metadata_and_gaze_are_usable_from_c(tmp_path):
    generate(small_net(), tmp_path, name="net", cm_per_unit=20.0)
    (tmp_path / "main.c").write_text(
        """
#include <stdio.h>
#include <string.h>
#include "net.h"
int main(void)
{
    const int8_t output[2] = {64, -32};
    float gaze[2];
    net_gaze(output, gaze);
    int8_t by_copy[2];
    int8_t in_place[2];
    int8_t image[NET_INPUT_ELEMENTS];
    memset(image, 7, sizeof image);
    if (net_run(image, NULL) != TT_ERROR_ARGUMENT || net_run(image, by_copy) != TT_OK) { return 1; }
    uint8_t packed[NET_OUTPUT_BYTES];
    if (net_run_packed((const uint8_t *)image, packed) != TT_OK) { return 3; }
    if (memcmp(by_copy, packed, 2) != 0) { return 4; }
    memset(net_input(), 7, NET_INPUT_ELEMENTS);
    if (net_run(NULL, in_place) != TT_OK || memcmp(by_copy, in_place, 2) != 0) { return 2; }
    printf("%s %d %d %d %g %g\\n", net_inputs[0].name, (int)net_inputs[0].rank, (int)net_inputs[0].shape[1],
           (int)net_outputs[0].bytes, (double)gaze[0], (double)gaze[1]);
    return (int)strlen(net_sha256) - 64;
}
"""
    )
    sources = [p.name for p in tmp_path.glob("*.c")]
    subprocess.run(["gcc", *STRICT, *sources, "-o", "program"], cwd=tmp_path, check=True)
    out = subprocess.run(["./program"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert out == "image 4 8 2 10 -5\n"


def test_segments_are_decoded_in_c_as_in_python(tmp_path):
    net = NetBuilder((1, 8, 8, 1))
    net.mean()
    net.dense(16, "RELU6")
    net.tensors[net.last].scales, net.tensors[net.last].zero_points = (OUTPUT_SCALE,), (-128,)
    model = net.build()
    generate(model, tmp_path, name="net")
    raw = np.random.default_rng(0).integers(-128, 128, (5, 16)).astype(np.int8)
    rows = ", ".join("{" + ", ".join(map(str, row)) + "}" for row in raw)
    (tmp_path / "main.c").write_text(
        f"""
#include <stdio.h>
#include "net.h"
int main(void)
{{
    const int8_t raw[5][16] = {{{rows}}};
    for (int32_t i = 0; i < 5; i++) {{
        float gaze[2];
        net_gaze(raw[i], gaze);
        printf("%.6f %.6f\\n", (double)gaze[0], (double)gaze[1]);
    }}
    return 0;
}}
"""
    )
    sources = [p.name for p in tmp_path.glob("*.c")]
    subprocess.run(["gcc", *STRICT, *sources, "-o", "program"], cwd=tmp_path, check=True)
    out = subprocess.run(["./program"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    found = np.array([line.split() for line in out.splitlines()], float)
    np.testing.assert_allclose(found, IoContract.of(read_tflite(model)).decode(raw), atol=1e-5)


@pytest.mark.parametrize("name", ["", "Model", "9a", "a-b", "tt_model", "model.c", "x" * 64])
def test_names_that_are_no_identifiers(name, tmp_path):
    with pytest.raises(UsageError, match="is not a valid name"):
        generate(small_net(), tmp_path, name=name)


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        generate(small_net(), tmp_path / "file")


def test_missing_file(tmp_path):
    with pytest.raises(InputFileError, match="no such file"):
        generate(tmp_path / "nothing.tflite", tmp_path)


X = T((1, 4, 4, 2), scales=(0.1,), name="x")
Y = T((1, 4, 4, 2), scales=(0.1,), name="y")
FLAT = T((1, 32), scales=(0.1,), name="y")


def weights(**change) -> T:
    base = {"shape": (2, 1, 1, 2), "scales": (0.1,), "data": np.ones((2, 1, 1, 2), np.int8), "name": "w"}
    return T(**(base | change))


def conv(x: T = X, w: T | None = None, y: T = Y, **options) -> bytes:
    op = Op("CONV_2D", [0, 1], [2], conv_options() | options)
    tensors = [x, w or weights(), y]
    return build_tflite(tensors, [op], [0] if tensors[1].data is not None else [0, 1], [2])


def one(code: str, x: T = X, y: T = Y, version: int = 0, **options) -> bytes:
    return build_tflite([x, y], [Op(code, [0], [1], options, version)], [0], [1])


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (one("FLOOR"), r"operator 0 FLOOR, tensor 1 'y' \(int8 1x4x4x2\): no kernel .* Supported: ADD, "),
        (conv(T((1, 4, 4, 2), "float32", name="x")), r"CONV_2D, tensor 0 'x' .*is float32; only int8 is supported"),
        (conv(w=weights(scales=())), r"tensor 1 'w' .*has no scale"),
        (conv(w=weights(zero_points=(3,))), r"tensor 1 'w' .*zero point other than 0"),
        (conv(w=weights(data=None)), r"tensor 1 'w' .*computed at run time"),
        (conv(w=weights(scales=(0.1, 0.2), axis=3)), r"tensor 1 'w' .*along axis 3; only axis 0 is supported"),
        (conv(T((1, 4, 4, 2), name="x")), r"tensor 0 'x' .*has 0 scales; one positive scale is needed"),
        (conv(T((1, 4, 4, 2), scales=(0.1,), zero_points=(200,), name="x")), r"zero point 200, which is outside"),
        (conv(T((1, 4, 4, 2), scales=(0.1,), signature=(1, -1, -1, 2), name="x")), r"'x'.*\[1, -1, -1, 2\]"),
        (conv(y=T((1, 4, 5, 2), scales=(0.1,), name="y")), r"tensor 2 'y' .*should measure 1x4x4"),
        (conv(StrideW=0), "stride, dilation or window size below 1"),
        (conv(FusedActivationFunction="TANH"), "fused activation TANH"),
        (conv(y=T((1, 4, 4, 2), scales=(1e-12,), name="y")), "factor above"),
        (one("MAX_POOL_2D", y=T((1, 4, 4, 2), scales=(0.2,), name="y")), "must be equal"),
        (one("SOFTMAX", Beta=1.0), "scale 1/256"),
        (one("LOGISTIC"), "LOGISTIC, tensor 1 'y' .* has scale .*TFLite accepts only 1/256 and -128"),
        (one("RESHAPE", y=T((1, 31), scales=(0.1,)), NewShape=[1, 31]), "is not a reshaped"),
        (build_tflite([X, Y], [Op("RELU", [0], [1])], [], [1]), "has 0 inputs|before it is computed"),
    ],
)  # fmt: skip
def test_refusals_name_operator_tensor_and_reason(model, sentence, tmp_path):
    with pytest.raises(ModelError, match=sentence):
        generate(model, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_operators_that_only_compute_a_shape_are_left_out(tmp_path):
    shape = T((2,), "int32", name="shape")
    operators = [Op("SHAPE", [0], [1]), Op("RESHAPE", [0, 1], [2])]
    library = generate(build_tflite([X, shape, FLAT], operators, [0], [2]), tmp_path)
    assert [step.name for step in library.steps] == ["RESHAPE"]


def test_the_list_of_operators_is_documented_by_the_code():
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MEAN", "TANH"} <= set(SUPPORTED_OPERATORS)


def test_damaged_networks_are_generated_or_refused(tmp_path):
    rng = random.Random(3)
    generated = 0
    for number in range(800):
        name = rng.choice(sorted(RANDOM_OPS))
        content = bytearray(RANDOM_OPS[name](np.random.default_rng(number)))
        position = rng.randrange(len(content) - 4)
        if rng.random() < 0.5:
            content[position] ^= 1 << rng.randrange(8)
        else:
            content[position : position + 4] = struct.pack(
                "<I", rng.choice((0, 1, 3, 0x7FFFFFFF, 0xFFFFFFFF))
            )
        try:
            generate(bytes(content), tmp_path)
            generated += 1
        except TinyTrackerError:
            pass
    assert 50 < generated < 750
