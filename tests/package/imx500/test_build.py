"""From the converter's output to the package's bytes, with the converter replaced."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.rpk_samples import write_packer_output

from tinytracker.errors import InputFileError, ModelError
from tinytracker.model.presets import find_preset
from tinytracker.package import package
from tinytracker.package.imx500 import build
from tinytracker.package.imx500.converter import Conversion
from tinytracker.package.imx500.memory import MemoryReport
from tinytracker.package.imx500.rpk import verify

MEMORY = MemoryReport(model=100, runtime=2048, reserved=1024, used=3172, available=8_388_480, fits=True)


@pytest.fixture
def converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Let the conversion give a made-up output."""

    def give(memory: MemoryReport = MEMORY, **sample: str) -> None:
        path = write_packer_output(tmp_path / "packerOut.zip", **sample)  # type: ignore[arg-type]
        conversion = Conversion(path, memory, tmp_path / "converter.log")
        monkeypatch.setattr(build, "convert", lambda model, work: conversion)

    return give


def test_a_conversion_becomes_a_package(converted, tmp_path: Path) -> None:
    converted()
    network = build.sensor_network(tmp_path / "gaze.keras", tmp_path)
    assert verify(network.data) == network.rpk
    assert network.rpk.intrinsics == build.INTRINSICS
    assert network.rpk.network_info["inputTensorFormat"] == "RGB"
    assert network.conversion.memory == MEMORY


@pytest.mark.parametrize(
    ("preset", "words"), [("tinytracker-v2", "two floats"), ("tinytracker-v2-aim", "seven floats")]
)
def test_the_page_says_what_the_sensor_answers(preset: str, words: str) -> None:
    assert f"contains {words}" in build.use_section(find_preset(preset))


def test_an_input_that_is_not_the_sensors_pixels_is_refused(converted, tmp_path: Path) -> None:
    converted(format="unsigned")
    with pytest.raises(ModelError, match="8 unsigned bits with scale"):
        build.sensor_network(tmp_path / "gaze.keras", tmp_path)


def test_a_network_that_does_not_fit_is_refused(converted, tmp_path: Path) -> None:
    converted(replace(MEMORY, used=9_000_000, fits=False))
    with pytest.raises(ModelError, match="needs 9,000,000 bytes; the sensor has 8,388,480"):
        build.sensor_network(tmp_path / "gaze.keras", tmp_path)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="not a run folder"):
        package(tmp_path, "imx500", tmp_path / "out")
