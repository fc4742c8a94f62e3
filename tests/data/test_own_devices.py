"""Devices that are not in GazeCapture: added once, known to prepare, synth and the live page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.gazecapture_folder import make_folder

from tinytracker.cli.main import main
from tinytracker.data.devices import VARIABLE, all_devices, find_device, own_devices_file
from tinytracker.errors import ConfigError, UnknownNameError

ADD = [
    "devices", "add", "iPhone XR", "--camera-right", "32.3", "--camera-above", "2.4", "--screen", "64.6x139.8",
    "--points", "414x896", "-q",
]  # fmt: skip


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "settings" / "devices.toml"))
    return tmp_path / "settings" / "devices.toml"


def test_the_file_is_in_the_users_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert own_devices_file() == tmp_path / "tinytracker" / "devices.toml"


def test_an_added_device_is_found_and_listed(own_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(
        UnknownNameError, match=r"Known: .*\. Describe a device of your own with: tinytracker devices add"
    ):
        find_device("iPhone XR")
    main(ADD)
    device = find_device("iphone xr")
    np.testing.assert_allclose(device.screen_rectangle_cm(1), (-3.23, -14.22, 3.23, -0.24), atol=1e-9)
    capsys.readouterr()
    main(["devices", "list", "--json"])
    rows = json.loads(capsys.readouterr().out)["devices"]
    assert [row["name"] for row in rows if row["own"]] == ["iPhone XR"]
    assert len(rows) == 16
    from tinytracker.live.screen import device_names, screen_of_device

    assert "iPhone XR" in device_names()
    assert screen_of_device("iPhone XR").x_max == pytest.approx(3.23)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, "is in .* already. Add --replace"),
        ({"iPhone XR": "ipad MINI"}, "is one of GazeCapture's devices"),
        ({"iPhone XR": "X", "64.6x139.8": "139.8x64.6"}, "a point would be 4.68 times as wide as high"),
        ({"iPhone XR": "X", "64.6x139.8": "64.6"}, "write WIDTHxHEIGHT in mm"),
        ({"iPhone XR": "X", "32.3": "9999"}, "camera_dx_mm is 9999"),
        ({"iPhone XR": " "}, "the name is empty"),
    ],
)
def test_what_cannot_be_is_refused(
    changed: dict[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(ADD)
    with pytest.raises(SystemExit) as caught:
        main([changed.get(word, word) for word in ADD])
    assert caught.value.code == 2
    import re

    assert re.search(says, capsys.readouterr().err)


def test_a_damaged_file_is_named(own_file: Path) -> None:
    main(ADD)
    whole = own_file.read_text()
    for broken, says in (
        ("[[device", "not valid TOML"), (whole.replace('"phone"', '"watch"'), "family is 'watch'"),
        (whole + "colour = 1\n", "unexpected keyword"), (whole.replace("width_pt", "width"), "unexpected keyword"),
    ):  # fmt: skip
        own_file.write_text(broken)
        with pytest.raises(ConfigError, match=f"devices.toml.*{says}"):
            all_devices()


@pytest.mark.train
def test_prepare_takes_people_with_an_added_device(tmp_path: Path) -> None:
    from tinytracker.data.preparation import prepare

    make_folder(tmp_path / "src", subjects=3, frames=3)
    info = tmp_path / "src" / "00001" / "info.json"
    info.write_text(json.dumps(json.loads(info.read_text()) | {"DeviceName": "iPhone XR"}))
    lost = prepare(tmp_path / "src", tmp_path / "out", jobs=1)
    assert lost.losses.people == {"unknown device": 1}
    assert "describe it with: tinytracker devices add" in lost.skipped_csv.read_text()

    main(ADD)
    dots = tmp_path / "src" / "00001" / "dotInfo.json"
    document = json.loads(dots.read_text())
    screen = json.loads((tmp_path / "src" / "00001" / "screen.json").read_text())
    gaze = find_device("iPhone XR").to_camera_cm(
        document["XPts"], document["YPts"], screen["W"], screen["H"], screen["Orientation"]
    )
    dots.write_text(json.dumps(document | {"XCam": gaze[:, 0].tolist(), "YCam": gaze[:, 1].tolist()}))
    found = prepare(tmp_path / "src", tmp_path / "out", jobs=1)
    assert found.index.split("val").devices == {"iPhone XR": 3}
    assert not found.losses.unexpected
    main([*ADD[:-1], "--replace", "--family", "tablet", "-q"])
    assert prepare(tmp_path / "src", tmp_path / "out", jobs=1).index.split("val").families == {"tablet": 3}
