"""Packages for the Raspberry Pi Pico 2: complete, reproducible, proved; the program compiles and answers."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.host_c import STRICT
from support.tflite_builder import Op, T, build_tflite
from support.tflite_nets import NetBuilder

from tinytracker.emulate import deploy_dir
from tinytracker.errors import ModelError, UnknownNameError
from tinytracker.package import package
from tinytracker.package.pico2.memory import FLASH_BYTES, RAM_BYTES
from tinytracker.package.pico2.options import Options
from tinytracker.package.suitability import check

FAKE_SDK = Path(__file__).parents[1] / "firmware" / "c" / "fake_pico.c"
WARNINGS = [flag for flag in STRICT if flag not in ("-std=c99", "-pedantic")]


def net(side: int = 12, channels: int = 8) -> bytes:
    built = NetBuilder((1, side, side, 1))
    built.conv(channels, 3, 2)
    built.mean()
    built.dense(2)
    return built.build()


@pytest.fixture(scope="module")
def packaged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pico2")
    (folder / "model.tflite").write_bytes(net())
    return package(folder / "model.tflite", "pico2", folder / "out")


def includes(app: Path) -> list[str]:
    folders = (deploy_dir() / "pico2" / "stubs", app, app / "common", app / "network")
    return [word for folder in folders for word in ("-I", str(folder))]


def sources(app: Path) -> list[str]:
    """The sources that CMakeLists.txt names."""
    text = (app / "CMakeLists.txt").read_text()
    parts = re.search(r"foreach\(part ([a-z0-9_\s]+)\)", text)[1].split()
    named = [app / "main.c", app / "board_pico2.c", *(app / "common" / f"tt_{part}.c" for part in parts)]
    return [*map(str, named), *map(str, sorted((app / "network").glob("*.c")))]


def test_the_manifest_says_what_was_proved(packaged):
    content = json.loads(packaged.manifest.read_text())
    assert (content["target"], content["runtime"]) == ("pico2", "c")
    assert content["parity"]["runtime"] == "generated C"
    assert (content["parity"]["differing"], content["parity"]["images"]) == (0, 64)
    assert content["generated"]["kernels"] == "cortex-m4"
    there = {p.relative_to(packaged.folder).as_posix() for p in packaged.folder.rglob("*") if p.is_file()}
    assert {f["path"] for f in content["files"]} == there - {"manifest.json"}


def test_the_same_model_gives_the_same_bytes(packaged, tmp_path):
    again = package(packaged.folder / "model.tflite", "pico2", tmp_path / "again")
    assert again.manifest.read_bytes() == packaged.manifest.read_bytes()


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs Debian's gcc-arm-none-eabi")
def test_the_program_compiles_for_a_cortex_m33(packaged, tmp_path):
    app = packaged.folder / "tinytracker"
    cpu = ["-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv5-sp-d16"]  # as the SDK
    for pins in ("0", "1"):
        command = [
            "arm-none-eabi-gcc", *cpu, "-std=gnu11", "-O2", *WARNINGS, f"-DTINYTRACKER_PHASE_PINS={pins}",
            *includes(app), "-c", *sources(app),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    symbols = subprocess.run(
        ["arm-none-eabi-nm", tmp_path / "tt_m4_conv.o"], capture_output=True, text=True, check=True
    ).stdout
    assert " T " in symbols


SDK = """\
macro(pico_sdk_init)
endmacro()
add_library(pico_stdlib INTERFACE)
target_include_directories(pico_stdlib INTERFACE "{stubs}")
target_sources(pico_stdlib INTERFACE "{fake}")
function(pico_set_binary_type target kind)
  target_compile_definitions(${{target}} PRIVATE KIND_${{kind}})
endfunction()
foreach(name pico_enable_stdio_usb pico_enable_stdio_uart pico_add_extra_outputs)
  cmake_language(EVAL CODE "function(${{name}})\nendfunction()")
endforeach()
"""
"""What the program uses of the SDK's CMake functions, for this computer."""


@pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake")
def test_the_project_builds_and_the_program_answers_over_its_line(packaged, tmp_path):
    """The whole program on this computer, built by its CMakeLists.txt with a stand-in for the SDK."""
    sdk, out = tmp_path / "sdk", tmp_path / "out"
    sdk.mkdir()
    stubs = deploy_dir() / "pico2" / "stubs"
    (sdk / "pico_sdk_init.cmake").write_text(SDK.format(stubs=stubs, fake=FAKE_SDK))
    source = packaged.folder / "tinytracker"
    configure = ["cmake", "-B", out, "-S", source, f"-DPICO_SDK_PATH={sdk}", "-DTINYTRACKER_BUILD=abc123"]
    done = subprocess.run([*configure, "-DTINYTRACKER_COPY_TO_RAM=ON"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run(["cmake", "--build", out], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    asked = b"name%tt hello%tt bench memory%"
    said = subprocess.run([out / "tinytracker"], input=asked, capture_output=True, timeout=60).stdout.decode()
    assert "m-init-done" in said
    assert "m-name-dut-[pico2]" in said
    assert "m-tt-build-[abc123]" in said
    assert "m-tt-time-[1000000,device]" in said
    assert said.count("m-tt-memory-[") == 4


@pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake")
def test_a_folder_that_is_not_the_sdk_is_named(packaged, tmp_path):
    source = packaged.folder / "tinytracker"
    command = ["cmake", "-B", tmp_path / "out", "-S", source, f"-DPICO_SDK_PATH={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "is not a Pico SDK" in " ".join(done.stderr.split())  # CMake breaks lines


def test_a_network_that_is_too_large_gets_a_warning(tmp_path, capsys):
    (tmp_path / "model.tflite").write_bytes(net(side=512, channels=8))
    package(tmp_path / "model.tflite", "pico2", tmp_path / "out")
    said = capsys.readouterr().err
    assert re.search(
        r"warning: the application needs [\d,]+ bytes of RAM; that is [\d,]+ more than the 524,288", said
    )
    report = check(str(tmp_path / "model.tflite"), "pico2")
    assert [f.rule for f in report.graph] == ["fits-ram"]


def test_presets_are_judged_by_their_layers():
    fits = check("tinytracker-s", "pico2")
    assert fits.ok
    assert 0 < fits.facts["estimated_ram_bytes"] < RAM_BYTES
    assert "tinytracker-s" in fits.suitable
    assert {f.rule for f in check("itracker", "pico2").graph} == {"ram", "flash"}
    assert check("itracker", "pico2").facts["estimated_constant_bytes"] > FLASH_BYTES


def test_files_are_judged_by_the_generated_c(packaged, tmp_path):
    good = check(str(packaged.folder / "model.tflite"), "pico2")
    assert good.ok
    assert 12 * 12 < good.facts["ram_bytes"] < 40_000
    tensors = [T((1, 4), scales=(0.1,)), T((1, 4), scales=(0.1,))]
    (tmp_path / "unknown.tflite").write_bytes(
        build_tflite(tensors, [Op("CONCAT_EMBEDDINGS", [0], [1])], [0], [1])
    )
    bad = check(str(tmp_path / "unknown.tflite"), "pico2")
    assert [f.rule for f in bad.graph] == ["becomes-c"]
    assert not bad.operators[0].maps
    with pytest.raises(ModelError):
        package(tmp_path / "unknown.tflite", "pico2", tmp_path / "out")


def test_an_unknown_kernel_set_is_refused():
    with pytest.raises(UnknownNameError, match="Unknown kernel set 'cortex-m3'"):
        Options(kernels="cortex-m3")
