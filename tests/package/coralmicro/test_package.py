"""Packages for the board: every way in which a compiler can be there, missing, slow, wrong or right."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.edgetpu_builder import compiled_net, gaze_executables, gaze_net
from support.processes import has_ended
from support.tflite_nets import NetBuilder

from tinytracker.cli.main import cli, main
from tinytracker.errors import InputFileError, MissingDependencyError, ModelError, UsageError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package import package
from tinytracker.package.coralmicro import compiler
from tinytracker.package.coralmicro.compiler_log import parse_log
from tinytracker.package.coralmicro.failures import CompilerError, explain
from tinytracker.package.coralmicro.header import image_layout, pixel_codes
from tinytracker.package.coralmicro.options import COMPILER_VARIABLE, Options
from tinytracker.quant.contract import IoContract

FAKE = Path(__file__).parents[2] / "support" / "fake_edgetpu_compiler.py"


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch):
    """Whatever is installed on the computer that runs the tests must not matter."""
    monkeypatch.delenv(COMPILER_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(gaze_net())
    return path


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """The test double on PATH; returns a function that chooses how it ends."""
    program = tmp_path / "bin" / "edgetpu_compiler"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}")
    return lambda mode: monkeypatch.setenv("FAKE_EDGETPU", mode)


def files(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_a_compiled_package_has_model_header_and_numbers(tmp_path, model, fake):
    fake("success")
    result = package(model, "coralmicro", tmp_path / "out")
    assert files(result.folder) == {
        "README.md", "gaze_model.h", "gaze_model.tflite", "gaze_model_edgetpu.tflite", "manifest.json",
    }  # fmt: skip
    manifest = json.loads(result.manifest.read_text())
    assert manifest["compiled"] is True
    assert manifest["compiler_log"]["version"] == "16.0.384591198"
    assert manifest["compiler_log"]["cached_bytes"] == 4096
    assert manifest["edgetpu"]["per_inference"]["transferred_bytes"] == 664
    assert manifest["edgetpu"]["warnings"] == []
    assert manifest["check"]["ok"] is True
    expected = manifest["expected_latency"]
    assert 0.3 < expected["low_ms"] <= expected["high_ms"] < 1
    assert "nothing was measured" in expected["remark"]
    header = (result.folder / "gaze_model.h").read_text()
    assert "#define GAZE_MODEL_INPUT_WIDTH 16" in header
    assert "#define GAZE_MODEL_PIXELS_AS_IS 1" in header
    assert "#define GAZE_MODEL_CPU_OPERATOR_COUNT 0" in header
    assert "Not compiled yet" not in (result.folder / "README.md").read_text()


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_packages_are_equal_byte_for_byte_and_name_no_folder_of_this_computer(tmp_path, fake, dtype):
    """With warnings (int8) and without, from our compiler and from elsewhere."""
    fake("success")
    model = tmp_path / "model.tflite"
    model.write_bytes(gaze_net(dtype=dtype))
    first = package(model, "coralmicro", tmp_path / "one").folder
    second = package(model, "coralmicro", tmp_path / "two").folder
    elsewhere = Options(compiled=first / "gaze_model_edgetpu.tflite")
    third = package(model, "coralmicro", tmp_path / "three", options=elsewhere).folder
    assert files(first) == files(second) == files(third)
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()
        for folder in (first, third):
            assert str(tmp_path).encode() not in (folder / path.name).read_bytes()
    graph = json.loads((first / "manifest.json").read_text())["check"]["graph"]
    assert len(graph) == (dtype == "int8")


def test_without_a_compiler_the_package_says_so_and_has_the_command(tmp_path, model, capsys):
    result = package(model, "coralmicro", tmp_path / "out")
    assert result.content["compiled"] is False
    assert "gaze_model_edgetpu.tflite" not in files(result.folder)
    assert result.content["compile_command"] == [
        "edgetpu_compiler", "--show_operations", "--timeout_sec", "180", "gaze_model.tflite",
    ]  # fmt: skip
    readme = (result.folder / "README.md").read_text()
    assert "edgetpu_compiler --show_operations --timeout_sec 180 gaze_model.tflite\n" in readme
    assert "edgetpu_compiler was not found" in capsys.readouterr().err


def test_a_compiler_can_be_required(tmp_path, model):
    with pytest.raises(MissingDependencyError, match="edgetpu_compiler is not installed"):
        package(model, "coralmicro", tmp_path / "out", options=Options(require_compiled=True))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("mode", "code", "sentence"),
    [
        ("internal", "internal", "internal error.*tinytracker check"),
        ("not-quantized", "not-quantized", "not quantized.*--io uint8"),
        ("version", "version", "'CONV_2D version 6'.*TensorFlow 2.15"),
        ("parse", "parse", "cannot read the model"),
        ("activations", "activations", "too large"),
        ("interpreter", "interpreter", "fails in the TensorFlow Lite interpreter"),
        ("unknown", "unknown", "exit code 1: Compilation failed!"),
        ("killed", "killed", "killed by SIGKILL.*memory"),
        ("lies", "no-output", "reported success but wrote no"),
        ("fails-with-zero", "internal", "internal error"),
        ("garbage", "garbage", "is not a compiled model"),
        ("nothing-mapped", "garbage", "not compiled for the Edge TPU"),
    ],
)
def test_every_bad_end_of_the_compiler_is_a_sentence(tmp_path, model, fake, mode, code, sentence):
    fake(mode)
    with pytest.raises(CompilerError, match=sentence) as caught:
        package(model, "coralmicro", tmp_path / "out")
    assert caught.value.code == code
    assert not (tmp_path / "out").exists()


def test_a_compiler_that_hangs_is_stopped_with_its_children(tmp_path, model, fake, monkeypatch):
    fake("hang")
    pids = tmp_path / "pids"
    monkeypatch.setenv("FAKE_EDGETPU_PIDS", str(pids))
    monkeypatch.setattr(compiler, "_GRACE_SECONDS", 2)

    class Hanging(subprocess.Popen):
        """The time counts from when it hangs; before, it is Python that starts."""

        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            while not (pids.exists() and len(pids.read_text().split()) == 2):
                time.sleep(0.01)

    monkeypatch.setattr(compiler.subprocess, "Popen", Hanging)
    with pytest.raises(CompilerError, match="did not finish within 3 s") as caught:
        package(model, "coralmicro", tmp_path / "out", options=Options(compiler_timeout=1))
    assert caught.value.code == "timeout"
    for pid in map(int, pids.read_text().split()):
        assert has_ended(pid)


def test_a_part_on_the_cpu_is_refused_unless_allowed(tmp_path, model, fake):
    fake("partial")
    with pytest.raises(ModelError, match=r"TANH\. TANH: More than one subgraph.*--allow-cpu-ops"):
        package(model, "coralmicro", tmp_path / "out")
    result = package(model, "coralmicro", tmp_path / "out", options=Options(allow_cpu_ops=True))
    header = (result.folder / "gaze_model.h").read_text()
    assert "#define GAZE_MODEL_CPU_OPERATOR_COUNT 1" in header
    assert "#define GAZE_MODEL_CPU_OPERATORS(ADD) ADD(Tanh)" in header
    assert result.content["edgetpu"]["cpu_operators"] == ["TANH"]


def test_a_driver_trap_is_refused(tmp_path, model, fake):
    fake("nondeterministic")
    with pytest.raises(ModelError, match="not fully deterministic"):
        package(model, "coralmicro", tmp_path / "out", options=Options(allow_cpu_ops=True))


def test_a_compiled_file_of_another_model_is_refused(tmp_path, model, fake):
    fake("other-model")
    with pytest.raises(ModelError, match=r"uint8 1x16x16x1 .* in the model and uint8 1x1x1x1"):
        package(model, "coralmicro", tmp_path / "out")


def test_a_file_that_was_compiled_elsewhere_is_taken(tmp_path, model):
    gaze = read_tflite(model).output_tensors()[0]
    compiled = tmp_path / "elsewhere.tflite"
    compiled.write_bytes(compiled_net(gaze_executables(), gaze=(gaze.scales[0], gaze.zero_points[0])))
    result = package(
        model, "coralmicro", tmp_path / "out", options=Options(compiled=compiled, require_compiled=True)
    )
    assert result.content["compiled"] is True
    assert result.content["compiler_log"] is None
    assert (result.folder / "gaze_model_edgetpu.tflite").read_bytes() == compiled.read_bytes()
    with pytest.raises(InputFileError, match="no such file"):
        package(model, "coralmicro", tmp_path / "out", options=Options(compiled=tmp_path / "missing"))
    with pytest.raises(InputFileError, match="not compiled for the Edge TPU"):
        package(model, "coralmicro", tmp_path / "out", options=Options(compiled=model))


def test_the_compiler_is_found_by_option_environment_and_path(tmp_path, monkeypatch, fake):
    on_path = tmp_path / "bin" / "edgetpu_compiler"
    assert compiler.find_compiler(None) == on_path
    named = tmp_path / "mine"
    named.write_text("#!/bin/sh\n")
    named.chmod(0o755)
    monkeypatch.setenv(COMPILER_VARIABLE, str(named))
    assert compiler.find_compiler(None) == named
    assert compiler.find_compiler(on_path) == on_path
    with pytest.raises(InputFileError, match="no such program"):
        compiler.find_compiler(tmp_path / "missing")
    plain = tmp_path / "plain"
    plain.write_text("x")
    plain.chmod(stat.S_IRUSR)
    with pytest.raises(InputFileError, match="not a program"):
        compiler.find_compiler(plain)


def test_a_compiler_for_another_machine_is_a_sentence(tmp_path, model):
    program = tmp_path / "edgetpu_compiler"
    program.write_bytes(b"\x7fELF not for this machine")
    program.chmod(0o755)
    with pytest.raises(InputFileError, match=r"cannot be run .*--compiled"):
        package(model, "coralmicro", tmp_path / "out", options=Options(edgetpu_compiler=program))


@pytest.mark.parametrize(
    ("shape", "outputs", "sentence"),
    [((1, 16, 16, 4), 2, "4 channels"), ((1, 16, 16, 1), 3, r"\[1, 3\], scale 0\.02\) is not a gaze")],
)
def test_models_that_the_application_cannot_feed_are_refused(tmp_path, shape, outputs, sentence):
    path = tmp_path / "model.tflite"
    path.write_bytes(gaze_net(shape, outputs))
    with pytest.raises(ModelError, match=sentence):
        package(path, "coralmicro", tmp_path / "out", gaze=True)


def test_foreign_channels_are_guessed_and_presets_say_themselves():
    def layout(channels, has_planes):
        return image_layout(IoContract.of(read_tflite(gaze_net((1, 8, 8, channels)))), has_planes)

    assert layout(5, None) == (3, True)
    assert layout(3, None) == (3, False)
    assert layout(3, True) == (1, True)
    assert layout(1, False) == (1, False)


@pytest.mark.parametrize(("dtype", "expected"), [("uint8", lambda p: p), ("int8", lambda p: p ^ 0x80)])
def test_pixel_codes_are_the_contract(dtype, expected):
    codes = pixel_codes(IoContract.of(read_tflite(gaze_net(dtype=dtype))))
    assert codes == [expected(p) for p in range(256)]


def test_what_does_not_map_is_a_warning_while_nothing_is_compiled(tmp_path, capsys):
    net = NetBuilder((1, 16, 16, 1))
    net.conv(2, 3, 2)
    net.mean()
    net.emit("HARD_SWISH", [net.last], net.tensors[net.last])
    path = tmp_path / "model.tflite"
    path.write_bytes(net.build())
    result = package(path, "coralmicro", tmp_path / "out")
    assert result.content["check"]["ok"] is False
    said = capsys.readouterr().err
    assert "1 of 3 operators would stay on the CPU: operator 2 HARD_SWISH" in said
    assert "is int8" in said
    header = (result.folder / "model.h").read_text()
    assert "#define MODEL_CPU_OPERATORS(ADD) ADD(HardSwish)\n" in header
    readme = (result.folder / "README.md").read_text()
    assert "MODEL_CPU_OPERATORS(ADD_OPERATOR)" in readme
    assert "the operators for the CPU in the header are a prediction" in readme


LOG_2_0 = """\
Edge TPU Compiler version 2.0.291256449
Model compiled successfully in 1234 ms.
Input model: x.tflite
On-chip memory available for caching model parameters: 7.95MiB
On-chip memory used for caching model parameters: 115.00KiB
Off-chip memory used for streaming uncached model parameters: 16.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 101
CONV_2D                        25         Mapped to Edge TPU
RESIZE_BILINEAR                2          Operation version not supported
"""


def test_logs_of_old_compilers_are_read():
    log = parse_log(LOG_2_0)
    assert (log.version, log.operations, log.subgraphs) == ("2.0.291256449", 101, 1)
    assert (log.cached_bytes, log.streamed_bytes, log.free_bytes) == (117_760, 16, 8_336_179)
    assert [(r.name, r.count, r.status) for r in log.unmapped] == [
        ("RESIZE_BILINEAR", 2, "Operation version not supported")
    ]
    empty = parse_log("")
    assert (empty.version, empty.cached_bytes, empty.rows) == ("", None, ())
    assert parse_log("On-chip memory used for caching model parameters: ..MiB").cached_bytes is None


def test_exit_codes_without_words_are_still_sentences():
    assert str(explain(-99, "")).startswith("The Edge TPU compiler was killed by signal 99.")
    assert "exit code 3 and printed nothing" in str(explain(3, ""))


def invoke(*arguments):
    return CliRunner().invoke(cli, ["package", *map(str, arguments)])


def test_the_verb_has_the_options_of_its_target_only(tmp_path, model, monkeypatch, capsys):
    result = invoke(model, "--target", "coralmicro", "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["compiled"] is False
    assert (
        "no; the command is in README.md"
        in invoke(model, "--target", "coralmicro", "--out", tmp_path / "out").stdout
    )
    with pytest.raises(SystemExit) as stop:
        main(
            [
                "package",
                str(model),
                "--target",
                "coralmicro",
                "--out",
                str(tmp_path / "o2"),
                "--require-compiled",
            ]
        )
    assert stop.value.code == 1
    with pytest.raises(SystemExit) as stop:
        main(
            ["package", str(model), "--target", "spresense", "--out", str(tmp_path / "o3"), "--allow-cpu-ops"]
        )
    assert stop.value.code == 2
    assert "--allow-cpu-ops is not an option of target spresense" in capsys.readouterr().err
    assert "[coralmicro] Use this compiled file" in " ".join(invoke("--help").output.split())


def test_options_of_another_target_are_refused(tmp_path, model):
    with pytest.raises(UsageError, match="not options of target spresense"):
        package(model, "spresense", tmp_path / "out", options=Options())
    with pytest.raises(UsageError, match="not options of target coralmicro"):
        package(model, "coralmicro", tmp_path / "out", options=object())


def test_an_output_folder_that_cannot_be_made_leaves_nothing(tmp_path, model):
    from tinytracker.errors import OutputError

    if os.geteuid() == 0:
        (tmp_path / "file").write_text("x")
        target = tmp_path / "file" / "out"
    else:
        (tmp_path / "closed").mkdir(mode=0o500)
        target = tmp_path / "closed" / "out"
    with pytest.raises(OutputError):
        package(model, "coralmicro", target)
