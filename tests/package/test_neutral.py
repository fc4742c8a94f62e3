"""Networks that are not about gaze: told apart by their inputs and outputs, packaged without a word about gaze."""

import json
import shutil
import subprocess

import numpy as np
import pytest
import tensorflow as tf  # noqa: F401  by the main thread: Keras keeps its choice of file format per importing thread
import yaml
from support.cli import run as command_line
from support.host_c import STRICT
from support.oracle import builtin_ref
from support.run_folder import make_run
from support.tflite_builder import Op, T, build_tflite
from support.tflite_nets import NetBuilder
from support.tflite_nets import tinytracker as published_net
from support.tflite_nets import tinytracker_s as published_small_net

from tinytracker.emulate import deploy_dir
from tinytracker.errors import ModelError, UsageError
from tinytracker.model.output import OUTPUT_SCALE
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package import package
from tinytracker.package.coralmicro.options import COMPILER_VARIABLE
from tinytracker.package.purpose import looks_like_gaze
from tinytracker.package.spresense import build as spresense
from tinytracker.package.spresense.options import Options
from tinytracker.quant.contract import IoContract


def net(
    shape=(1, 16, 16, 1), units=2, softmax=False, outputs=1, scale=0.02, zero_point=-5, dtype="int8"
) -> bytes:
    made = NetBuilder(shape)
    made.conv(4, 3, 2)
    made.mean()
    made.dense(units)
    made.tensors[made.last].scales, made.tensors[made.last].zero_points = (scale,), (zero_point,)
    if softmax:
        made.emit("SOFTMAX", [made.last], T((1, units), scales=(1 / 256,), zero_points=(-128,)), Beta=1.0)
    last = made.last
    if dtype == "float32":
        last = made.emit("DEQUANTIZE", [last], T((1, units), "float32"))
    return made.build([last] * 1 if outputs == 1 else [last, made.operators[0].outputs[0]])


def image_net() -> bytes:
    made = NetBuilder((1, 16, 16, 3))
    made.conv(4, 3, 2)  # relu6, 0 to 6
    return made.build()


def positions_net(dtype="int32") -> bytes:
    """Which of ten classes is the likeliest, and the second output: how likely each is."""
    made = NetBuilder((1, 16, 16, 1))
    made.conv(4, 3, 2)
    made.mean()
    made.dense(10)
    made.emit("SOFTMAX", [made.last], T((1, 10), scales=(1 / 256,), zero_points=(-128,)), Beta=1.0)
    shares = made.last
    axis = made.constant(np.array(1, np.int32))
    wide = {"int32": 2, "int64": 4}[dtype]
    where = made.emit("ARG_MAX", [shares, axis], T((1,), dtype), OutputType=wide)
    return made.build([where, shares])


CASES = {
    "a pair on both sides of 0": (net(), True),
    "the same as float": (net(dtype="float32"), True),
    "RGB with planes": (net((1, 16, 16, 5)), True),
    "the published network's layers": (published_net(), True),
    "the published small network's layers": (published_small_net(), True),
    "segments": (net(units=16, scale=OUTPUT_SCALE, zero_point=-128), True),
    "probabilities of two classes": (net(softmax=True), False),
    "the same two classes as float": (net(softmax=True, dtype="float32"), False),
    "a pair from 0 to 1": (net(scale=1 / 255, zero_point=-128), False),
    "ten classes": (net(units=10), False),
    "three numbers": (net(units=3), False),
    "four channels": (net((1, 16, 16, 4)), False),
    "a map with the scale of segments": (image_net(), False),
    "two outputs": (net(outputs=2), False),
    "a position": (positions_net(), False),
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_is_judged_by_inputs_and_outputs(name):
    content, expected = CASES[name]
    model = read_tflite(content)
    assert looks_like_gaze(model, IoContract.of(model)) is expected


@pytest.fixture
def classifier(tmp_path):
    path = tmp_path / "cats_*and*_dogs.tflite"
    path.write_bytes(net(units=10, softmax=True))
    return path


def front_matter(folder):
    _, matter, text = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(matter), text


def without_gaze(folder):
    """No file but licence texts of the kernels speaks of gaze; nor does any name."""
    for path in folder.rglob("*"):
        assert "gaze" not in path.name.lower()
        if path.is_file() and path.suffix != ".tflite":
            text = path.read_text().lower()
            for word in ("gazecapture", "eye-tracking", "gaze-estimation", "krafka", "camera"):
                assert word not in text, (path, word)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert not {"sees", "gaze"} & set(manifest)
    assert manifest["io"]["gaze"] is None
    return manifest


@pytest.mark.parametrize("runtime", ["c", "tflm"])
def test_spresense_gets_a_plain_application(classifier, tmp_path, runtime):
    folder = package(classifier, "spresense", tmp_path / "out", options=Options(runtime=runtime)).folder
    manifest = without_gaze(folder)
    assert manifest["parity"]["differing"] == 0
    matter, text = front_matter(folder)
    assert matter == {"library_name": "tflite", "tags": ["tinyml", "int8", "spresense"]}
    assert "# cats\\_\\*and\\*\\_dogs.tflite for spresense" in text
    assert "run(in, out)" in text
    app = folder / "run"
    named = {"Kconfig", "Makefile", "Make.defs", "run.c", "run.h", "run_main.c", "tflm_run.cxx", "tflm_run.h"}
    assert named <= {p.name for p in app.iterdir()}
    chosen = (app / "configs" / "default" / "defconfig").read_text().split()
    assert {"+RUN=y", f"+RUN_RUNTIME_{runtime.upper()}=y"} <= set(chosen)
    assert ("+EXTERNALS_TENSORFLOW=y" in chosen) == (runtime == "tflm")
    options = {
        line.split()[1] for line in (app / "Kconfig").read_text().splitlines() if line.startswith("config")
    }
    assert {f"RUN_RUNTIME_{runtime.upper()}", "RUN"} <= options


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")
def test_the_plain_application_prints_what_the_oracle_computes(classifier, tmp_path):
    options = Options(runtime="c", kernels="portable")
    app = package(classifier, "spresense", tmp_path / "out", options=options).folder / "run"
    found = np.array(printed(app, tmp_path).partition(":")[2].split(), float)
    content = classifier.read_bytes()
    image = np.full((1, 16, 16, 1), IoContract.of(read_tflite(content)).inputs[0].zero_point, np.int8)
    ((codes,),) = builtin_ref(content, [[image]])
    np.testing.assert_allclose(found, (codes.ravel().astype(float) + 128) / 256, atol=1e-6)


def printed(app, tmp_path) -> str:
    """What the application says when it runs on this computer."""
    sources = [app / "run.c", app / "run_main.c", *sorted((app / "network").glob("*.c"))]
    strict = [flag for flag in STRICT if flag != "-Wmissing-prototypes"]
    includes = ["-I", deploy_dir() / "spresense" / "stubs", "-I", app, "-I", app / "network"]
    program = tmp_path / "run"
    subprocess.run(["gcc", *strict, *includes, *sources, "-lm", "-o", program], check=True)
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")
def test_with_tflm_it_compiles_against_the_stubs(tmp_path):
    model = tmp_path / "model.tflite"
    model.write_bytes(net(units=10))  # the stubs have no AddSoftmax
    app = package(model, "spresense", tmp_path / "out").folder / "run"
    includes = ["-I", deploy_dir() / "spresense" / "stubs", "-I", app, "-I", app / "network"]
    strict = [flag for flag in STRICT if flag != "-Wmissing-prototypes"]
    for source in ("run.c", "run_main.c"):
        command = ["gcc", *strict, "-DCONFIG_RUN_RUNTIME_TFLM=1", "-fsyntax-only", *includes, app / source]
        subprocess.run(command, check=True)
    command = ["g++", "-std=gnu++11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *includes]
    subprocess.run([*command, app / "tflm_run.cxx"], check=True)


@pytest.mark.parametrize(
    ("runtime", "dtype"),
    [("c", "int32"), ("c", "int64"), ("tflm", "int32")],  # TFLM's ARG_MAX gives int32
)
def test_positions_are_packaged_as_they_are(tmp_path, runtime, dtype):
    model = tmp_path / "which.tflite"
    model.write_bytes(positions_net(dtype))
    folder = package(model, "spresense", tmp_path / "out", options=Options(runtime=runtime)).folder
    manifest = without_gaze(folder)
    assert manifest["parity"]["differing"] == 0
    assert manifest["parity"]["distinct_outputs"] > 5
    position = manifest["io"]["outputs"][0]
    assert [position[key] for key in ("dtype", "shape", "scale", "zero_point")] == [dtype, [1], 1.0, 0]
    assert f"{dtype} 1 |" in (folder / "README.md").read_text()
    network = folder / "run" / "network"
    assert '#include "tt_tensor_wide.h"' in (network / "model.h").read_text()
    assert (network / "tt_tensor_wide.h").is_file()
    board_c_compiles(folder / "run", runtime)


def board_c_compiles(app, runtime):
    includes = ["-I", deploy_dir() / "spresense" / "stubs", "-I", app, "-I", app / "network"]
    strict = [flag for flag in STRICT if flag != "-Wmissing-prototypes"]
    define = [f"-DCONFIG_RUN_RUNTIME_{runtime.upper()}=1"]
    for source in ("run.c", "run_main.c"):
        subprocess.run(["gcc", *strict, *define, "-fsyntax-only", *includes, app / source], check=True)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")
def test_the_plain_application_prints_positions(tmp_path, dtype):
    model = tmp_path / "which.tflite"
    model.write_bytes(positions_net(dtype))
    options = Options(runtime="c", kernels="portable")
    app = package(model, "spresense", tmp_path / "out", options=options).folder / "run"
    first, second = (line.partition(":")[2].split() for line in printed(app, tmp_path).splitlines())
    content = model.read_bytes()
    image = np.full((1, 16, 16, 1), IoContract.of(read_tflite(content)).inputs[0].zero_point, np.int8)
    ((position, shares),) = builtin_ref(content, [[image]])
    assert [int(n) for n in first] == position.tolist()
    np.testing.assert_allclose(np.array(second, float), (shares.ravel().astype(float) + 128) / 256, atol=1e-6)


def test_two_positions_are_not_a_point(tmp_path):
    x = T((1, 2, 8), scales=(0.1,), zero_points=(0,))
    axis = T((), "int32", data=np.array(2, np.int32))
    op = Op("ARG_MAX", [0, 1], [2], {"OutputType": 2})
    contract = IoContract.of(read_tflite(build_tflite([x, axis, T((1, 2), "int32")], [op], [0], [2])))
    with pytest.raises(ModelError, match="is not a gaze"):
        _ = contract.gaze


def test_inputs_of_16_bits_have_a_way_out(tmp_path):
    model = tmp_path / "wide.tflite"
    x = T((1, 4), "int16", scales=(0.1,))
    model.write_bytes(build_tflite([x, T((1, 4), "int16", scales=(0.1,))], [Op("RELU", [0], [1])], [0], [1]))
    with pytest.raises(
        ModelError, match=r"is int16, not int8 or uint8 or float32\. Convert the model again, fully quantized"
    ):
        package(model, "spresense", tmp_path / "out")


def test_coralmicro_gets_a_plain_header(classifier, tmp_path, monkeypatch):
    monkeypatch.delenv(COMPILER_VARIABLE, raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    folder = package(classifier, "coralmicro", tmp_path / "out").folder
    manifest = without_gaze(folder)
    assert {p.name for p in folder.iterdir()} == {"README.md", "manifest.json", "model.h", "model.tflite"}
    assert manifest["compile_command"][-1] == "model.tflite"
    header = (folder / "model.h").read_text()
    assert "#define MODEL_OUTPUT_0_ELEMENTS 10\n" in header
    assert "#define MODEL_OUTPUT_0_SCALE 0.00390625f\n" in header
    assert "#define MODEL_INPUT_0_ZERO_POINT (0)\n" in header
    assert "--compiled model_edgetpu.tflite" in (folder / "README.md").read_text()


def test_the_user_has_the_last_word(classifier, tmp_path):
    pair = tmp_path / "pair.tflite"
    pair.write_bytes(net())
    plain = package(pair, "coralmicro", tmp_path / "plain", gaze=False)
    assert (plain.folder / "model.h").is_file()
    without_gaze(plain.folder)
    assert (package(pair, "coralmicro", tmp_path / "gaze").folder / "gaze_model.h").is_file()
    with pytest.raises(ModelError, match="is not a gaze"):
        package(classifier, "coralmicro", tmp_path / "out", gaze=True)
    run = make_run(tmp_path / "run")
    with pytest.raises(UsageError, match=r"a run is a gaze network\. Omit --no-gaze"):
        package(run.path, "spresense", tmp_path / "out", gaze=False)


def test_the_command_says_what_it_took_it_for(classifier, tmp_path):
    answer = command_line("package", classifier, "--target", "coralmicro", "--out", tmp_path / "out")
    assert (answer.code, "not a gaze network" in answer.out) == (0, True), answer.err
    answer = command_line(
        "package", classifier, "--target", "coralmicro", "--out", tmp_path / "out", "--gaze"
    )
    assert (answer.code, "is not a gaze" in answer.err) == (1, True)


def test_a_network_too_large_is_told_by_how_much(classifier, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(spresense, "RAM_BYTES", 1000)
    result = package(
        classifier, "spresense", tmp_path / "out", options=Options(runtime="c", kernels="portable")
    )
    memory = result.document.memory
    over = memory.model_and_arena_bytes - 1000
    assert (memory.fits, over > 0) == (False, True)
    said = " ".join(capsys.readouterr().err.split())
    assert f"that is {over:,} more than the 1,000 bytes of RAM" in said
    assert "are the larger part" in said
    assert (
        f"{over:,} bytes more than the board's 1,000 bytes of RAM"
        in (result.folder / "README.md").read_text()
    )


def test_the_card_of_a_foreign_gaze_network_says_that_this_is_a_judgement(tmp_path):
    path = tmp_path / "pair.tflite"
    path.write_bytes(net())
    package(path, "spresense", tmp_path / "out", options=Options(runtime="c"))
    card = (tmp_path / "out" / "README.md").read_text()
    assert "Its file does not say what the pair is." in card
    assert "`--no-gaze`" in card


def test_an_operator_that_tflm_lacks_does_not_list_all_that_it_has():
    from tinytracker.package.tflm_operators import resolver_methods

    made = NetBuilder((1, 4, 4, 1))
    made.emit("REDUCE_PROD", [made.last], made.tensors[made.last])
    with pytest.raises(ModelError, match="REDUCE_PROD cannot be registered") as caught:
        resolver_methods(read_tflite(made.build()))
    assert "REDUCE_" in caught.value.hint
    assert len(caught.value.hint) < 200
