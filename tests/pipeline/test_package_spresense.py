import hashlib
import json
import re
import shutil
import subprocess
import warnings

import numpy as np
import pytest

from tinytracker.errors import InputFileError, ModelError, OutputError, ParityError, UnknownNameError
from tinytracker.interpreters.arena import measure_arena
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.interpreters.tflite import ReferenceInterpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package import package
from tinytracker.package.spresense.options import Options
from tinytracker.quant.contract import IoContract
from tinytracker.quant.parity import compare_with_oracle, patterns, require_exact

METHODS = ["Concatenation", "Conv2D", "DepthwiseConv2D", "FullyConnected", "Mean"]
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic"]


@pytest.fixture(scope="module")
def packaged(run, tmp_path_factory):
    return package(run.path, "spresense", tmp_path_factory.mktemp("dist") / "spresense")


@pytest.fixture(scope="module")
def model(run):
    return (run.quantized("ptq-int8") / "model.tflite").read_bytes()


@pytest.fixture(scope="module")
def generated(run, tmp_path_factory):
    """The same model with the runtime of generated C."""
    return package(run.path, "spresense", tmp_path_factory.mktemp("dist") / "c", options=Options(runtime="c"))


@pytest.mark.parametrize("which", ["packaged", "generated"])
def test_the_manifest_names_every_file_with_its_hash(which, request):
    folder = request.getfixturevalue(which).folder
    listed = {f["path"]: f["sha256"] for f in json.loads((folder / "manifest.json").read_text())["files"]}
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {"manifest.json"}
    assert set(listed) == there
    assert {"README.md", "model.tflite", "tinytracker/Kconfig", "tinytracker/network/model.h"} <= there
    for name, sha256 in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256


def test_the_manifest_says_what_it_was_made_from(packaged, run):
    content = packaged.content
    assert content["model"]["preset"] == "tinytracker-s"
    assert content["model"]["macs"] == 5_229_184 + 14 * 64  # the published layers, and segments
    assert content["quantization"]["calibration"]["frames"] == 32
    assert content["parity"]["differing"] == 0
    assert content["parity"]["images"] >= 64
    assert str(run.path) not in packaged.manifest.read_text()


def test_the_c_array_compiles_strictly_and_holds_the_model(packaged, model, tmp_path):
    program = tmp_path / "main.c"
    program.write_text(
        '#include <stdint.h>\n#include <stdio.h>\n#include "model_tflite.h"\n'
        "int main(void) {\n"
        "  if (((uintptr_t)model_tflite) % 16u != 0u) { return 2; }\n"
        "  return fwrite(model_tflite, 1, sizeof model_tflite, stdout) != MODEL_TFLITE_BYTES;\n}\n"
    )
    binary, network = tmp_path / "dump", packaged.folder / "tinytracker" / "network"
    sources = [program, network / "model_tflite.c"]
    subprocess.run(["gcc", *STRICT, "-I", network, *sources, "-o", binary], check=True)
    assert subprocess.run([binary], capture_output=True, check=True).stdout == model


def test_the_header_is_cplusplus_too_and_lists_the_operators(packaged, tmp_path):
    program = tmp_path / "main.cc"
    program.write_text(
        '#include <cstdio>\n#include "model.h"\n'
        "struct Resolver {\n"
        + "".join(f'  int Add{m}() {{ return std::puts("{m}"); }}\n' for m in METHODS)
        + "};\nint main() {\n  Resolver resolver;\n  MODEL_TFLM_ADD_OPERATORS(resolver);\n"
        '  std::printf("%d\\n%u\\n", MODEL_TFLM_OPERATORS, (unsigned)MODEL_ARENA_BYTES);\n}\n'
    )
    binary, network = tmp_path / "ops", packaged.folder / "tinytracker" / "network"
    command = ["g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-I", network, program, "-o", binary]
    subprocess.run(command, check=True)
    *methods, count, arena = subprocess.run(
        [binary], capture_output=True, check=True, text=True
    ).stdout.split()
    assert methods == METHODS
    assert int(count) == len(methods)
    assert int(arena) == packaged.content["arena"]["total_bytes"]


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs Debian's gcc-arm-none-eabi")
def test_the_c_array_compiles_for_a_cortex_m4(packaged, model, tmp_path):
    target = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
    binary, network = tmp_path / "model.o", packaged.folder / "tinytracker" / "network"
    command = ["arm-none-eabi-gcc", *target, *STRICT, "-c", network / "model_tflite.c", "-o", binary]
    subprocess.run(command, check=True)
    sizes = subprocess.run(
        ["arm-none-eabi-nm", "-S", binary], capture_output=True, check=True, text=True
    ).stdout
    assert int(re.search(r"\w+ (\w+) R model_tflite$", sizes, re.M)[1], 16) == len(model)


def test_generated_c_is_packaged_and_agrees_with_the_oracle(generated, packaged):
    assert generated.content["runtime"] == "c"
    assert generated.content["parity"]["runtime"] == "generated C"
    assert generated.content["parity"]["differing"] == 0
    assert generated.content["parity"]["images"] >= 64
    assert generated.content["arena"]["total_bytes"] <= packaged.content["arena"]["total_bytes"]
    assert generated.content["generated"]["kernels"] == "cortex-m4"
    assert generated.content["generated"]["constant_bytes"] < 1.15 * generated.content["model"]["bytes"]
    header = (generated.folder / "tinytracker" / "network" / "model.h").read_text()
    assert f"MODEL_ARENA_BYTES {generated.content['arena']['total_bytes']}" in header
    assert not list(generated.folder.rglob("model_tflite.c"))


def test_an_unknown_runtime_names_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"Unknown runtime 'tfml'. Did you mean 'tflm'"):
        Options(runtime="tfml")


def test_the_arena_is_enough_and_sixteen_bytes_less_are_not(model):
    arena = measure_arena(model)
    assert arena.total_bytes % 16 == 0
    assert arena.head_bytes + arena.tail_bytes <= arena.total_bytes
    MicroInterpreter(model, arena.total_bytes)
    with pytest.raises(ModelError, match=r"TFLM cannot load this model .*Failed to"):
        MicroInterpreter(model, arena.total_bytes - 16)


def test_the_head_of_the_arena_is_the_peak_of_activations(packaged):
    assert packaged.content["arena"]["head_bytes"] >= packaged.content["model"]["peak_activation_bytes"]


def test_two_packages_of_one_model_are_equal_byte_for_byte(packaged, run, tmp_path):
    again = package(run.path, "spresense", tmp_path / "again")
    for path in (p for p in packaged.folder.rglob("*") if p.is_file()):
        assert (again.folder / path.relative_to(packaged.folder)).read_bytes() == path.read_bytes()


def test_a_package_is_replaced_and_other_folders_are_not(packaged, run, tmp_path):
    package(run.path, "spresense", packaged.folder)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty and is not a package"):
        package(run.path, "spresense", tmp_path)
    with pytest.raises(OutputError, match="this is a file, and a package is a folder"):
        package(run.path, "spresense", tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_runtime_that_differs_is_refused(run, model, tmp_path, monkeypatch):
    honest = MicroInterpreter.run

    def one_step_off(self, inputs):
        outputs = honest(self, inputs)
        outputs[0][3, 0, 1] ^= 1
        return outputs

    monkeypatch.setattr(MicroInterpreter, "run", one_step_off)
    with pytest.raises(
        ParityError, match=r"differs from BUILTIN_REF on \d of .* by up to 1 output steps; the limit is 0"
    ):
        package(run.path, "spresense", tmp_path / "out")
    assert not list(tmp_path.iterdir())


class OneStepOff(ReferenceInterpreter):
    name = "one step off"

    def run(self, inputs):
        return tuple(output ^ 1 for output in super().run(inputs))


def test_parity_counts_what_differs_from_the_oracle_that_it_is_given(model):
    codes = patterns(IoContract.of(read_tflite(model)), 32)
    parity = compare_with_oracle(MicroInterpreter(model), model, codes, "patterns", OneStepOff(model))
    assert (parity.oracle, parity.differing, parity.max_difference) == ("one step off", 32, 1.0)
    assert not parity.exact
    assert "outputs" not in parity.as_json()  # the manifest of a network with one output
    with pytest.raises(ParityError):
        require_exact(parity)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A network that was not made here: other names, other scale, float out, as published models have."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(5)
    layers = tf.keras.layers
    net = tf.keras.Sequential([
        tf.keras.Input((20, 24, 3), 1, name="photo"), layers.Conv2D(8, 3, 2, activation="relu6"),
        layers.DepthwiseConv2D(3, padding="same"), layers.GlobalAveragePooling2D(), layers.Dense(2, "tanh"),
    ])  # fmt: skip
    rng = np.random.default_rng(0)
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [rng.uniform(0, 1, (1, 20, 24, 3)).astype(np.float32)] for _ in range(8)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    path = tmp_path_factory.mktemp("foreign") / "theirs.tflite"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter misses statistics of an older format
        path.write_bytes(converter.convert())
    return path


def test_a_model_that_was_not_made_here_is_packaged_too(foreign, tmp_path):
    result = package(foreign, "spresense", tmp_path / "out")
    assert result.content["model"]["file"] == "theirs.tflite"
    assert result.content["io"]["outputs"][0]["dtype"] == "float32"
    assert result.content["parity"]["differing"] == 0
    assert "DEQUANTIZE" in result.content["model"]["operators"]
    assert "Its error has not been measured." in (result.folder / "README.md").read_text()


def test_a_float_model_is_refused(tmp_path):
    import tensorflow as tf

    net = tf.keras.Sequential([tf.keras.Input((8, 8, 1), 1), tf.keras.layers.Conv2D(2, 3)])
    path = tmp_path / "float.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(net).convert())
    with pytest.raises(ModelError, match=r"operator 0 \(CONV_2D\) works on float32 tensor"):
        package(path, "spresense", tmp_path / "out")


def test_what_cannot_be_packaged_is_a_sentence(run, tmp_path):
    with pytest.raises(UnknownNameError, match=r"Unknown target 'spresence'. Did you mean 'spresense'"):
        package(run.path, "spresence", tmp_path / "out")
    with pytest.raises(UnknownNameError, match="Unknown quantized model in this run 'other-int8'"):
        package(run.path, "spresense", tmp_path / "out", "other-int8")
    with pytest.raises(InputFileError, match="there is no such file"):
        package(tmp_path / "none.tflite", "spresense", tmp_path / "out")
    (tmp_path / "broken.tflite").write_bytes(b"TFL3" * 20)
    with pytest.raises((InputFileError, ModelError)):
        package(tmp_path / "broken.tflite", "spresense", tmp_path / "out")
