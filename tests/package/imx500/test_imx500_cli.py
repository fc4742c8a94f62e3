"""The verbs rpk, check, setup and doctor as a user sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli import run
from support.rpk_samples import write_packer_output

from tinytracker.package.imx500.rpk import pack


@pytest.fixture
def package_file(tmp_path: Path) -> Path:
    path = tmp_path / "network.rpk"
    path.write_bytes(pack(write_packer_output(tmp_path / "packerOut.zip")))
    return path


def test_show(package_file: Path) -> None:
    document = run("rpk", "show", package_file, "--json").document
    assert document["schema_version"] == 1
    assert document["lines"]["input"] == 18
    text = run("rpk", "show", package_file)
    assert text.code == 0
    for expected in ("3 x 112 x 112", "signed 16", "0xD750=0x02", "inputTensorFormat=RGB"):
        assert expected in text.out


def test_verify(package_file: Path) -> None:
    assert run("rpk", "verify", package_file, "--json").document["ok"] is True
    package_file.write_bytes(package_file.read_bytes()[:-4])
    answer = run("rpk", "verify", package_file, "--json")
    assert answer.code == 1
    assert answer.document["error"]["kind"] == "rpk"
    assert answer.document["error"]["message"].startswith(f"{package_file}: ")
    assert "the member needs" in answer.document["error"]["message"]
    package_file.write_bytes(b"not a package")
    for word in ("show", "verify"):
        assert f"{package_file}: byte 0" in run("rpk", word, package_file).err


def test_no_such_package(tmp_path: Path) -> None:
    assert run("rpk", "show", tmp_path / "none.rpk").code == 1


def test_check_says_yes_and_no() -> None:
    good = run("check", "tinytracker-rgb", "--target", "imx500", "--json")
    assert (good.code, good.document["ok"]) == (0, True)
    bad = run("check", "tinytracker", "--target", "imx500")
    assert bad.code == 1
    assert "Presets that imx500 can run: tinytracker-rgb, tinytracker-v2, tinytracker-v2-aim." in bad.out
    assert run("check", "tinytracker", "--target", "toaster").code == 2
    assert "needs a run folder" in run("check", "tinytracker", "--target", "imx500", "--memory-report").err


def test_doctor_and_setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYTRACKER_HOME", str(tmp_path))
    document = run("doctor", "--json").document
    assert document["imx500"]["ready"] is False
    assert "tinytracker setup imx500" in run("doctor").out
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    answer = run("setup", "imx500")
    assert answer.code == 1
    assert "Java 17 is not installed" in answer.err
