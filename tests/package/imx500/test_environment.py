"""The converter's environment: found, missing, broken."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tinytracker import isolated
from tinytracker.errors import MissingDependencyError, TinyTrackerError
from tinytracker.package.imx500 import environment as env


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer with Java 17 and a Python 3.11, and nothing else."""
    programs = tmp_path / "programs"
    program(programs / "java", """echo 'openjdk version "17.0.15" 2025-04-15' >&2""")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv(isolated.HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv(env.PYTHON_VARIABLE, raising=False)
    return programs


FAKE_PYTHON = """
if [ "$2" = -m ] || [ "$1" = -m ]; then
  case "$2" in
    venv) /bin/mkdir -p "$4/bin" && /bin/cp "$0" "$4/bin/python";;
    pip) echo "Collecting absl-py==2.5.1"; echo "Installing collected packages: absl-py"
      exit ${PIP_EXIT:-0};;
  esac
else echo 3.11.9; fi"""


def test_nothing_is_there(computer: Path, tmp_path: Path) -> None:
    found = env.status()
    assert found.folder == tmp_path / "home" / "imx500-converter"
    assert not found.ready
    assert found.missing == ("Sony's converter is not installed. Install it with: tinytracker setup imx500",)
    assert json.loads(json.dumps(found.as_json()))["java"] == "17.0.15"
    with pytest.raises(MissingDependencyError, match="tinytracker setup imx500"):
        env.require_converter()


def test_setup_is_idempotent(computer: Path, tmp_path: Path) -> None:
    python = program(tmp_path / "python3.11", FAKE_PYTHON)
    first = env.setup(python=python)
    assert first.ready
    assert (first.python, first.converter) == ("3.11.9", "3.19.2")
    assert env.require_converter() == first.folder
    (first.folder / "setup.log").unlink()
    assert env.setup(python=tmp_path / "gone") == first
    assert not (first.folder / "setup.log").exists()


def test_failed_installation_can_be_repeated(
    computer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = program(tmp_path / "python3.11", FAKE_PYTHON)
    monkeypatch.setenv("PIP_EXIT", "1")
    with pytest.raises(
        TinyTrackerError, match="cannot install the packages of Sony's IMX500 converter"
    ) as caught:
        env.setup(python=python)
    log = env.default_folder() / "setup.log"
    assert str(log) in str(caught.value)
    assert "Collecting absl-py" in log.read_text()
    assert not env.status().ready
    monkeypatch.delenv("PIP_EXIT")
    assert env.setup().ready  # the environment is there already: no Python is looked for


def test_changed_requirements_ask_for_a_new_setup(computer: Path, tmp_path: Path) -> None:
    found = env.setup(python=program(tmp_path / "python3.11", FAKE_PYTHON))
    (found.folder / "tinytracker-setup.json").write_text('{"requirements_sha256": "old"}')
    assert env.status().missing[0].startswith("Sony's converter belongs to another version of tinytracker.")


def test_java_is_checked_before_the_long_part(computer: Path, tmp_path: Path) -> None:
    (computer / "java").unlink()
    with pytest.raises(MissingDependencyError, match="Java 17 is not installed"):
        env.setup(python=program(tmp_path / "python3.11", FAKE_PYTHON))
    assert not env.default_folder().exists()


def test_old_java_is_named(computer: Path) -> None:
    program(computer / "java", """echo 'java version "1.8.0_292"' >&2""")
    assert env.status().missing[1].startswith("Java is version 1.8.0_292; the converter needs 17.")


@pytest.mark.parametrize(("version", "major"), [("17.0.15", 17), ("21", 21), ("1.8.0_292", 8), ("", 0)])
def test_java_major(version: str, major: int) -> None:
    assert env.java_major(version) == major


def test_shims_that_fail_are_passed_over(
    computer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(program(tmp_path / "other" / "python", "echo 3.13.1")))
    monkeypatch.setattr(isolated, "PYTHON_VERSIONS", ((3, 11),))
    program(computer / "python3.11", "echo 'python3.11: command not found' >&2; exit 127")
    good = program(tmp_path / "nobody" / ".pyenv" / "versions" / "3.11.7" / "bin" / "python", "echo 3.11.7")
    assert env.CONVERTER.find_python() == good


def test_named_python_must_suit(computer: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingDependencyError, match=r"python3.13: a Python 3.10 or 3.11 with venv is not"):
        env.CONVERTER.find_python(program(tmp_path / "python3.13", "echo 3.13.1"))


def test_requirements_are_pinned_with_hashes() -> None:
    text = env.REQUIREMENTS.read_text()
    assert "imx500-converter==3.19.2" in text
    assert "tensorflow==2.15.1" in text
    blocks = [b for b in text.split("\n\n")[-1].replace("\n    ", " ").splitlines() if b and b[0] not in "# "]
    assert len(blocks) > 40
    assert all("==" in b and "--hash=sha256:" in b for b in blocks)


def test_the_converter_finds_its_own_programs(computer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    variables = env.converter_environment(Path("/there"))
    assert variables["PATH"].split(":")[0] == "/there/bin"
    assert "PYTHONPATH" not in variables
