"""The Coral application without the Edge TPU: the same program with generated C, from the camera to the record."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from support.coral_app import APP, SIZE, Board, make, parse_frame
from support.edgetpu_builder import gaze_net

from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.interpreters.tflite import ReferenceInterpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package import package
from tinytracker.package.coralmicro.header import pixel_codes
from tinytracker.package.coralmicro.options import Options
from tinytracker.quant.contract import IoContract

GREY = 90
MODEL = gaze_net(dtype="int8")


@pytest.fixture(scope="module")
def packaged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coral")
    (folder / "model.tflite").write_bytes(MODEL)
    return package(folder / "model.tflite", "coralmicro", folder / "out", options=Options(runtime="c"))


def test_the_package_has_c_and_no_compiled_model(packaged):
    content = json.loads(packaged.manifest.read_text())
    assert (content["target"], content["runtime"], content["parity"]["differing"]) == ("coralmicro", "c", 0)
    assert "compiled" not in content
    names = {p.relative_to(packaged.folder).as_posix() for p in packaged.folder.rglob("*") if p.is_file()}
    assert {"gaze_model.h", "gaze_model.tflite", "network/model.c", "network/model.h"} <= names
    header = (packaged.folder / "gaze_model.h").read_text()
    assert "GAZE_MODEL_PATH" not in header
    assert "Edge TPU stays off" in (packaged.folder / "README.md").read_text()


def test_the_program_answers_with_the_networks_outputs(packaged, tmp_path):
    build = tmp_path / "build"
    make(packaged.folder, build, "host")
    board = Board(build / "tinytracker", tmp_path, np.full((SIZE, SIZE, 3), GREY, np.uint8), broken="model")
    try:
        board.until_ready()
        record = next(line for line in board.command("tt frame 1") if line.startswith("m-tt-frame-["))
    finally:
        board.close()
    code = pixel_codes(IoContract.of(read_tflite(MODEL)))[GREY]
    image = np.full((1, 1, 16, 16, 1), code, np.uint8).view(np.int8)
    expected = ReferenceInterpreter(MODEL).run([image])[0]
    assert parse_frame(record).outputs == expected.tobytes()


@pytest.mark.skipif(shutil.which("arm-none-eabi-g++") is None, reason="needs Debian's gcc-arm-none-eabi")
def test_it_compiles_for_the_cortex_m7(packaged, tmp_path):
    printed = make(packaged.folder, tmp_path / "build", "arm")
    assert "gaze_network_c.o" in printed
    assert "model.o" in printed
    objects = {p.name for p in (tmp_path / "build" / "arm").iterdir()}
    assert "gaze_network.o" not in objects


def test_a_network_of_another_package_does_not_compile(packaged, tmp_path):
    mixed = tmp_path / "mixed"
    shutil.copytree(packaged.folder, mixed)
    header = mixed / "gaze_model.h"
    text = header.read_text()
    assert "GAZE_MODEL_INPUT_WIDTH 16" in text
    header.write_text(text.replace("GAZE_MODEL_INPUT_WIDTH 16", "GAZE_MODEL_INPUT_WIDTH 17"))
    command = ["make", "-C", str(APP), "host", f"PACKAGE={mixed}", f"BUILD={tmp_path / 'build'}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "are of different packages" in done.stderr


def test_refusals():
    with pytest.raises(UnknownNameError, match="Unknown runtime 'tpu'"):
        Options(runtime="tpu")
    with pytest.raises(UsageError, match="does not use the Edge TPU"):
        Options(runtime="c", require_compiled=True)
