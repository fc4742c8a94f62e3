"""What calibration brings to a trained network, float and quantized."""

import json

import numpy as np
import pytest
from support.cli import run as tinytracker
from support.gazecapture_folder import make_folder

from tinytracker.data.index import read_index
from tinytracker.data.preparation import prepare
from tinytracker.evaluate.predict import (
    penultimate_tensor,
    predict_float,
    predict_quantized,
    predict_with_features,
)
from tinytracker.model.presets import find_preset
from tinytracker.model.tflite_file import read_tflite


def test_features_are_what_the_last_layer_takes(run, prepared):
    """The last layer's own weights turn the features into the gaze."""
    from tinytracker.model.keras_builder import load_trained

    index, spec = read_index(prepared), find_preset(run.preset_name).input
    gaze, features = predict_with_features(run.model_path, index, "val", spec)
    kernel, bias = load_trained(run.model_path).layers[-1].get_weights()
    np.testing.assert_allclose(features @ kernel + bias, gaze, atol=1e-4)
    np.testing.assert_allclose(gaze, predict_float(run.model_path, index, "val", spec), atol=1e-5)


def test_features_of_the_quantized_network_are_near(run, prepared):
    index, spec = read_index(prepared), find_preset(run.preset_name).input
    model = run.quantized("ptq-int8") / "model.tflite"
    gaze, features = predict_with_features(model, index, "val", spec)
    np.testing.assert_array_equal(gaze, predict_quantized(model, index, "val", spec))
    _, expected = predict_with_features(run.model_path, index, "val", spec)
    assert features.shape == expected.shape
    assert np.abs(features - expected).mean() < 0.1 * np.abs(expected).mean() + 0.05
    assert penultimate_tensor(read_tflite(model)) is not None


def test_the_table_stays_in_the_run(run, tmp_path):
    make_folder(tmp_path / "gazecapture", subjects=6, frames=30, seed=4)  # ten dots each
    prepare(tmp_path / "gazecapture", tmp_path / "prepared", jobs=1)
    options = ("--data", tmp_path / "prepared", "--dots", "3,5", "--repeats", "1", "--json")
    answer = tinytracker("calibrate", "evaluate", run.path, *options)
    assert answer.code == 0, answer.err
    stored = json.loads((run.path / "evaluation" / "float-test-calibration.json").read_text())
    assert answer.document["rows"] == stored["rows"]
    assert {r["method"] for r in stored["rows"]} == {"auto", "offset", "affine", "ridge"}
    assert stored["features"] == 64


def test_too_few_dots_are_a_sentence(run):
    answer = tinytracker("calibrate", "evaluate", run.path, "--dots", "13")
    assert answer.code == 1
    assert "has 18 dots" in answer.err


def test_the_predictions_say_where_they_come_from(run):
    from tinytracker.evaluate import evaluate

    evaluate(run.path, split="val")
    stored = np.load(run.evaluation("float", "val").with_suffix(".npz"))
    assert {"predicted", "gaze", "subject", "dot", "device", "family", "orientation"} == set(stored.files)
    assert len({len(stored[name]) for name in stored.files}) == 1


@pytest.mark.parametrize("last", ["CONV_2D", "ADD"])
def test_a_network_that_ends_otherwise_has_no_features(last):
    from types import SimpleNamespace

    operators = [
        SimpleNamespace(name="FULLY_CONNECTED", inputs=(3,)),
        SimpleNamespace(name=last, inputs=(4,)),
    ]
    assert penultimate_tensor(SimpleNamespace(operators=operators)) is None
    assert penultimate_tensor(SimpleNamespace(operators=operators[:1])) == 3
    tanh = SimpleNamespace(name="TANH", inputs=(5,))
    assert penultimate_tensor(SimpleNamespace(operators=[operators[0], tanh])) == 3
