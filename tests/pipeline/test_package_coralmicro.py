"""A real run for the Coral board: uint8 model, verdict, package; and the board's resize against TensorFlow's."""

import json
import shutil

import numpy as np
import pytest

from tinytracker.errors import InputFileError
from tinytracker.package import package
from tinytracker.package.coralmicro.options import COMPILER_VARIABLE
from tinytracker.package.suitability import check


def test_a_run_without_a_uint8_model_is_told_which_it_has(run, tmp_path):
    with pytest.raises(InputFileError, match=r"no quantized model ptq-uint8 .it has ptq-int8.*--io uint8"):
        package(run.path, "coralmicro", tmp_path / "out")


def test_a_run_becomes_a_package_that_waits_for_the_compiler(uint8_run, tmp_path, monkeypatch):
    monkeypatch.delenv(COMPILER_VARIABLE, raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    result = package(uint8_run.path, "coralmicro", tmp_path / "out")
    manifest = json.loads(result.manifest.read_text())
    assert manifest["compiled"] is False
    assert manifest["model"]["preset"] == "tinytracker-s"
    assert manifest["io"]["inputs"][0]["dtype"] == "uint8"
    header = (result.folder / "gaze_model.h").read_text()
    assert "#define GAZE_MODEL_PIXELS_AS_IS 1" in header
    assert "#define GAZE_MODEL_INPUT_TYPE TT_UINT8" in header
    assert "#define GAZE_MODEL_IMAGE_CHANNELS 1" in header
    assert "#define GAZE_MODEL_POSITION_PLANES 0" in header


def test_the_baked_planes_are_what_does_not_map(uint8_run):
    report = check(str(uint8_run.path), "coralmicro")
    own = {f.rule for o in report.operators for f in o.findings if f.rule != "behind-an-unmapped-operator"}
    assert own == {"concatenated-constant"}
    assert [f.rule for f in report.graph] == []


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")
def test_the_boards_resize_is_tensorflows_area_resize(tmp_path):
    import tensorflow as tf
    from support.area_resize import build_resize, resize

    library = build_resize(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (324, 324, 3)).astype(np.uint8)
    for side in (112, 96, 128, 81):
        area = tf.image.resize(pixels[None], (side, side), method="area")[0].numpy()
        expected = np.floor(area + 0.5).astype(int)
        found = resize(library, pixels, (0, 0, 324, 324), side, side, 3, planes=False).astype(int)
        assert np.abs(found - expected).max() <= 1
