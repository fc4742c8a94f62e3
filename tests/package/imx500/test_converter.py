"""Sony's converter as a program, played by shell scripts that fail as it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinytracker.errors import InputFileError, MissingDependencyError
from tinytracker.package.imx500 import converter
from tinytracker.package.imx500.converter import convert
from tinytracker.package.imx500.failures import ConverterError, explain
from tinytracker.package.imx500.memory import read_memory_report

REPORT = {
    "Memory Report": {
        "Name": "gaze",
        "Runtime Memory Physical Size": "214016B",
        "Model Memory Physical Size": "394400B",
        "Reserved Memory": "1024B",
        "Memory Usage": "609440B",
        "Total Memory Available On Chip": "8388480B",
        "Memory Utilization": "8%",
        "Fit In Chip": True,
    }
}
WRITE_REPORT = f"mkdir -p $4; echo '{json.dumps(REPORT)}' > $4/gaze_MemoryReport.json"


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Let a shell script be the converter; `$4` is its output folder."""

    def script(text: str) -> None:
        path = tmp_path / "imxconv"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        monkeypatch.setattr(converter, "require_converter", lambda folder: tmp_path)
        monkeypatch.setattr(converter, "converter_command", lambda folder: [str(path)])

    return script


def test_success(play, tmp_path: Path) -> None:
    play(f"{WRITE_REPORT}; touch $4/packerOut.zip; echo hello")
    result = convert(tmp_path / "gaze.keras", tmp_path / "out")
    assert result.packer_output == tmp_path / "out" / "converter" / "packerOut.zip"
    assert result.log.read_text() == "hello\n"
    assert result.memory.as_json() == {
        "model_bytes": 394400, "runtime_bytes": 214016, "reserved_bytes": 1024, "used_bytes": 609440,
        "available_bytes": 8388480, "used_percent": 7.27, "fits": True,
    }  # fmt: skip


def test_memory_report_only(play, tmp_path: Path) -> None:
    play(f'case "$*" in *--memory-report*) {WRITE_REPORT};; esac')
    result = convert(tmp_path / "gaze.keras", tmp_path / "out", report_only=True)
    assert result.packer_output is None
    assert result.memory.fits


def test_results_of_an_earlier_conversion_do_not_count(play, tmp_path: Path) -> None:
    test_success(play, tmp_path)
    play("exit 0")
    with pytest.raises(ConverterError, match="exit code 0: it printed nothing"):
        convert(tmp_path / "gaze.keras", tmp_path / "out")


def test_success_without_a_package_is_a_failure(play, tmp_path: Path) -> None:
    play(WRITE_REPORT)
    with pytest.raises(ConverterError, match=r"wrote no packerOut\.zip"):
        convert(tmp_path / "gaze.keras", tmp_path / "out")


# What the converter printed when each failure was provoked.
FAILURES = {
    "USOP": (
        2,
        "ERROR : CODE: [USOP] The network contains unsupported ops: keras.src.layers.Rescaling",
        "does not support these operators: keras.src.layers.Rescaling. Train a preset without them.",
    ),
    "ISM": (
        1,
        "ERROR: CODE: [ISM] ConvFe error (ISM) on 'v_big': Not enough memory, available: 8.00MB , required: "
        "10.33MB",
        "The network needs 10.33MB of the sensor's memory; 8.00MB is available.",
    ),
    "GE": (
        1,
        "ERROR: CODE: [GE] Caught exception while converting'float': List is empty.",
        "The network is not quantized",
    ),
    "ODE": (
        1,
        "CODE: [ODE] The given output directory out already exists. Please select a different directory",
        "output folder already exists",
    ),
    "EXEC": (
        1,
        "CODE: [EXEC] Only .keras file extension is supported [/venv/site-packages/uni/common/logger.py:191]",
        "Only .keras file extension is supported. Package",
    ),
    "JAVA": (127, "sdspconv: line 3: java: not found", "cannot start Java 17. Install it with: sudo apt"),
    "TILING": (1, "[TANSF] No solution found for v_hugein: x", "cannot be divided to fit"),
    "KILLED": (
        -9,
        "2026 INFO : CODE: [START]",
        "killed by signal 9. Signal 9 usually means that memory ran out",
    ),
    "MEMORY": (1, "Exception java.lang.OutOfMemoryError: Java heap space", "Java ran out of memory"),
    "DISK": (1, "java.io.IOException: No space left on device", "The disk is full"),
    "UNKNOWN": (3, "all fine\nERROR something odd.\n", "failed with exit code 3: ERROR something odd."),
}


@pytest.mark.parametrize("code", FAILURES)
def test_failures_become_sentences(code: str) -> None:
    exit_code, text, sentence = FAILURES[code]
    error = explain(exit_code, f"INFO start\n{text}\n[FEFSUC] Failure in conversion process\n", Path("c.log"))
    if code == "UNKNOWN":
        error = explain(exit_code, text, Path("c.log"))
    assert error.code == code
    assert sentence in str(error)
    assert str(error).endswith("The converter's full log is c.log.")


def test_the_log_of_a_failure_is_kept(play, tmp_path: Path) -> None:
    play("echo '[USOP] The network contains unsupported ops: X'; echo details >&2; exit 2")
    with pytest.raises(ConverterError, match="operators: X") as caught:
        convert(tmp_path / "gaze.keras", tmp_path / "out")
    assert caught.value.log.read_text().endswith("details\n")


def test_time_limit_stops_the_converter_and_its_children(play, tmp_path: Path) -> None:
    # The child keeps the pipe open: only killing the whole group ends the wait.
    play("sleep 600 & sleep 600")
    with pytest.raises(ConverterError, match="did not finish within 0 s") as caught:
        convert(tmp_path / "gaze.keras", tmp_path / "out", timeout=0.2)
    assert caught.value.code == "TIMEOUT"


def test_killed(play, tmp_path: Path) -> None:
    play("kill -9 $$")
    with pytest.raises(ConverterError, match="killed by signal 9"):
        convert(tmp_path / "gaze.keras", tmp_path / "out")


def test_not_set_up(tmp_path: Path) -> None:
    with pytest.raises(MissingDependencyError, match="tinytracker setup imx500"):
        convert(tmp_path / "gaze.keras", tmp_path / "out", folder=tmp_path / "none")


@pytest.mark.parametrize(
    "change", [{"Memory Usage": "much"}, {"Memory Usage": None}, {"Total Memory Available On Chip": "0B"}]
)
def test_odd_memory_reports_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"Memory Report": {**REPORT["Memory Report"], **change}}))
    with pytest.raises(InputFileError):
        read_memory_report(path)
