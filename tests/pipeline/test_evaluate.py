import json
import shutil

import numpy as np
import pytest

from tinytracker.errors import InputFileError, UnknownNameError, UsageError
from tinytracker.evaluate import evaluate


def test_a_run_keeps_its_evaluation(run):
    result = evaluate(run.path, split="val")
    document = json.loads(run.evaluation("float", "val").read_text())
    assert document["errors"] == result.errors.as_json()
    stored = np.load(run.evaluation("float", "val").with_suffix(".npz"))
    distance = np.linalg.norm(stored["predicted"] - stored["gaze"], axis=1)
    assert result.errors.overall.error_cm == pytest.approx(distance.mean())


def test_the_validation_error_of_the_best_epoch_is_found_again(run):
    state = json.loads(run.state_path.read_text())
    result = evaluate(run.path, split="val")
    assert result.errors.overall.error_cm == pytest.approx(state["best_error_cm"], abs=1e-4)


def test_the_constant_predictor_answers_the_mean_of_the_training_labels(run, prepared):
    from tinytracker.data.index import read_index
    from tinytracker.evaluate.predict import truth

    index = read_index(prepared)
    gaze = truth(index, "test").gaze
    mean = truth(index, "train").gaze.mean(0)
    expected = np.linalg.norm(gaze - mean, axis=1).mean()
    assert evaluate(run.path).errors.overall.constant_cm == pytest.approx(expected, abs=1e-5)


def test_a_file_outside_the_run_gives_the_same(run, prepared, tmp_path):
    inside = evaluate(run.path, model="ptq-int8").errors
    shutil.copy(run.quantized("ptq-int8") / "model.tflite", tmp_path / "any.tflite")
    assert evaluate(tmp_path / "any.tflite", data=prepared).errors == inside


def test_a_file_needs_data(run):
    with pytest.raises(UsageError, match="does not name its data"):
        evaluate(run.quantized("ptq-int8") / "model.tflite")


def test_unknown_model_and_split(run):
    with pytest.raises(UnknownNameError, match="Did you mean 'ptq-int8'"):
        evaluate(run.path, model="ptq_int8")
    with pytest.raises(UnknownNameError, match=r"Unknown split 'tets'. Did you mean 'test'"):
        evaluate(run.path, split="tets")


def test_an_empty_split_is_a_sentence(run, prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "prepared")
    path = tmp_path / "prepared" / "index.json"
    index = json.loads(path.read_text())
    index["splits"]["test"].update(frames=0, subjects=[], shards=[])
    path.write_text(json.dumps(index))
    with pytest.raises(InputFileError, match="the split 'test' is empty"):
        evaluate(run.path, data=tmp_path / "prepared")
