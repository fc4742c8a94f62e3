import json
import shutil
from importlib.metadata import version

import pytest
from support.cli import run as run_cli

from tinytracker.errors import InputFileError, UnknownNameError, UsageError
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.package.parity import RuntimeTable, runtime_table
from tinytracker.package.parity_table import ParityTable, stored_table
from tinytracker.runs import Run


@pytest.fixture(scope="module")
def tabled(run, tmp_path_factory):
    """A copy of the shared run, with its table."""
    folder = tmp_path_factory.mktemp("parity") / "run"
    shutil.copytree(run.path, folder)
    return Run(folder), runtime_table(folder, images=40)


def test_the_table_has_every_runtime(tabled):
    _, table = tabled
    rows = {row.runtime: row for row in table.rows}
    assert list(rows) == [
        "Keras float", "BUILTIN_REF", "TFLite default kernels", "TFLM", "generated C",
        f"ONNX Runtime {version('onnxruntime')} (CPU, 1 thread)", f"OpenVINO {version('openvino')} (CPU, 1 thread)",
        "MCT (IMX500)",
    ]  # fmt: skip
    assert rows["TFLM"].differing == rows["generated C"].differing == 0
    assert rows["TFLM"].max_lsb == rows["generated C"].mean_lsb == 0
    assert "not made" in rows["MCT (IMX500)"].absent
    assert table.exact
    assert table.step_cm == pytest.approx(7 / 255)


def test_frames_are_filled_up_with_patterns(tabled, prepared):
    _, table = tabled
    in_split = json.loads((prepared / "index.json").read_text())["splits"]["test"]["frames"]
    assert (table.frames, table.patterns) == (min(in_split, 40), 40 - min(in_split, 40))
    errors = [row.error_cm for row in table.rows if not row.absent]
    assert errors[1] == errors[3] == errors[4]
    assert abs(errors[0] - errors[1]) < 0.5


def test_the_error_is_that_of_evaluation(tabled):
    """When all frames of the split are compared, `tinytracker evaluate` gives the same number."""
    from tinytracker.evaluate import evaluate

    run, table = tabled
    errors = evaluate(run.path, model="ptq-int8").errors.overall
    assert errors.frames == table.frames
    assert errors.error_cm == pytest.approx(table.rows[1].error_cm)


def test_it_is_kept_in_the_run_for_this_model_only(tabled):
    run, table = tabled
    found = stored_table(run, table.model_sha256)
    assert found.rows[3].runtime == "TFLM"
    assert "command" not in found.as_json()
    assert stored_table(run, "0" * 64) is None


def test_the_document_has_every_field_of_the_table():
    """Reading leaves out what it does not know, so a field that was added to one alone would get lost."""
    assert set(ParityTable.model_fields) == {*RuntimeTable.__dataclass_fields__, "exact"}


def test_the_manifest_carries_it(tabled, tmp_path):
    from tinytracker.package import package

    run, table = tabled
    result = package(run.path, "spresense", tmp_path / "out")
    manifest = json.loads(result.manifest.read_text())
    assert manifest["runtimes"]["rows"] == json.loads(json.dumps(table.as_json()))["rows"]
    assert "| TFLM |" in (tmp_path / "out" / "README.md").read_text()


def test_a_runtime_that_differs_is_exit_code_1(tabled, monkeypatch, tmp_path):
    run, _ = tabled
    shutil.copytree(run.path, tmp_path / "run")
    honest = MicroInterpreter.run

    def one_step_off(self, inputs):
        outputs = honest(self, inputs)
        outputs[0][3, 0, 1] ^= 1
        return outputs

    monkeypatch.setattr(MicroInterpreter, "run", one_step_off)
    answer = run_cli("parity", tmp_path / "run", "--images", "32", "--json")
    assert answer.code == 1
    document = answer.document
    assert document["exact"] is False
    assert next(row for row in document["rows"] if row["runtime"] == "TFLM")["differing"] == 1
    assert json.loads((tmp_path / "run" / "parity.json").read_text())["exact"] is False


def test_without_a_compiler_the_row_says_so(tabled, monkeypatch, tmp_path):
    from tinytracker.codegen import host

    shutil.copytree(tabled[0].path, tmp_path / "run")
    monkeypatch.setattr(host, "host_compiler", lambda: None)
    table = runtime_table(tmp_path / "run", images=32)
    row = next(row for row in table.rows if row.runtime == "generated C")
    assert "C compiler is not installed" in row.absent
    assert table.exact


def test_wrong_requests(tabled, tmp_path):
    run, _ = tabled
    with pytest.raises(UnknownNameError, match="Unknown quantized model in this run 'other-int8'"):
        runtime_table(run.path, model="other-int8")
    with pytest.raises(UsageError, match="8 images are too few"):
        runtime_table(run.path, images=8)
    with pytest.raises(InputFileError, match="no such run folder"):
        runtime_table(tmp_path / "nowhere")
    with pytest.raises(InputFileError, match="there is no such folder of prepared data"):
        runtime_table(run.path, data=tmp_path / "nowhere")
