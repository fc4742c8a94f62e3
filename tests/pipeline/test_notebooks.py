"""The notebooks run from top to bottom, draw all their figures, and are in step with the .ipynb beside them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest
from support.gazecapture_folder import make_folder
from support.sessions import write_session
from support.traces import VOLTAGE, true_trace

from tinytracker.data.preparation import prepare

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
LARGEST = 2_000_000


def run_notebook(name, **environment):
    """What tests/support/run_notebook.py says of it, and what the notebook printed."""
    result = subprocess.run(
        [sys.executable, ROOT / "tests/support/run_notebook.py", ROOT / "notebooks" / name],
        capture_output=True, text=True, timeout=900,
        env={**os.environ, "PYTHONPATH": str(ROOT), **{k: str(v) for k, v in environment.items()}},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    *printed, last = result.stdout.splitlines()
    return json.loads(last), "\n".join(printed)


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS] == ["accuracy", "latency_energy"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_pair_is_in_step_and_has_no_outputs(path):
    pair = path.with_suffix(".ipynb")
    written, kept = jupytext.read(path), nbformat.read(pair, as_version=4)
    cells = [[(c.cell_type, c.source) for c in book.cells] for book in (written, kept)]
    assert cells[0] == cells[1], "run `make notebooks`"
    assert not any(c.get("outputs") or c.get("execution_count") for c in kept.cells)
    assert pair.stat().st_size < LARGEST


@pytest.mark.train
def test_accuracy_of_a_quantized_run(run, tmp_path):
    make_folder(tmp_path / "gazecapture", subjects=6, frames=30, seed=4)  # ten dots each
    prepare(tmp_path / "gazecapture", tmp_path / "prepared", jobs=1)
    found, printed = run_notebook(
        "accuracy.py", TINYTRACKER_RUN=run.path, TINYTRACKER_DATA=tmp_path / "prepared", TINYTRACKER_DOTS=3
    )
    assert len(found["figures"]) == 7
    assert all(count > 0 for figure in found["figures"] for count in figure)
    evaluation = json.loads(run.evaluation("float", "test").read_text())
    assert found["summary"]["float error, cm"] == pytest.approx(
        evaluation["errors"]["overall"]["error_cm"], abs=1e-3
    )
    assert {"INT8 error, cm", "constant predictor, cm", "change by 3 calibration dots"} <= set(
        found["summary"]
    )
    assert "worse off" in printed
    assert "recorded people" in printed.splitlines()[0]


@pytest.fixture
def measured(tmp_path):
    """A session and the trace of a meter that watched, both synthetic: files by name."""
    trace, truth = true_trace(5_000, frames=40, noise_a=0.002, jitter=0.05)
    for name in ("session.jsonl", "again.jsonl"):
        write_session(tmp_path / name, truth.edges_s)
    write_session(tmp_path / "emulated.jsonl", truth.edges_s, source="emulated", clock="emulated")
    columns = [
        np.arange(len(trace)) / trace.rate_hz * 1e6, trace.current_a * 1e3, np.full(len(trace), VOLTAGE),
        trace.digital & 1, trace.digital >> 1 & 1,
    ]  # fmt: skip
    np.savetxt(
        tmp_path / "trace.csv", np.stack(columns, -1), "%.1f,%.5f,%.3f,%d,%d",
        header="time_us,current_mA,voltage_V,D0,D1", comments="",
    )  # fmt: skip
    return tmp_path, truth


def test_latency_and_energy_of_a_session_with_a_trace(measured):
    folder, truth = measured
    found, printed = run_notebook(
        "latency_energy.py", TINYTRACKER_SESSION=folder / "session.jsonl",
        TINYTRACKER_OTHER=folder / "again.jsonl", TINYTRACKER_TRACE=folder / "trace.csv",
    )  # fmt: skip
    assert len(found["figures"]) == 4
    assert all(count > 0 for figure in found["figures"] for count in figure)
    expected = truth.energy_j[10:].sum(1).mean() * 1e3
    assert found["summary"]["energy per frame, mJ"] == pytest.approx(expected, rel=0.01)
    assert "One session on each side" in printed


def test_an_emulated_session_is_marked_and_gets_no_energy(measured):
    folder, _ = measured
    found, printed = run_notebook(
        "latency_energy.py", TINYTRACKER_SESSION=folder / "emulated.jsonl",
        TINYTRACKER_TRACE=folder / "trace.csv",
    )  # fmt: skip
    assert all("emulated" in title for title in found["titles"])
    assert "draws no current" in printed
    assert "energy per frame, mJ" not in found["summary"]
    assert "frames per second" not in printed
