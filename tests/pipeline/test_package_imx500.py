import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinytracker.errors import ModelError, UnknownNameError, UsageError
from tinytracker.package import package
from tinytracker.package.imx500.rpk import describe, verify
from tinytracker.train import TrainConfig, train

CLIENT = Path(__file__).parents[1] / "support" / "picamera2_client.py"
PROGRAM = Path(__file__).parents[2] / "deploy" / "imx500"


def test_a_preset_that_cannot_run_is_refused_at_once(run, tmp_path):
    with pytest.raises(
        ModelError, match=r"tinytracker-s cannot run on imx500\..* Train one that can: tinytracker-rgb"
    ):
        package(run.path, "imx500", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_tflite_file_is_refused(run, tmp_path):
    with pytest.raises(UsageError, match="Package a run folder"):
        package(run.quantized("ptq-int8") / "model.tflite", "imx500", tmp_path / "out")


def test_another_quantization_is_refused(run, tmp_path):
    with pytest.raises(UnknownNameError, match="Known: mct-int8"):
        package(run.path, "imx500", tmp_path / "out", "ptq-int8")


@pytest.fixture(scope="module")
def sensor_run(prepared, tmp_path_factory):
    """A run of the preset for the sensor."""
    config = TrainConfig(epochs=2, batch_size=8, learning_rate=3e-3)
    return train(prepared, "tinytracker-rgb", tmp_path_factory.mktemp("runs") / "sensor", config).run


@pytest.fixture(scope="module")
def packaged(sensor_run, converter, tmp_path_factory):
    """Its package, made with Sony's converter (a minute)."""
    pytest.importorskip("model_compression_toolkit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINYTRACKER_HOME", str(converter.parent))
        return package(sensor_run.path, "imx500", tmp_path_factory.mktemp("dist") / "imx500")


@pytest.mark.slow
def test_the_package_is_sound_and_says_what_it_holds(packaged):
    data = (packaged.folder / "network.rpk").read_bytes()
    rpk = verify(data)
    manifest = json.loads(packaged.manifest.read_text())
    (image,), (gaze,) = manifest["io"]["inputs"], manifest["io"]["outputs"]
    assert (image["shape"], image["dtype"], image["scale"]) == ([1, 112, 112, 3], "int8", 1 / 128)
    assert (gaze["shape"], gaze["dtype"]) == ([1, 2], "int16")
    assert gaze["scale"] == rpk.network.outputs[0].scale
    assert manifest["memory"]["fits"]
    used = sum(manifest["memory"][f"{part}_bytes"] for part in ("model", "runtime", "reserved"))
    assert used == manifest["memory"]["used_bytes"] < manifest["memory"]["available_bytes"] == 8_388_480
    assert manifest["converter"] == {"imx500-converter": describe(rpk)["converter_version"]}
    assert all(verdict["ok"] for verdict in manifest["constraints"])
    assert {f["path"] for f in manifest["files"]} == {"network.rpk", "README.md"}


@pytest.mark.slow
def test_the_quantized_network_answers_as_the_float_one(packaged, sensor_run):
    errors = packaged.content["metrics"]
    assert set(errors) == {"float-test", "mct-int8-test"}
    stored = [
        np.load(sensor_run.evaluation(name, "test").with_suffix(".npz")) for name in ("float", "mct-int8")
    ]
    floating, quantized = (s["predicted"] for s in stored)
    assert np.ptp(floating, axis=0).min() > 0, (
        "a network that always answers the same would agree with anything"
    )
    # Steps of the output are far below this; what is left is the rounding of weights and activations.
    assert np.abs(floating - quantized).mean() < 0.1 * np.ptp(floating, axis=0).max() + 0.05


@pytest.mark.exhaustive
@pytest.mark.slow
def test_two_conversions_give_the_same_bytes(packaged, sensor_run, with_converter, tmp_path):
    again = package(sensor_run.path, "imx500", tmp_path / "again")
    for path in packaged.folder.iterdir():
        assert (again.folder / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.slow
def test_picamera2_agrees_with_the_manifest(packaged, picamera2):
    path = packaged.folder / "network.rpk"
    result = subprocess.run([picamera2, CLIENT, path, PROGRAM], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    _, height, width, _ = packaged.content["io"]["inputs"][0]["shape"]
    assert said["input_size"] == [width, height]
    assert said["input_tensor"]["dtype"] == "signed"
    info = said["network_info"]["network"]["0"]
    assert int(info["outputTensorDimSize1"]) == packaged.content["io"]["outputs"][0]["shape"][1]
    assert int(info["outputTensorBytesPerElement1"]) == 2
    assert said["intrinsics"] == {**packaged.content["intrinsics"], "inference_rate": 12.0}


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_memory_report_alone_says_the_same(packaged, sensor_run, with_converter):
    from tinytracker.package.suitability import check

    result = check(str(sensor_run.path), "imx500", memory_report=True)
    assert result.ok
    assert result.memory == packaged.content["memory"]


def test_importing_the_target_stays_light():
    code = (
        "import sys, tinytracker.package.imx500.build, tinytracker.package.imx500.quantize\n"
        "import tinytracker.package.suitability\n"
        "assert not {'tensorflow', 'model_compression_toolkit'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
