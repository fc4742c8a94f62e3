"""The page about documents is as new as their models, and what is written fits the published schemas."""

import json
from pathlib import Path

import jsonschema
import pytest
from support.edgetpu_builder import gaze_net
from support.run_folder import make_run

from tinytracker.cli.documents import KINDS, page, schema
from tinytracker.evaluate.calibration import Calibration
from tinytracker.measure.session import Header
from tinytracker.package import package
from tinytracker.runs import RunDescription

DOCS = Path(__file__).parents[2] / "docs"
SCHEMAS = {kind.name: schema(kind) for kind in KINDS}


def test_page_and_schemas_are_as_new_as_the_models():
    assert (DOCS / "documents.md").read_text() == page(), "run `make docs`"
    assert sorted(p.stem for p in (DOCS / "schemas").iterdir()) == sorted(SCHEMAS)
    for name, made in SCHEMAS.items():
        assert json.loads((DOCS / "schemas" / f"{name}.json").read_text()) == made, "run `make docs`"


def fits(name, document):
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(json.loads(json.dumps(document)))


def test_what_is_written_fits(tmp_path):
    model = tmp_path / "model.tflite"
    model.write_bytes(gaze_net())
    fits("manifest", json.loads(package(model, "coralmicro", tmp_path / "out").manifest.read_text()))
    fits("calibration", Calibration(kind="offset", offset=(1.0, -2.0)).model_dump(mode="json"))
    header = Header(source="emulated", board={}, model={}, phases=("inference",), ticks_per_s=1e6)
    fits("session-header", header.as_json())
    run = make_run(tmp_path / "run")
    fits("run", RunDescription.read(run.description_path).as_json())
    fits("parity", json.loads(run.parity_path.read_text()))
    fits("evaluation", json.loads(run.evaluation("float", "test").read_text()))


@pytest.mark.parametrize("change", [{"schema_version": 2}, {"preset": 3}, {"data": {}}])
def test_what_is_wrong_does_not(tmp_path, change):
    run = make_run(tmp_path / "run")
    with pytest.raises(jsonschema.ValidationError):
        fits("run", RunDescription.read(run.description_path).as_json() | change)
