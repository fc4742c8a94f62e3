"""The out-of-tree CMake project, with a stand-in for the SDK that builds for this computer."""

import shutil
import subprocess
from pathlib import Path

import pytest
from support.coral_app import APP, Board, contract, write_header

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    shutil.which("cmake") is None or shutil.which("g++") is None, reason="needs cmake and g++"
)

# As in the SDK: the toolchain file defines add_executable_m7, whose DATA must lie below the project's folder.
TOOLCHAIN = """\
function(add_executable_m7 name)
  cmake_parse_arguments(ARG "" "" "DATA" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  foreach(path IN LISTS ARG_DATA)
    configure_file("${CMAKE_CURRENT_SOURCE_DIR}/${path}" "${CMAKE_CURRENT_BINARY_DIR}/${path}" COPYONLY)
  endforeach()
endfunction()
"""
LISTS = """\
find_package(Threads REQUIRED)
add_library(libs_base-m7_freertos INTERFACE)
target_include_directories(libs_base-m7_freertos INTERFACE "{stubs}")
target_sources(libs_base-m7_freertos INTERFACE "{stubs}/../host/fake_board.cc")
target_link_libraries(libs_base-m7_freertos INTERFACE Threads::Threads)
add_library(libs_rpc_http_server INTERFACE)
"""


@pytest.fixture
def project(tmp_path):
    """Copies, because configuring writes the model into the project's folder."""
    tree = tmp_path / "tree"
    for part in ("deploy/common", "deploy/coralmicro", "tinytracker/codegen/c"):
        shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("build", "models"))
    sdk = tmp_path / "sdk"
    (sdk / "cmake").mkdir(parents=True)
    (sdk / "cmake" / "toolchain-arm-none-eabi-gcc.cmake").write_text(TOOLCHAIN)
    (sdk / "CMakeLists.txt").write_text(LISTS.replace("{stubs}", str(APP / "stubs")))
    package = write_header(tmp_path / "package", contract())
    (package / "gaze_model_edgetpu.tflite").write_bytes(b"compiled")
    return tree / "deploy" / "coralmicro", sdk, package


def configure(source: Path, out: Path, **variables: Path) -> subprocess.CompletedProcess:
    definitions = [f"-D{name}={value}" for name, value in variables.items()]
    return subprocess.run(
        ["cmake", "-B", out, "-S", source, *definitions], capture_output=True, text=True, check=False
    )


def test_it_builds_and_runs_and_puts_the_model_where_the_program_looks(project, tmp_path):
    source, sdk, package = project
    out = tmp_path / "out"
    done = configure(source, out, CORALMICRO=sdk, TINYTRACKER_PACKAGE=package, TINYTRACKER_BUILD="abc123")
    assert done.returncode == 0, done.stderr
    built = subprocess.run(["cmake", "--build", out, "-j2"], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    assert (out / "models" / "gaze_model_edgetpu.tflite").read_bytes() == b"compiled"
    board = Board(out / "tinytracker", tmp_path)
    try:
        board.until_ready()
        assert "m-tt-build-[abc123]" in board.command("tt hello")
    finally:
        board.close()


def test_what_is_missing_is_a_sentence(project, tmp_path):
    source, sdk, package = project

    def said(name, **variables):
        return " ".join(configure(source, tmp_path / name, **variables).stderr.split())

    assert "Set CORALMICRO" in said("a", TINYTRACKER_PACKAGE=package)
    assert "is not a coralmicro SDK" in said("b", CORALMICRO=package, TINYTRACKER_PACKAGE=package)
    (package / "gaze_model_edgetpu.tflite").unlink()
    bare = said("c", CORALMICRO=sdk, TINYTRACKER_PACKAGE=package)
    assert "not compiled for the Edge TPU yet" in bare
