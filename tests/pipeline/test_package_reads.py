"""Packaging opens its source once: no file of a run is read twice."""

import sys
from collections import Counter

import pytest

from tinytracker.package import package
from tinytracker.package.parity import runtime_table
from tinytracker.package.spresense.options import Options

_reads: Counter[str] = Counter()
_folder = ""


def _hook(event, arguments):
    if _folder and event == "open":
        path, mode, _ = arguments
        if str(path).startswith(_folder) and not set(str(mode)) & set("wax"):
            _reads[str(path).removeprefix(_folder).lstrip("/")] += 1


sys.addaudithook(_hook)  # cannot be taken away again; without a folder it does nothing


@pytest.fixture
def reads(run, monkeypatch):
    """Reads of the files of the run while the test runs, by path."""
    from tinytracker.evaluate import evaluate

    evaluate(run.path)
    evaluate(run.path, model="ptq-int8")
    if not run.parity_path.is_file():
        runtime_table(run.path, images=32)
    _reads.clear()
    monkeypatch.setattr(sys.modules[__name__], "_folder", str(run.path))
    return _reads


@pytest.mark.parametrize("runtime", ["tflm", "c"])
def test_every_file_of_a_run_is_read_once(run, reads, tmp_path, runtime):
    package(run.path, "spresense", tmp_path / "out", options=Options(runtime=runtime))
    known = {
        "run.json", "parity.json", "quantized/ptq-int8/model.tflite", "quantized/ptq-int8/quantization.json",
        "evaluation/float-test.json", "evaluation/ptq-int8-test.json",
    }  # fmt: skip
    assert dict(reads) == dict.fromkeys(known, 1)


def test_a_second_read_would_be_seen(run, reads):
    run.describe()
    run.describe()
    assert reads == {"run.json": 2}
